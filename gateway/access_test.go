package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/config"
)

func TestATokenOpensItsTablesOnly(t *testing.T) {
	t.Parallel()
	x := filled()
	g := newGateway(t, x, twoTokens)
	for _, c := range []call{
		get("/v1/search?table=app.orders&q=x"), post("/v1/search", `{"table":"app.orders","query":"q"}`), get("/v1/tables/app.orders/rows/1"),
		get("/v1/tables/app.orders/rows/1/similar"), get("/v1/features/order/1"), get("/v1/features/order/1/similar"),
		get("/v1/features/nobody/1"), get("/v1/features/nobody/1/similar"),
		get("/v1/tables/app.nothing/rows/1"), get("/metrics"),
	} {
		w, _ := do(t, g, c.with(shopToken))
		require.Equal(t, http.StatusForbidden, w.Code, c.path)
		require.NotContains(t, w.Body.String(), "orders")
		other, _ := do(t, g, call{method: c.method, path: strings.NewReplacer("/order/", "/nobody/").Replace(c.path), body: c.body}.with(shopToken))
		require.Equal(t, w.Body.String(), other.Body.String(), "which entities there are is not told")
	}
	require.Empty(t, x.asked)
	w, _ := do(t, g, post("/v1/search", `{"collection":"orders","query":"q"}`).with(shopToken))
	require.Equal(t, http.StatusBadRequest, w.Code)
	w, _ = do(t, g, post("/v1/search", `{"query":"q"}`).with(shopToken))
	require.Equal(t, http.StatusOK, w.Code, "one open table need not be named")
	require.Equal(t, "app.articles", x.asked[0].Table)

	w, _ = do(t, g, get("/v1/status").with(shopToken))
	require.Equal(t, http.StatusOK, w.Code)
	require.NotContains(t, w.Body.String(), "orders")
	for _, path := range []string{"/v1/status", "/metrics", "/v1/tables/app.orders/rows/1"} {
		w, _ = do(t, g, get(path).with(opsToken))
		require.Equal(t, http.StatusOK, w.Code, path)
	}
}

func TestWithoutATokenOnlyThePublicPathsAnswer(t *testing.T) {
	t.Parallel()
	x := filled()
	g := newGateway(t, x, twoTokens)
	for _, c := range []call{
		get("/v1/search?q=x"), post("/v1/search", `{`), get("/v1/tables/app.articles/rows/1"), get("/v1/status"), get("/v1/events"), get("/metrics"),
		get("/v1/nothing"), get("/v1/search?q=x").with("wrong-wrong-wrong-wrong"), get("/v1"), get("/%761/status"), get("/v1%2Fstatus"),
		{method: http.MethodPut, path: "/v1/search"},
		get("/openapi.yaml"),
	} {
		w, _ := do(t, g, c)
		require.Equal(t, http.StatusUnauthorized, w.Code, "%+v", c)
	}
	require.Empty(t, x.asked)
	for path, code := range map[string]int{"/healthz": 200, "/openapi.json": 200, "/readyz": 503} {
		w, _ := do(t, g, get(path))
		require.Equal(t, code, w.Code, path)
	}
}

func TestABodyOverTheLimitIsRefused(t *testing.T) {
	t.Parallel()
	x := filled()
	g := newGateway(t, x, func(g *config.Gateway) { g.MaxBody = 2000 })
	big := `{"table":"app.articles","query":"` + strings.Repeat("x", 3000) + `"}`
	w, _ := do(t, g, post("/v1/search", big))
	require.Equal(t, http.StatusRequestEntityTooLarge, w.Code)

	unknownLength := http.Header{}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:8090/v1/search", struct{ *strings.Reader }{strings.NewReader(big)})
	require.NoError(t, err)
	r.Header = unknownLength
	r.Header.Set("Content-Type", "application/json")
	recorder := newRecorder(g, r)
	require.Equal(t, http.StatusRequestEntityTooLarge, recorder.Code, recorder.Body.String())
	require.Empty(t, x.asked)
}

func TestOnlyConfiguredOriginsMayAsk(t *testing.T) {
	t.Parallel()
	g := newGateway(t, filled(), func(g *config.Gateway) { g.Origins = []string{"https://shop.example"} })
	for origin, allowed := range map[string]string{"https://shop.example": "https://shop.example", "https://evil.example": "", "https://shop.example.evil": ""} {
		w, _ := do(t, g, get("/v1/search?table=app.articles&q=x").header1("Origin", origin))
		require.Equal(t, allowed, w.Header().Get("Access-Control-Allow-Origin"), origin)
		require.Equal(t, map[bool]int{true: http.StatusOK, false: http.StatusForbidden}[allowed != ""], w.Code, origin)
	}
	// One comparison for those who are let in and for what their browsers are told.
	for _, c := range []struct{ configured, origin string }{
		{"https://shop.example", "https://SHOP.example"}, {"https://Shop.example", "https://shop.example"}, {"https://*", "https://evil.example"}, {"*", "https://evil.example"},
	} {
		g := newGateway(t, filled(), func(g *config.Gateway) { g.Origins = []string{c.configured} })
		w, _ := do(t, g, get("/v1/search?table=app.articles&q=x").header1("Origin", c.origin))
		require.Empty(t, w.Header().Get("Access-Control-Allow-Origin"), c)
		require.Equal(t, http.StatusForbidden, w.Code, c)
	}
	preflight := call{method: http.MethodOptions, path: "/v1/search", header: map[string]string{
		"Origin": "https://shop.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type",
	}}
	w, _ := do(t, g, preflight)
	require.Equal(t, http.StatusNoContent, w.Code)
	require.Equal(t, "POST", w.Header().Get("Access-Control-Allow-Methods"))
	w, _ = do(t, newGateway(t, filled(), open), get("/v1/search?table=app.articles&q=x").header1("Origin", "https://shop.example"))
	require.Empty(t, w.Header().Get("Access-Control-Allow-Origin"), "without origins nobody else's page may ask")
}

func TestEveryAnswerForbidsGuessing(t *testing.T) {
	t.Parallel()
	g := newGateway(t, filled(), open)
	for _, path := range []string{"/v1/search?table=app.articles&q=x", "/healthz", "/v1/nothing", "/openapi.json", "/metrics"} {
		w, _ := do(t, g, get(path))
		require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"), path)
		require.Equal(t, "DENY", w.Header().Get("X-Frame-Options"), path)
	}
}

// TestWithoutTokensAForeignNameReachesNothing: a page of another site may point its own name at 127.0.0.1.
func TestWithoutTokensAForeignNameReachesNothing(t *testing.T) {
	t.Parallel()
	g := newGateway(t, filled(), open)
	for _, path := range []string{"/", "/healthz", "/openapi.json", "/readyz", "/v1/search?table=app.articles&q=x", "/v1/status", "/metrics", "/v1/nothing"} {
		w, answer := do(t, g, get(path).header1("Host", "evil.example"))
		require.Equal(t, http.StatusForbidden, w.Code, path)
		require.Contains(t, answer["detail"], "loopback name", path)
	}
	w, _ := do(t, g, get("/").header1("Host", "localhost:8090"))
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "the page", w.Body.String())
	w, _ = do(t, newGateway(t, filled(), twoTokens), get("/").header1("Host", "search.example"))
	require.Equal(t, http.StatusOK, w.Code, "with tokens any name will do")
}

func TestRequestsAreCountedByRoute(t *testing.T) {
	t.Parallel()
	g := newGateway(t, filled(), open)
	do(t, g, get("/v1/tables/app.articles/rows/4711"))
	do(t, g, get("/v1/nowhere/4711"))
	w, _ := do(t, g, get("/metrics"))
	require.Contains(t, w.Body.String(), `rowvec_gateway_requests_total{code="200",route="GET /v1/tables/{table}/rows/{id}"} 1`)
	require.Contains(t, w.Body.String(), `rowvec_gateway_requests_total{code="404",route="none"} 1`)
	require.NotContains(t, w.Body.String(), "4711")
}
