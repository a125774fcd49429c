package gateway_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/config"
)

// lines is a log that is read while it is written; each line wakes who waits.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
	news chan struct{}
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.news <- struct{}{}:
	default:
	}
	return l.text.Write(p)
}

func (l *lines) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Contains(l.text.Bytes(), []byte(text))
}

// TestTheServersOwnErrorsAreLinesOfTheLog: somebody speaks plain HTTP, and then nonsense, to a gateway with TLS.
func TestTheServersOwnErrorsAreLinesOfTheLog(t *testing.T) {
	t.Parallel()
	files, pool := certificate(t)
	log := &lines{news: make(chan struct{}, 1)}
	g, _ := watched(t, filled(), func(g *config.Gateway) { g.TLS = files }, slog.New(slog.NewJSONHandler(log, nil)))
	address, _, _ := serve(t, g)

	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address+"/healthz", http.NoBody)
	require.NoError(t, err)
	answer, err := (&http.Client{Transport: transport}).Do(r)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusOK, answer.StatusCode)

	text, err := io.ReadAll(dial(t, address, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"))
	require.NoError(t, err)
	require.Contains(t, string(text), "400 Bad Request")
	_, _ = io.ReadAll(dial(t, address, "nonsense that is no handshake\r\n\r\n"))
	for !log.has(`"level":"WARN","msg":"http: TLS handshake error from 127.0.0.1`) {
		select {
		case <-log.news:
		case <-time.After(10 * time.Second):
			require.Fail(t, "the error is not in the log", log.text.String())
		}
	}
}
