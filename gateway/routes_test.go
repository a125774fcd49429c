package gateway_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/search"
)

func TestASearchTellsRowChunkAndOffsets(t *testing.T) {
	t.Parallel()
	x := filled()
	g := newGateway(t, x, open)
	w, answer := do(t, g, post("/v1/search", `{"table":"app.articles","query":"boots","topK":3,"where":{"price":{"$lt":10}},"contains":"mud","minScore":0.5,"groupByRow":false}`))
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	least := .5
	require.Equal(t, []search.Query{{
		Table: "app.articles", Text: "boots", TopK: 3, Where: map[string]any{"price": map[string]any{"$lt": json.Number("10")}}, Contains: "mud", MinScore: &least,
	}}, x.asked)
	require.Equal(t, map[string]any{
		"id": "42", "table": "app.articles", "key": []any{map[string]any{"column": "id", "value": "42"}}, "score": .75, "distance": .25,
		"text": "<b>boots</b>\nfor mud", "snippet": "<b>boots</b> for mud", "metadata": map[string]any{"price": 9.5},
		"chunk": map[string]any{"index": 1.0, "count": 3.0, "start": 10.0, "end": 30.0},
	}, answer["rows"].([]any)[0])
	require.Equal(t, "articles", answer["collection"])
	took := answer["tookMs"].(map[string]any)
	require.InDelta(t, 2, took["embed"], 1e-9)
	require.InDelta(t, 3, took["index"], 1e-9)
}

func TestASearchHasDefaults(t *testing.T) {
	t.Parallel()
	x := filled()
	g := newGateway(t, x, open)
	w, _ := do(t, g, post("/v1/search", `{"collection":"orders","query":"boots"}`))
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	w, _ = do(t, g, get("/v1/search?table=app.articles&q=warm%20boots&topK=2"))
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	require.Equal(t, []search.Query{
		{Table: "app.orders", Text: "boots", TopK: 10, GroupByRow: true}, {Table: "app.articles", Text: "warm boots", TopK: 2, GroupByRow: true},
	}, x.asked)
}

func TestAStoredRow(t *testing.T) {
	t.Parallel()
	x := filled()
	g := newGateway(t, x, open)
	w, answer := do(t, g, get("/v1/tables/app.articles/rows/a%2Fb%20%C3%A9?vector=true"))
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	require.Equal(t, search.Query{Table: "app.articles", Text: "a/b é", GroupByRow: true}, x.asked[0])
	require.Equal(t, map[string]any{"lsn": "1152921504606846976", "commitTime": "1970-01-01T00:00:01Z"}, answer["version"])
	require.Equal(t, "m-of-the-collection", answer["model"])
	require.Equal(t, []any{map[string]any{"index": 0.0, "count": 1.0, "start": 0.0, "end": 13.0, "vector": []any{1.0, 0.0}}}, answer["chunks"])

	w, answer = do(t, g, get("/v1/tables/app.articles/rows/42/similar?topK=3"))
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	require.Equal(t, 3, x.asked[1].TopK)
	require.Len(t, answer["rows"], 1)
}

func TestFeaturesOfAnEntity(t *testing.T) {
	t.Parallel()
	x := filled()
	g := newGateway(t, x, open)
	w, answer := do(t, g, get("/v1/features/article/42"))
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	require.Equal(t, []any{1.0, 0.0}, answer["vector"])
	require.Equal(t, "m-of-the-collection", answer["model"], "not that of the settings")
	require.InDelta(t, 2, answer["dimensions"], 0)
	require.Equal(t, "app.articles", answer["table"])

	w, _ = do(t, g, get("/v1/features/order/7/similar"))
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, search.Query{Table: "app.orders", Text: "7", TopK: 10}, x.asked[1])

	w, _ = do(t, g, get("/v1/features/nobody/7"))
	require.Equal(t, http.StatusNotFound, w.Code)
}

func TestWhatGoesWrongIsToldWithoutWhatIsBehind(t *testing.T) {
	t.Parallel()
	const secret = "http://10.0.0.7:8000 said planted"
	for _, tt := range []struct {
		err    error
		status int
		retry  string
	}{
		{&search.Error{Kind: search.Invalid, Field: "where.price", Message: "expected a number"}, http.StatusBadRequest, ""},
		{&search.Error{Kind: search.NotFound, Message: "the index holds no such row"}, http.StatusNotFound, ""},
		{&search.Error{Kind: search.Unavailable, Service: search.Chroma, Message: "the index cannot be reached"}, http.StatusServiceUnavailable, "1"},
		{&search.Error{Kind: search.Misconfigured, Service: search.Embedding, Message: "the settings must change"}, http.StatusBadGateway, ""},
		{errors.New(secret), http.StatusInternalServerError, ""},
	} {
		x := filled()
		x.err = tt.err
		g := newGateway(t, x, open)
		for _, c := range []call{post("/v1/search", `{"table":"app.articles","query":"q"}`), get("/v1/tables/app.articles/rows/1"), get("/v1/tables/app.articles/rows/1/similar"), get("/v1/features/article/1")} {
			w, answer := do(t, g, c)
			require.Equal(t, tt.status, w.Code, c.path)
			require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
			require.Equal(t, tt.retry, w.Header().Get("Retry-After"))
			require.InDelta(t, tt.status, answer["status"], 0)
			require.NotContains(t, w.Body.String(), "planted")
			require.NotEmpty(t, answer["detail"])
		}
	}
	x := filled()
	x.err = &search.Error{Kind: search.Invalid, Field: "where.price", Message: "expected a number"}
	_, answer := do(t, newGateway(t, x, open), post("/v1/search", `{"table":"app.articles","query":"q"}`))
	require.Equal(t, []any{map[string]any{"location": "body.where.price", "message": "expected a number"}}, answer["errors"])
}

func TestBadRequestsAreRefusedBeforeAnybodyIsAsked(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		call   call
		status int
	}{
		{post("/v1/search", `{"table":"app.articles"}`), 422},
		{post("/v1/search", `{"table":"app.articles","query":""}`), 422},
		{post("/v1/search", `{"table":"app.articles","query":"q","topK":0}`), 422},
		{post("/v1/search", `{"table":"app.articles","query":"q","topK":101}`), 422},
		{post("/v1/search", `{"table":"app.articles","query":"q","where":"1=1"}`), 422},
		{post("/v1/search", `{"table":"app.articles","query":"q","limit":1}`), 422},
		{post("/v1/search", `{"query":"q"}`), 400},
		{post("/v1/search", `{"table":"app.articles","collection":"articles","query":"q"}`), 400},
		{post("/v1/search", `{"collection":"nothing","query":"q"}`), 400},
		{post("/v1/search", `{"table":`), 400},
		{post("/v1/search", `{"table":"app.articles","query":"q"}`).header1("Content-Type", "text/xml"), 415},
		{get("/v1/search?table=app.articles"), 422},
		{get("/v1/search?table=app.articles&q=x&topK=many"), 422},
		{get("/v1/search?table=app.articles&q=x&topk=3"), 422},
		{get("/v1/tables/app.articles/rows/1/similar?topK=21"), 422},
		{get("/v1/nothing"), 404},
		{get("/v1/tables/app.articles/rows/1/more"), 404},
		{call{method: http.MethodPut, path: "/v1/search"}, 405},
		{call{method: http.MethodDelete, path: "/v1/tables/app.articles/rows/1"}, 405},
		{call{method: http.MethodPost, path: "/v1/status"}, 405},
	} {
		x := filled()
		w, _ := do(t, newGateway(t, x, open), tt.call)
		require.Equal(t, tt.status, w.Code, "%+v: %s", tt.call, w.Body.String())
		require.Contains(t, w.Header().Get("Content-Type"), "application/problem+json", "%+v", tt.call)
		require.Empty(t, x.asked, "%+v", tt.call)
	}
}

func TestTheDocumentNamesEveryRoute(t *testing.T) {
	t.Parallel()
	g := newGateway(t, filled(), twoTokens)
	w, document := do(t, g, get("/openapi.json"))
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "3.1.0", document["openapi"])
	paths := document["paths"].(map[string]any)
	for _, path := range []string{
		"/v1/search", "/v1/tables/{table}/rows/{id}", "/v1/tables/{table}/rows/{id}/similar", "/v1/features/{entity}/{id}",
		"/v1/features/{entity}/{id}/similar", "/v1/status", "/v1/events",
	} {
		require.Contains(t, paths, path)
	}
	require.Len(t, paths, 7)
	events, err := json.Marshal(paths["/v1/events"])
	require.NoError(t, err)
	for _, name := range []string{"hello", "history", "status", "tick", "change", "Last-Event-ID", "take the place of everything", "five minutes", "20,000 events", "16 MiB"} {
		require.Contains(t, string(events), name)
	}
	require.NotEmpty(t, document["security"])
}

// TestTheDescriptionOfTheStatusKnowsNull: what is not known is null, and a client made from the document must take it.
func TestTheDescriptionOfTheStatusKnowsNull(t *testing.T) {
	t.Parallel()
	_, document := do(t, newGateway(t, filled(), open), get("/openapi.json"))
	at := func(path ...string) any {
		var v any = document
		for _, key := range path {
			m, ok := v.(map[string]any)
			require.True(t, ok, path)
			v = m[key]
		}
		return v
	}
	for _, p := range [][2]string{{"TableStatus", "freshnessMs"}, {"Sources", "postgres"}} {
		require.Contains(t, at("components", "schemas", p[0], "properties", p[1], "anyOf"), map[string]any{"type": "null"}, p)
	}
	require.Equal(t, []any{"integer", "null"}, at("components", "schemas", "TableStatus", "properties", "backlog", "type"))
}
