package gateway_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/gateway"
	"github.com/rowvec/rowvec/gateway/access"
	"github.com/rowvec/rowvec/gateway/monitor"
	"github.com/rowvec/rowvec/gateway/problem"
	"github.com/rowvec/rowvec/search"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	shopToken = "shop-0123456789abcdef"
	opsToken  = "ops--0123456789abcdef"
)

// index answers as a test says and remembers what it was asked.
type index struct {
	asked  []search.Query
	result *search.Result
	row    *search.Row
	err    error
}

func (x *index) Tables() []string { return []string{"app.articles", "app.orders"} }

func (x *index) Search(_ context.Context, q search.Query) (*search.Result, error) {
	x.asked = append(x.asked, q)
	return x.result, x.err
}

func (x *index) Row(_ context.Context, table, id string, vector bool) (*search.Row, error) {
	x.asked = append(x.asked, search.Query{Table: table, Text: id, GroupByRow: vector})
	return x.row, x.err
}

func (x *index) Similar(_ context.Context, table, id string, topK int) (*search.Result, error) {
	x.asked = append(x.asked, search.Query{Table: table, Text: id, TopK: topK})
	return x.result, x.err
}

func text(s string) *string { return &s }

func filled() *index {
	return &index{
		result: &search.Result{Table: "app.articles", Collection: "articles", Hits: []search.Hit{{
			Table: "app.articles", Row: "42", Key: []search.KeyColumn{{Column: "id", Value: text("42")}}, Record: "42#1", Chunk: 1, Chunks: 3, Start: 10, End: 30,
			Score: .75, Distance: .25, Text: "<b>boots</b>\nfor mud", Metadata: map[string]any{"price": 9.5},
		}}, EmbedTook: 2 * time.Millisecond, IndexTook: 3 * time.Millisecond},
		row: &search.Row{
			Table: "app.articles", ID: "42", Model: "m-of-the-collection", Text: "boots for mud", Metadata: map[string]any{"price": 9.5}, Version: &search.Version{LSN: 1 << 60, CommitTime: time.Unix(1, 0).UTC()},
			Chunks: []search.Chunk{{Record: "42", Start: 0, End: 13, Vector: []float32{1, 0}}}, Vector: []float32{1, 0},
		},
	}
}

func settings(edit func(g *config.Gateway)) *config.Config {
	c := config.Default()
	c.Embedding.Model = "m"
	c.Tables = map[string]config.Table{"app.articles": {Collection: "articles", Entity: "article"}, "app.orders": {Collection: "orders", Entity: "order"}}
	edit(&c.Gateway)
	return &c
}

func open(*config.Gateway) {}

func twoTokens(g *config.Gateway) {
	g.Tokens = []config.AccessToken{
		{Name: "shop", Token: config.Secret{Name: "SHOP"}, Tables: []string{"app.articles"}}, {Name: "ops", Token: config.Secret{Name: "OPS"}, AllTables: true},
	}
}

// newGateway makes one over the index.
func newGateway(t *testing.T, x gateway.Index, edit func(g *config.Gateway)) *gateway.Gateway {
	t.Helper()
	g, _ := watched(t, x, edit, slog.New(slog.DiscardHandler))
	return g
}

// watched is newGateway for those who tell the monitor what happens, or read the log.
func watched(t *testing.T, x gateway.Index, edit func(g *config.Gateway), log *slog.Logger) (*gateway.Gateway, *monitor.Monitor) {
	t.Helper()
	c := settings(edit)
	keeper, err := access.New(c.Gateway, func(name string) (string, bool) {
		v, ok := map[string]string{"SHOP": shopToken, "OPS": opsToken}[name]
		return v, ok
	})
	require.NoError(t, err)
	m := monitor.New(monitor.Config{
		Version: "v1", Tables: []monitor.Table{{Table: "app.articles", Collection: "articles"}, {Table: "app.orders", Collection: "orders"}}, Log: log,
		Function: monitor.FunctionName{Tenant: "public", Namespace: "default", Name: "f"},
		Chroma:   func(context.Context) error { return nil },
		Index: func(context.Context, monitor.Table) (monitor.IndexCounts, error) {
			return monitor.IndexCounts{Records: 7}, nil
		},
	})
	return gateway.New(gateway.Config{
		Version: "v1", Settings: c, Index: x, Keeper: keeper, Registry: prometheus.NewRegistry(), Log: log, Monitor: m,
		Page: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/" {
				problem.New(http.StatusNotFound, "no such file").Write(w)
				return
			}
			_, _ = io.WriteString(w, "the page")
		}),
	}), m
}

// call is one request.
type call struct {
	method, path, body, token string
	header                    map[string]string
}

// do answers a request and decodes the answer, if it is JSON.
func do(t *testing.T, g http.Handler, c call) (*httptest.ResponseRecorder, map[string]any) {
	t.Helper()
	var body io.Reader
	if c.body != "" {
		body = strings.NewReader(c.body)
	}
	r := httptest.NewRequest(c.method, "http://127.0.0.1:8090"+c.path, body)
	if c.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	for k, v := range c.header {
		if r.Header.Set(k, v); k == "Host" {
			r.Host = v
		}
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	var answer map[string]any
	if strings.Contains(w.Header().Get("Content-Type"), "json") {
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer), w.Body.String())
	}
	return w, answer
}

func get(path string) call                 { return call{method: http.MethodGet, path: path} }
func post(path, body string) call          { return call{method: http.MethodPost, path: path, body: body} }
func (c call) with(token string) call      { c.token = token; return c }
func (c call) header1(name, v string) call { c.header = map[string]string{name: v}; return c }

func newRecorder(g http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return w
}
