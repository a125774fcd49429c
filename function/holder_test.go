package function

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma/chromatest"
	"github.com/rowvec/rowvec/embed/embedtest"
	"github.com/rowvec/rowvec/function/instance"
	"github.com/rowvec/rowvec/function/instance/pulsartest"
)

const heldTopic = "persistent://public/default/store.app.articles"

// living is a whole life over doubles of everything that it reaches.
type living struct {
	keys     keyFiles
	instance *instance.Instance
	broker   *pulsartest.Broker
	index    *chromatest.Server
	log      *output
	end      func()
}

func live(t *testing.T, edit func(m map[string]any)) *living {
	t.Helper()
	endpoint := embedtest.New(embedtest.Options{Dimensions: 8, APIKey: "planted-key"})
	t.Cleanup(endpoint.Close)
	l := &living{keys: keyFiles(t.TempDir()), broker: pulsartest.New(), index: chromatest.New(t), log: &output{}}
	userConfig := map[string]any{
		"embedding": map[string]any{"baseURL": endpoint.URL(), "model": "m", "dimensions": 8, "apiKey": l.keys.setting("key")},
		"chroma":    map[string]any{"url": l.index.URL, "token": l.keys.setting("token")},
		"postgres":  map[string]any{"url": l.keys.setting("postgres")},
		"tables":    map[string]any{"app.articles": map[string]any{"collection": "articles", "text": "{{.title}}"}},
	}
	edit(userConfig)
	conf := &instance.Conf{
		Tenant: "public", Namespace: "default", Name: "f", Port: freePort(t), Inputs: []instance.Input{{Topic: heldTopic}},
		Subscription: instance.Subscription{Name: "f-sub", Position: instance.Earliest}, UserConfig: userConfig, ServiceURL: "pulsar://broker.test:6650",
	}
	log := slog.New(slog.NewJSONHandler(l.log, nil))
	inst, err := instance.Open(conf, instance.Options{Log: log})
	require.NoError(t, err)
	l.instance = inst
	f := &life{instance: inst, conf: conf, log: log, settings: instance.Settings{NewClient: l.broker.Client}, pause: 5 * time.Millisecond}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan struct{})
	go func() { defer close(served); f.serve(ctx) }()
	l.end = sync.OnceFunc(func() {
		cancel()
		<-served
		require.NoError(t, inst.Close(context.Background()))
	})
	t.Cleanup(l.end)
	return l
}

func (l *living) says(t *testing.T, want string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(l.condition(), want) }, 10*time.Second, time.Millisecond, "never said %q, but %v", want, l.condition())
}

func (l *living) condition() string { return l.instance.Stats().Conditions["configuration"] }

// The files of secrets come late, one after the other, and one of them is wrong at first: nothing is lost, and no restart is needed.
func TestASecretsFileThatComesLater(t *testing.T) {
	t.Parallel()
	l := live(t, func(map[string]any) {})
	l.says(t, "halted: userConfig.embedding.apiKey: file "+l.keys.path("key")+": read a secret: no such file or directory")
	require.Eventually(t, func() bool { return l.broker.Count("subscribe "+heldTopic) == 1 }, 10*time.Second, time.Millisecond)
	l.broker.Publish(heldTopic, &pulsartest.Message{K: `{"id":1}`, Body: fmt.Appendf(nil, created, 1, "articles")})

	l.keys.write(t, "key", "")
	l.says(t, "userConfig.embedding.apiKey: file "+l.keys.path("key")+": read a secret: expected 1 to 65536 bytes, found 1")
	l.keys.write(t, "key", "planted key")
	l.says(t, l.keys.path("key")+": embedding.apiKey: holds a blank")
	l.keys.write(t, "key", "planted-key")
	l.says(t, "userConfig.chroma.token: file "+l.keys.path("token"))
	l.keys.write(t, "token", "planted-token")
	l.says(t, "userConfig.postgres.url: file "+l.keys.path("postgres"))
	l.keys.write(t, "postgres", "planted, no URL")
	l.says(t, "expected an address such as")
	require.Empty(t, l.index.Records("articles"))
	require.InDelta(t, 1, l.instance.Stats().Total.Received, 1, "held at most")

	l.keys.write(t, "postgres", "postgres://u:planted@127.0.0.1:1/x")
	require.Eventually(t, func() bool { return len(l.index.Records("articles")) == 1 }, 10*time.Second, time.Millisecond)
	require.Eventually(t, func() bool { return l.broker.Count("ack "+heldTopic) == 1 }, 10*time.Second, time.Millisecond)
	require.Empty(t, l.condition())
	l.end()
	require.Contains(t, l.log.String(), "halted until that file can be used")
	require.Contains(t, l.log.String(), "going on")
	require.Equal(t, 6, strings.Count(l.log.String(), "halted until"), "each trouble once: %s", l.log.String())
	require.NotContains(t, l.log.String(), "planted")
}

// Of a setting that no file cures, the status says so and the log that functions update is needed.
func TestASettingThatNoFileCures(t *testing.T) {
	t.Parallel()
	l := live(t, func(m map[string]any) {
		m["chroma"].(map[string]any)["token"] = map[string]any{"secret": "NOWHERE"}
	})
	l.says(t, "userConfig.embedding.apiKey: file ")
	l.keys.write(t, "key", "planted-key")
	l.says(t, "userConfig.chroma.token: secret NOWHERE")
	l.end()
	require.Contains(t, l.log.String(), "halted until functions update brings other settings")
	require.NotContains(t, l.log.String(), "planted")
}

func TestTheEndWhileAFileIsMissing(t *testing.T) {
	t.Parallel()
	l := live(t, func(map[string]any) {})
	l.says(t, "userConfig.embedding.apiKey: file ")
	l.end()
	require.NotContains(t, l.log.String(), "going on")
}
