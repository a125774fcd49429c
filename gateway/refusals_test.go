package gateway_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/gateway/problem"
)

// TestRefusedRequestsAreCounted: who tries tokens, or asks too much, must show.
func TestRefusedRequestsAreCounted(t *testing.T) {
	t.Parallel()
	g := newGateway(t, filled(), func(g *config.Gateway) {
		twoTokens(g)
		g.Tokens[0].RequestsPerMinute = 20 // two at once
		g.MaxBody = 2000
	})
	for _, c := range []call{
		get("/v1/status"), get("/v1/status").with("wrong-wrong-wrong-wrong"), get("/v1/nothing").with("wrong-wrong-wrong-wrong"),
		get("/v1/tables/app.orders/rows/4711").with(shopToken), get("/v1/status").with(shopToken), get("/v1/status").with(shopToken),
		post("/v1/search", strings.Repeat("x", 3000)).with(opsToken), get("/v1//status"),
	} {
		do(t, g, c)
	}
	w, _ := do(t, g, get("/metrics").with(opsToken))
	for _, want := range []string{
		`rowvec_gateway_requests_total{code="401",route="GET /v1/status"} 2`,
		`rowvec_gateway_requests_total{code="401",route="none"} 1`,
		`rowvec_gateway_requests_total{code="403",route="GET /v1/tables/{table}/rows/{id}"} 1`,
		`rowvec_gateway_requests_total{code="429",route="GET /v1/status"} 1`,
		`rowvec_gateway_requests_total{code="413",route="POST /v1/search"} 1`,
		`rowvec_gateway_requests_total{code="404",route="none"} 1`,
		`rowvec_gateway_token_requests_total{code="200",token="shop"} 1`,
		`rowvec_gateway_token_requests_total{code="403",token="shop"} 1`,
		`rowvec_gateway_token_requests_total{code="429",token="shop"} 1`,
		`rowvec_gateway_token_requests_total{code="413",token="ops"} 1`,
	} {
		require.Contains(t, w.Body.String(), want+"\n")
	}
	require.Equal(t, 4, strings.Count(w.Body.String(), "rowvec_gateway_token_requests_total{"), "names that are configured, no others")
	require.NotContains(t, w.Body.String(), "4711")
	require.Contains(t, w.Body.String(), `rowvec_gateway_request_duration_seconds_count{route="GET /v1/status"} 1`+"\n", "what is refused is no answer's time")

	g = newGateway(t, filled(), open)
	do(t, g, get("/v1/status").header1("Host", "evil.example"))
	w, _ = do(t, g, get("/metrics"))
	require.Contains(t, w.Body.String(), `rowvec_gateway_requests_total{code="403",route="GET /v1/status"} 1`)
}

// TestWrongTokensAreToldNowAndThen: the log says that somebody tries tokens and from where, and is not filled by it.
func TestWrongTokensAreToldNowAndThen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		g, _ := watched(t, filled(), twoTokens, slog.New(slog.NewTextHandler(&log, nil)))
		for range 50 {
			do(t, g, get("/v1/status").with("wrong-wrong-wrong-wrong"))
		}
		require.Equal(t, 1, strings.Count(log.String(), "\n"), log.String())
		require.Contains(t, log.String(), "level=WARN")
		require.Contains(t, log.String(), "from=192.0.2.1")
		<-time.After(11 * time.Second) // the bubble's clock
		do(t, g, get("/v1/status"))
		require.Equal(t, 2, strings.Count(log.String(), "\n"), log.String())
		require.Contains(t, log.String(), "untold_before=49")
		require.NotContains(t, log.String(), "wrong-")
		do(t, g, get("/v1/status").with(opsToken))
		do(t, g, get("/v1/tables/app.orders/rows/1").with(shopToken))
		require.Equal(t, 2, strings.Count(log.String(), "\n"), "a good token is none of them")
	})
}

// TestEveryRefusalIsAProblemDocument: one form of error, whoever refuses.
func TestEveryRefusalIsAProblemDocument(t *testing.T) {
	t.Parallel()
	g := newGateway(t, filled(), open)
	for _, tt := range []struct {
		call  call
		code  int
		allow string
	}{
		{post("/healthz", "x"), http.StatusMethodNotAllowed, "GET, HEAD"},
		{post("/metrics", "x"), http.StatusMethodNotAllowed, "GET, HEAD"},
		{post("/openapi.json", "{}"), http.StatusMethodNotAllowed, "GET, HEAD"},
		{call{method: http.MethodPut, path: "/v1/search"}, http.StatusMethodNotAllowed, "GET, HEAD, POST"},
		{call{method: http.MethodOptions, path: "/v1/search"}, http.StatusMethodNotAllowed, "GET, HEAD, POST"},
		{call{method: http.MethodDelete, path: "/v1/tables/app.articles/rows/1"}, http.StatusMethodNotAllowed, "GET, HEAD"},
		{get("/v1//search?q=x"), http.StatusNotFound, ""},
		{get("//v1/search?q=x"), http.StatusNotFound, ""},
		{get("/v1/tables/app.articles/rows/.."), http.StatusNotFound, ""},
		{get("/v1/tables/app.articles/rows/."), http.StatusNotFound, ""},
		{get("/v1/tables/app.articles/rows//"), http.StatusNotFound, ""},
		{get("/v1"), http.StatusNotFound, ""},
		{get("/v1/status/"), http.StatusNotFound, ""},
		{get("/nothing"), http.StatusNotFound, ""},
		{post("/nothing", "x"), http.StatusNotFound, ""},
	} {
		w, answer := do(t, g, tt.call)
		require.Equal(t, tt.code, w.Code, "%+v", tt.call)
		require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"), "%+v", tt.call)
		require.Equal(t, tt.allow, w.Header().Get("Allow"), "%+v", tt.call)
		require.InDelta(t, tt.code, answer["status"], 0)
		require.NotEmpty(t, answer["detail"])
	}
}

// TestARefusalRepeatsNoValue: what was sent may be a secret, and answers are kept in logs. Where it stood is told.
func TestARefusalRepeatsNoValue(t *testing.T) {
	t.Parallel()
	g := newGateway(t, searched(t), open)
	ask := func(more string) call { return post("/v1/search", `{"table":"app.articles","query":"q",`+more+`}`) }
	for _, c := range []call{
		post("/v1/search", `{"table":"app.articles","query":"planted"`), post("/v1/search", `{"table":"app.articles","query":["planted"]}`),
		ask(`"topK":"planted"`), get("/v1/search?table=app.articles&q=x&topK=planted"), ask(`"more":"planted"`), ask(`"topK":4711e999`), ask(`"topK":4711.5`),
		ask(`"where":{"price":4711e999}`), ask(`"where":{"price":{"$gt":"planted"}}`), ask(`"where":{"price":{"$in":"planted"}}`), ask(`"where":{"price":{"$in":4711}}`),
		ask(`"where":{"$and":"planted"}`), ask(`"where":{"$or":["planted"]}`), ask(`"where":{"$or":[4711]}`), ask(`"where":{"price":["planted"]}`),
		ask(`"where":{"price":{"$in":["planted",4711]}}`), ask(`"where":"planted"`), ask(`"minScore":"planted"`), ask(`"collection":"planted"`),
	} {
		w, answer := do(t, g, c)
		require.Contains(t, []int{http.StatusBadRequest, http.StatusUnprocessableEntity}, w.Code, c.body)
		require.NotContains(t, w.Body.String(), "planted", c.body)
		require.NotContains(t, w.Body.String(), "4711", c.body)
		details, _ := answer["errors"].([]any)
		require.NotEmpty(t, details, w.Body.String())
		for _, d := range details {
			require.NotEmpty(t, d.(map[string]any)["location"])
			require.NotEmpty(t, d.(map[string]any)["message"])
			require.Len(t, d, 2)
		}
	}
	for _, c := range []call{
		post("/v1/search", `{"table":"app.planted","query":"q"}`), get("/v1/tables/app.planted/rows/planted"), get("/v1/tables/app.planted/rows/planted/similar"),
		get("/v1/features/planted/planted"), get("/v1/planted"),
	} {
		w, _ := do(t, g, c)
		require.Equal(t, http.StatusNotFound, w.Code, c.path)
		require.NotContains(t, w.Body.String(), "planted")
	}
	_, document := do(t, g, get("/openapi.json"))
	schemas := document["components"].(map[string]any)["schemas"].(map[string]any)
	require.NotContains(t, schemas["ErrorDetail"].(map[string]any)["properties"], "value")
}

// TestARefusalNamesTheFieldAndIsShort: a name is told as it was sent, up to a length.
func TestARefusalNamesTheFieldAndIsShort(t *testing.T) {
	t.Parallel()
	g := newGateway(t, searched(t), open)
	for _, name := range []string{"colour", strings.Repeat("é", 9_000)} {
		for _, c := range []struct {
			call     call
			location string
		}{
			{post("/v1/search", `{"table":"app.articles","query":"q","where":{"`+name+`":1}}`), "body.where." + name},
			{post("/v1/search", `{"table":"app.articles","query":"q","where":{"`+name+`":{"$gt":"x"}}}`), "body.where." + name},
			{post("/v1/search", `{"table":"app.articles","query":"q","`+name+`":1}`), "body." + name},
			{get("/v1/search?table=app.articles&q=x&" + url.QueryEscape(name) + "=1"), "query." + name},
		} {
			w, answer := do(t, g, c.call)
			require.Contains(t, []int{http.StatusBadRequest, http.StatusUnprocessableEntity}, w.Code)
			require.Less(t, w.Body.Len(), 1_000)
			location, _ := answer["errors"].([]any)[0].(map[string]any)["location"].(string)
			require.LessOrEqual(t, len(location), problem.MaxLocation)
			require.True(t, strings.HasPrefix(c.location, strings.TrimSuffix(location, "…")), location)
			require.True(t, utf8.ValidString(location))
			if len(c.location) <= problem.MaxLocation {
				require.Equal(t, c.location, location, "all of it")
			}
		}
	}
}
