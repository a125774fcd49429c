package gateway_test

import (
	"bufio"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/config"
)

// head asks with HEAD on a connection of its own, which it returns for what is asked next.
func head(t *testing.T, address, path string) (*http.Response, *bufio.Reader) {
	t.Helper()
	conn := bufio.NewReader(dial(t, address, fmt.Sprintf("HEAD %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"+
		"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", path)))
	answer, err := http.ReadResponse(conn, &http.Request{Method: http.MethodHead})
	require.NoError(t, err, path)
	require.NoError(t, answer.Body.Close())
	return answer, conn
}

// TestAHeadHoldsNoStream: whoever sends it hears nothing, so nothing that is written would ever tell that they are gone.
func TestAHeadHoldsNoStream(t *testing.T) {
	t.Parallel()
	g := newGateway(t, filled(), func(g *config.Gateway) { g.MaxStreams = 1 })
	address, _, _ := serve(t, g)
	for range 3 {
		answer, conn := head(t, address, "/v1/events")
		require.Equal(t, http.StatusMethodNotAllowed, answer.StatusCode)
		require.Equal(t, "GET", answer.Header.Get("Allow"))
		next, err := http.ReadResponse(conn, nil)
		require.NoError(t, err, "the answer is over")
		require.NoError(t, next.Body.Close())
		require.Equal(t, http.StatusOK, next.StatusCode)
	}
	status, err := bufio.NewReader(dial(t, address, "GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 200 OK\r\n", status, "the only place is free")

	w, _ := do(t, g, post("/v1/events", "x"))
	require.Equal(t, http.StatusMethodNotAllowed, w.Code)
	require.Equal(t, "GET", w.Header().Get("Allow"))
	w, _ = do(t, g, get("/metrics"))
	require.Contains(t, w.Body.String(), `rowvec_gateway_requests_total{code="405",route="none"} 4`)
}

func TestAHeadIsAGetWithoutItsBody(t *testing.T) {
	t.Parallel()
	address, _, _ := serve(t, newGateway(t, filled(), open))
	for path, code := range map[string]int{
		"/v1/search?table=app.articles&q=x": 200, "/v1/tables/app.articles/rows/1": 200, "/v1/tables/app.articles/rows/1/similar": 200,
		"/v1/features/article/1": 200, "/v1/features/article/1/similar": 200, "/v1/status": 200, "/metrics": 200, "/healthz": 200, "/readyz": 503,
		"/openapi.json": 200, "/": 200, "/v1/nothing": 404, "/v1/search?table=app.articles": 422,
	} {
		answer, conn := head(t, address, path)
		require.Equal(t, code, answer.StatusCode, path)
		require.NotEmpty(t, answer.Header.Get("Content-Type"), path)
		next, err := http.ReadResponse(conn, nil)
		require.NoError(t, err, "%s: nothing stands between two answers", path)
		require.NoError(t, next.Body.Close())
		require.Equal(t, http.StatusOK, next.StatusCode, path)
	}
}

func TestAHeadNeedsATokenToo(t *testing.T) {
	t.Parallel()
	g := newGateway(t, filled(), twoTokens)
	w, _ := do(t, g, call{method: http.MethodHead, path: "/v1/events"})
	require.Equal(t, http.StatusUnauthorized, w.Code)
	w, _ = do(t, g, call{method: http.MethodHead, path: "/v1/events", token: shopToken})
	require.Equal(t, http.StatusMethodNotAllowed, w.Code)
}
