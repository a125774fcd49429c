package function

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"

	controlpb "github.com/rowvec/rowvec/function/instance/proto"
)

// output is a stderr that several goroutines write to.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func TestRunRefusesACommandLineThatIsNotTheWorkers(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"-instance-conf"}, {"-instance-conf", "{"}} {
		var stderr output
		require.Equal(t, exitContract, Run(t.Context(), args, func(string) string { return "" }, "v", &stderr))
		require.Contains(t, stderr.String(), "pulsar-admin functions create")
	}
}

// started is a function that runs in this process, as the worker would start it.
type started struct {
	client controlpb.InstanceControlClient
	stderr *output
	end    func() int
}

func start(t *testing.T, userConfig map[string]any) *started {
	t.Helper()
	return startWith(t, userConfig, "")
}

// startWith is start with an output topic.
func startWith(t *testing.T, userConfig map[string]any, topic string) *started {
	t.Helper()
	text, err := json.Marshal(userConfig)
	require.NoError(t, err)
	details, err := json.Marshal(map[string]any{
		"tenant": "public", "namespace": "default", "name": "f", "runtime": "GO",
		"source": map[string]any{"inputSpecs": map[string]any{"persistent://public/default/t": map[string]any{}}},
		"sink":   map[string]any{"topic": topic},
	})
	require.NoError(t, err)
	port := freePort(t)
	conf, err := json.Marshal(map[string]any{
		// Nothing listens there: these tests are about what the function says before it reaches Pulsar.
		"pulsarServiceURL": "pulsar://127.0.0.1:" + strconv.Itoa(freePort(t)), "clusterName": "c", "tenant": "public", "nameSpace": "default",
		"name": "f", "port": port, "userConfig": string(text), "functionDetails": string(details), "secretsMap": `{"KEY":"planted-secret"}`,
	})
	require.NoError(t, err)
	s := &started{stderr: &output{}}
	ctx, cancel := context.WithCancel(t.Context())
	code := make(chan int, 1)
	go func() {
		code <- Run(ctx, []string{"-instance-conf", string(conf)}, func(string) string { return "" }, "v1", s.stderr)
	}()
	s.end = sync.OnceValue(func() int { cancel(); return <-code })
	t.Cleanup(func() { s.end() })
	conn, err := grpc.NewClient(fmt.Sprintf("127.0.0.1:%d", port), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	s.client = controlpb.NewInstanceControlClient(conn)
	return s
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// says waits until the status holds the text.
func (s *started) says(t *testing.T, want string) {
	t.Helper()
	last := ""
	require.Eventually(t, func() bool {
		status, err := s.client.GetFunctionStatus(t.Context(), &emptypb.Empty{}, grpc.WaitForReady(true))
		if err != nil {
			return false
		}
		last = status.GetFailureException()
		return status.GetRunning() && bytes.Contains([]byte(last), []byte(want))
	}, 10*time.Second, 5*time.Millisecond, "status never said %q", want)
	require.NotContains(t, last, "planted-secret")
}

func valid(edit func(m map[string]any)) map[string]any {
	m := map[string]any{
		"embedding": map[string]any{"baseURL": "http://127.0.0.1:1/v1", "model": "m", "apiKey": map[string]any{"secret": "KEY"}},
		"chroma":    map[string]any{"url": "http://127.0.0.1:1"},
		"tables":    map[string]any{"app.articles": map[string]any{"collection": "articles", "text": "{{.title}}"}},
	}
	edit(m)
	return m
}

func TestAWrongSettingIsShownAndDoesNotEndTheProcess(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		edit func(m map[string]any)
		want string
	}{
		"unknown key": {func(m map[string]any) { m["bach"] = 1 }, "halted: userConfig.bach: unknown setting; did you mean batch?"},
		"missing secret": {func(m map[string]any) {
			m["embedding"].(map[string]any)["apiKey"] = map[string]any{"secret": "NOWHERE"}
		}, "userConfig.embedding.apiKey: secret NOWHERE"},
		"bad template": {func(m map[string]any) {
			m["tables"].(map[string]any)["app.articles"].(map[string]any)["text"] = "{{.title"
		}, "userConfig.tables.app.articles.text"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, valid(tt.edit))
			s.says(t, tt.want)
			require.Equal(t, exitOK, s.end())
			require.Contains(t, s.stderr.String(), `"function":"public/default/f"`)
			require.NotContains(t, s.stderr.String(), "planted-secret")
		})
	}
}

func TestAnOutputTopicInUseIsShown(t *testing.T) {
	t.Parallel()
	for output, want := range map[string]string{
		"public/default/t": "halted: output public/default/t: it is among the function's inputs",
		"f-dlq":            "halted: output f-dlq: it is the dead-letter topic",
	} {
		s := startWith(t, valid(func(map[string]any) {}), output)
		s.says(t, want)
		require.Equal(t, exitOK, s.end())
	}
}

func TestAnUnreachableBrokerIsShownAndWaitedFor(t *testing.T) {
	t.Parallel()
	s := start(t, valid(func(map[string]any) {}))
	s.says(t, "persistent://public/default/t")
	require.Equal(t, exitOK, s.end())
	require.NotContains(t, s.stderr.String(), "planted-secret")
}
