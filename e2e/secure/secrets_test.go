//go:build e2e

package secure

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	pulsarlog "github.com/apache/pulsar-client-go/pulsar/log"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deploy/local/stack"
)

// requireNoSecret fails without repeating the secret.
func requireNoSecret(t *testing.T, where, text string) {
	t.Helper()
	for name, secret := range planted {
		if at := strings.Index(text, secret); at >= 0 {
			line := text[strings.LastIndexByte(text[:at], '\n')+1 : at]
			require.Fail(t, "a secret leaked", "%s into %s, after %q", name, where, line[max(0, len(line)-200):])
		}
	}
}

// leaksNothing looks for every secret in all that the run has left behind.
func leaksNothing(t *testing.T) {
	t.Helper()
	require.Positive(t, world.endpoint.repeated.Load(), "answers that repeat the key")
	require.Positive(t, world.chroma.repeated.Load(), "answers that repeat the token")
	p := functionProcess(t, function)
	for pid, args := range commandLines(t) {
		requireNoSecret(t, "the command line of process "+pid, strings.Join(args, "\n"))
	}
	seen := 0
	for _, dir := range []string{filepath.Join(world.out, "stack", "logs"), filepath.Join(world.out, "stack", "pulsar", "logs")} {
		require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			requireNoSecret(t, path, string(text))
			seen += strings.Count(string(text), `"function":"public/default/`+function+`"`)
			return err
		}))
	}
	require.Positive(t, seen, "lines of the function in the worker's log")
	for _, what := range []string{
		"/admin/v3/functions/public/default/" + function, "/admin/v3/functions/public/default/" + function + "/status",
		"/admin/v3/functions/public/default/" + function + "/stats",
	} {
		requireNoSecret(t, what, fetch(t, world.pulsar.Client, world.pulsar.URL+what))
	}
	metrics := fetch(t, http.DefaultClient, fmt.Sprintf("http://127.0.0.1:%d/metrics", p.conf.MetricsPort))
	require.Contains(t, metrics, "rowvec_records_total")
	requireNoSecret(t, "the metrics", metrics)
	topicsLeakNothing(t)
}

func fetch(t *testing.T, client *http.Client, address string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	require.NoError(t, err)
	answer, err := client.Do(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode, "%s: %s", address, text)
	return string(text)
}

// topicsLeakNothing reads all that the function has published.
func topicsLeakNothing(t *testing.T) {
	t.Helper()
	token, err := world.stack.Authority.Token(stack.AdminRole)
	require.NoError(t, err)
	client, err := pulsar.NewClient(pulsar.ClientOptions{
		URL: world.env.PulsarURL, TLSTrustCertsFilePath: world.stack.Authority.CertFile(), Authentication: pulsar.NewAuthenticationTokenFromFile(token),
		Logger: pulsarlog.NewLoggerWithSlog(slog.New(slog.DiscardHandler)),
	})
	require.NoError(t, err)
	defer client.Close()
	for _, kind := range []string{"dlq", "events", "log"} {
		topic := "persistent://public/default/" + function + "-" + kind
		reader, err := client.CreateReader(pulsar.ReaderOptions{Topic: topic, StartMessageID: pulsar.EarliestMessageID()})
		require.NoError(t, err)
		messages := 0
		for ; reader.HasNext(); messages++ {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			m, err := reader.Next(ctx)
			cancel()
			require.NoError(t, err)
			properties := make([]string, 0, len(m.Properties()))
			for k, v := range m.Properties() {
				properties = append(properties, k+"="+v)
			}
			requireNoSecret(t, topic, strings.Join(slices.Concat([]string{m.Key(), string(m.Payload())}, properties), "\n"))
		}
		require.Positive(t, messages, topic)
		reader.Close()
	}
}
