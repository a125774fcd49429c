package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma/chromatest"
	"github.com/rowvec/rowvec/cli"
)

const (
	shopToken   = "shop-token-of-the-test"
	endpointKey = "endpoint-key-of-the-test"
	pulsarToken = "pulsar-token-of-the-test"
	dbPassword  = "db-password-of-the-test"
)

// logged is a log that may be read while it is written.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// serving is a `rowvec serve` that runs.
type serving struct {
	url  string
	log  *logged
	stop func() int // ends it and returns the exit code
}

// serve starts one on a free port and reads its address.
func serve(t *testing.T, file string) *serving {
	t.Helper()
	s := serveOn(t, file, "127.0.0.1:0")
	require.Regexp(t, `^http://127\.0\.0\.1:[1-9][0-9]*$`, s.url)
	return s
}

func serveOn(t *testing.T, file, listen string) *serving {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &serving{log: &logged{}}
	out, in := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- cli.Run(ctx, []string{"serve", "-f", file, "--listen", listen}, "v1.2.3", in, s.log)
		_ = in.Close() // ends the wait for an address that does not come
	}()
	s.stop = sync.OnceValue(func() int {
		cancel()
		return <-code
	})
	t.Cleanup(func() { s.stop() })
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err, s.log)
	s.url = strings.TrimSpace(line)
	return s
}

// ask sends one request and returns the status and the answer.
func (s *serving) ask(t *testing.T, method, path, body, token string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, string(text)
}

func TestServeAnswersSearchesUntilItIsEnded(t *testing.T) {
	t.Setenv("ROWVEC_CLI_TEST_KEY", endpointKey)
	s := serve(t, index(t, "m", record{"1", "boots", nil}, record{"2", "tent", nil}, record{"3", "lamp", nil}))

	code, text := s.ask(t, http.MethodPost, "/v1/search", `{"query": "tent", "topK": 2, "where": {"cost": {"$gt": 1}}}`, "")
	require.Equal(t, http.StatusOK, code, text)
	var found struct {
		Table string
		Rows  []struct {
			ID, Text string
			Score    float64
		}
	}
	require.NoError(t, json.Unmarshal([]byte(text), &found))
	require.Equal(t, "app.articles", found.Table)
	require.Len(t, found.Rows, 2)
	require.Equal(t, []string{"2", "tent"}, []string{found.Rows[0].ID, found.Rows[0].Text})
	require.InDelta(t, 1, found.Rows[0].Score, 1e-4)

	for path, want := range map[string]string{
		"/": "<!doctype html>", "/healthz": "ok", "/openapi.json": `"openapi":"3.1`, "/v1/tables/app.articles/rows/3": `"text":"lamp"`,
		"/metrics": `rowvec_gateway_requests_total{code="200",route="POST /v1/search"} 1`, "/v1/search?q=lamp": `"lamp"`, "/v1/status": `"version":"v1.2.3"`,
	} {
		code, text := s.ask(t, http.MethodGet, path, "", "")
		require.Equal(t, http.StatusOK, code, path)
		require.Contains(t, text, want, path)
	}
	require.Equal(t, 0, s.stop(), s.log)
	require.Contains(t, s.log.String(), "no tokens are configured")
}

func TestServeIsReadyBeforeTheFirstRow(t *testing.T) {
	t.Setenv("ROWVEC_CLI_TEST_KEY", endpointKey)
	s := serve(t, function(t, "http://127.0.0.1:1/v1", chromatest.New(t).URL))
	require.Eventually(t, func() bool {
		code, _ := s.ask(t, http.MethodGet, "/readyz", "", "")
		return code == http.StatusOK
	}, 10*time.Second, 20*time.Millisecond)
	require.Eventually(t, func() bool { // readiness waits for no count
		_, text := s.ask(t, http.MethodGet, "/v1/status", "", "")
		return strings.Contains(text, `"records":0,"rows":0,`)
	}, 10*time.Second, 20*time.Millisecond)
}

// TestServeIsReadyWhileItCounts: a collection that takes minutes to count, or cannot be counted, answers searches all the same.
func TestServeIsReadyWhileItCounts(t *testing.T) {
	t.Setenv("ROWVEC_CLI_TEST_KEY", endpointKey)
	for name, answer := range map[string]*chromatest.Response{"slow": {Before: t.Context().Done()}, "refused": {Status: http.StatusInternalServerError}} {
		t.Run(name, func(t *testing.T) {
			server := chromatest.New(t)
			server.Control(func(r chromatest.Request) *chromatest.Response {
				if r.Op == "heartbeat" {
					return nil
				}
				return answer
			})
			s := serve(t, function(t, "http://127.0.0.1:1/v1", server.URL))
			require.Eventually(t, func() bool {
				code, _ := s.ask(t, http.MethodGet, "/readyz", "", "")
				return code == http.StatusOK && server.Counts()["collection"] > 0
			}, 10*time.Second, 20*time.Millisecond)
			_, text := s.ask(t, http.MethodGet, "/v1/status", "", "")
			require.Contains(t, text, `"records":null,"rows":null,`)
			require.Contains(t, text, `"chroma":{"ok":true}`)
		})
	}
}

// TestServeKeepsItsSecrets: nobody who is asked behind the gateway answers, which is when addresses and tokens get into logs.
func TestServeKeepsItsSecrets(t *testing.T) {
	t.Setenv("ROWVEC_CLI_TEST_KEY", endpointKey)
	t.Setenv("ROWVEC_CLI_TEST_SHOP", shopToken)
	t.Setenv("ROWVEC_CLI_TEST_PULSAR", pulsarToken)
	t.Setenv("ROWVEC_CLI_TEST_DB", "postgres://rowvec:"+dbPassword+"@127.0.0.1:1/store")
	const more = `userConfig:
  gateway: {tokens: [{name: shop, token: {secret: ROWVEC_CLI_TEST_SHOP}}]}
  pulsar: {adminURL: "http://127.0.0.1:1", serviceURL: "pulsar://127.0.0.1:1", token: {secret: ROWVEC_CLI_TEST_PULSAR}}
  postgres: {url: {secret: ROWVEC_CLI_TEST_DB}}`
	s := serve(t, function(t, "http://127.0.0.1:1/v1", "http://127.0.0.1:1", "userConfig:", more))

	var answers strings.Builder
	for _, c := range []struct {
		method, path, token string
		want                int
	}{
		{http.MethodGet, "/v1/search?q=x", "", http.StatusUnauthorized},
		{http.MethodGet, "/v1/search?q=x", shopToken + "x", http.StatusUnauthorized},
		{http.MethodGet, "/v1/search?q=x", shopToken, http.StatusServiceUnavailable},
		{http.MethodGet, "/v1/tables/app.articles/rows/1", shopToken, http.StatusServiceUnavailable},
		{http.MethodGet, "/readyz", "", http.StatusServiceUnavailable},
	} {
		code, text := s.ask(t, c.method, c.path, "", c.token)
		require.Equal(t, c.want, code, "%s: %s", c.path, text)
		answers.WriteString(text)
	}
	require.Eventually(t, func() bool {
		code, text := s.ask(t, http.MethodGet, "/v1/status", "", shopToken)
		answers.WriteString(text)
		for _, who := range []string{"Postgres", "Chroma", "Pulsar's admin interface"} {
			if !strings.Contains(text, who+" gave no good answer") {
				return false
			}
		}
		return code == http.StatusOK
	}, 20*time.Second, 50*time.Millisecond)
	require.Equal(t, 0, s.stop(), s.log)
	for _, from := range []string{"Postgres", "Chroma", "Pulsar's admin interface"} {
		require.Contains(t, s.log.String(), `"from":"`+from+`"`)
	}
	for _, secret := range []string{shopToken, endpointKey, pulsarToken, dbPassword} {
		require.NotContains(t, s.log.String(), secret)
		require.NotContains(t, answers.String(), secret)
	}
	require.NotContains(t, answers.String(), "127.0.0.1", "no addresses of what is behind")
}

// TestServeKeepsNoVectorsWhereNoneAreWanted: 0 entries are none, not as many as by default.
func TestServeKeepsNoVectorsWhereNoneAreWanted(t *testing.T) {
	t.Setenv("ROWVEC_CLI_TEST_KEY", endpointKey)
	file := index(t, "m", record{"1", "boots", nil})
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	for settings, cached := range map[string]string{"": `"cached":true`, "  gateway: {cache: {entries: 0}}\n": `"cached":false`} {
		require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(text), "userConfig:\n", "userConfig:\n"+settings, 1)), 0o600))
		s := serve(t, file)
		_, first := s.ask(t, http.MethodGet, "/v1/search?q=boots", "", "")
		require.Contains(t, first, `"cached":false`)
		_, again := s.ask(t, http.MethodGet, "/v1/search?q=boots", "", "")
		require.Contains(t, again, cached, settings)
		require.Equal(t, 0, s.stop(), s.log)
	}
}

// TestServeWarnsOfTokensInTheClear: on any address but this machine's, unless it speaks TLS itself.
func TestServeWarnsOfTokensInTheClear(t *testing.T) {
	t.Setenv("ROWVEC_CLI_TEST_KEY", endpointKey)
	t.Setenv("ROWVEC_CLI_TEST_SHOP", shopToken)
	file := function(t, "http://127.0.0.1:1/v1", "http://127.0.0.1:1", "userConfig:", "userConfig:\n  gateway: {tokens: [{name: shop, token: {secret: ROWVEC_CLI_TEST_SHOP}}]}")
	for listen, warns := range map[string]bool{"0.0.0.0:0": true, "127.0.0.1:0": false} {
		s := serveOn(t, file, listen)
		require.Equal(t, 0, s.stop(), s.log)
		require.Equal(t, warns, strings.Contains(s.log.String(), "in the clear: set userConfig.gateway.tls"), s.log)
		require.NotContains(t, s.log.String(), "no tokens are configured")
	}
}

func TestServeNamesTheWrongSetting(t *testing.T) {
	t.Setenv("ROWVEC_CLI_TEST_KEY", endpointKey)
	t.Setenv("ROWVEC_CLI_TEST_SHORT", "short")
	noPEM := filepath.Join(t.TempDir(), "no.pem")
	require.NoError(t, os.WriteFile(noPEM, []byte("planted"), 0o600))
	t.Setenv("ROWVEC_CLI_TEST_DB", "postgres://rowvec:"+dbPassword+"@127.0.0.1:port/store")
	for _, c := range []struct{ settings, listen, want string }{
		{"  gateway: {listn: x}", "", "userConfig.gateway.listn: unknown setting; did you mean listen?"},
		{"", "8090", "userConfig.gateway.listen: expected host:port"},
		{"", "0.0.0.0:0", "userConfig.gateway.listen: without userConfig.gateway.tokens only a loopback address"},
		{"", "127.0.0.1:-1", "userConfig.gateway.listen"},
		{"  gateway: {tokens: [{name: a, token: {secret: ROWVEC_CLI_TEST_NONE}}]}", "", "userConfig.gateway.tokens[0].token: secret ROWVEC_CLI_TEST_NONE"},
		{"  gateway: {tokens: [{name: a, token: {secret: ROWVEC_CLI_TEST_SHORT}}]}", "", "userConfig.gateway.tokens[0].token: expected at least 16"},
		{"  gateway: {tls: {cert: /nowhere/c.pem, key: /nowhere/k.pem}}", "", "userConfig.gateway.tls"},
		{"  gateway: {tls: {cert: " + noPEM + ", key: " + noPEM + "}}", "", "userConfig.gateway.tls: expected a certificate and its key, as PEM files"},
		{"  pulsar: {serviceURL: localhost}", "", "userConfig.pulsar.serviceURL"},
		{"  pulsar: {token: {secret: ROWVEC_CLI_TEST_NONE}}", "", "userConfig.pulsar.token: secret ROWVEC_CLI_TEST_NONE"},
		{"  postgres: {url: {secret: ROWVEC_CLI_TEST_DB}}", "", "userConfig.postgres.url"},
	} {
		args := []string{"serve", "-f", function(t, "http://127.0.0.1:1/v1", "http://127.0.0.1:1", "userConfig:", "userConfig:\n"+c.settings), "--listen", "127.0.0.1:0"}
		if c.listen != "" {
			args[len(args)-1] = c.listen
		}
		got := run(t, args...)
		require.Equal(t, 1, got.code, c.want)
		require.Contains(t, got.stderr, c.want)
		require.NotContains(t, got.stderr, dbPassword)
		require.Empty(t, got.stdout, c.want)
	}
	require.Equal(t, 2, run(t, "serve", "extra").code)
}
