package gateway_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/gateway"
	"github.com/rowvec/rowvec/gateway/access"
	"github.com/rowvec/rowvec/search"
)

// sharing is a gateway of two tables in one collection.
func sharing(t *testing.T, x gateway.Index, edit func(*config.Gateway)) *gateway.Gateway {
	t.Helper()
	c := settings(edit)
	c.Tables = map[string]config.Table{"app.articles": {Collection: "all"}, "app.orders": {Collection: "all"}}
	keeper, err := access.New(c.Gateway, func(name string) (string, bool) {
		return map[string]string{"SHOP": shopToken, "OPS": opsToken}[name], true
	})
	require.NoError(t, err)
	return gateway.New(gateway.Config{Version: "v1", Settings: c, Index: x, Keeper: keeper, Registry: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler)})
}

// TestACollectionIsOneQuestion: one time limit and one vector for all of its tables that the token opens.
func TestACollectionIsOneQuestion(t *testing.T) {
	t.Parallel()
	x := filled()
	x.result.Skipped = []string{"app.orders"}
	g := sharing(t, x, twoTokens)
	w, answer := do(t, g, post("/v1/search", `{"collection":"all","query":"boots","topK":3}`).with(opsToken))
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	require.NotContains(t, answer, "table")
	require.Equal(t, []any{"app.orders"}, answer["skipped"])
	_, _ = do(t, g, post("/v1/search", `{"collection":"all","query":"boots","topK":3}`).with(shopToken))
	require.Equal(t, []search.Query{
		{Tables: []string{"app.articles", "app.orders"}, Text: "boots", TopK: 3, GroupByRow: true},
		{Table: "app.articles", Text: "boots", TopK: 3, GroupByRow: true},
	}, x.asked)
}

func TestWholeNumbersOfAFilterStayWhole(t *testing.T) {
	t.Parallel()
	x := filled()
	w, _ := do(t, newGateway(t, x, open), post("/v1/search", `{"table":"app.articles","query":"q","where":{"id":{"$in":[9007199254740993, -9223372036854775808, 1.5]},"$or":[{"b":9007199254740993}]}}`))
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	require.Equal(t, map[string]any{
		"id":  map[string]any{"$in": []any{json.Number("9007199254740993"), json.Number("-9223372036854775808"), json.Number("1.5")}},
		"$or": []any{map[string]any{"b": json.Number("9007199254740993")}},
	}, x.asked[0].Where)

	x.result.Hits[0].Metadata, x.row.Metadata = map[string]any{"id": int64(1<<53 + 1)}, map[string]any{"id": int64(1<<53 + 1)}
	for _, c := range []call{get("/v1/search?table=app.articles&q=x"), get("/v1/tables/app.articles/rows/1"), get("/v1/features/article/1")} {
		w, _ = do(t, newGateway(t, x, open), c)
		require.Contains(t, w.Body.String(), `"id":9007199254740993`)
	}
}

// TestAMismatchIsTold: of model or dimensions, with both, and nothing of what is behind.
func TestAMismatchIsTold(t *testing.T) {
	t.Parallel()
	for _, message := range []string{`made with the model "m-1", and questions with "m-2"`, "have 384 dimensions, and those of questions 768"} {
		x := filled()
		x.err = &search.Error{Kind: search.Misconfigured, Service: search.Embedding, Message: message}
		for _, c := range []call{get("/v1/search?table=app.articles&q=x"), get("/v1/tables/app.articles/rows/1/similar"), get("/v1/features/article/1/similar")} {
			w, answer := do(t, newGateway(t, x, open), c)
			require.Equal(t, http.StatusBadGateway, w.Code)
			require.Equal(t, message, answer["detail"])
		}
	}
}
