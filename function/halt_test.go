package function

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/chroma/chromatest"
	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/embed"
	"github.com/rowvec/rowvec/embed/embedtest"
	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/function/indexer"
)

// direct asks a server without a network, which synctest could not wait for. fault comes instead, while it is set.
type direct struct {
	handler http.Handler
	fault   atomic.Pointer[error]
}

func (d *direct) RoundTrip(r *http.Request) (*http.Response, error) {
	if fault := d.fault.Load(); fault != nil {
		return nil, *fault
	}
	answer := httptest.NewRecorder()
	d.handler.ServeHTTP(answer, r)
	return answer.Result(), nil
}

// halting is one table at work, from the clients to what the function says of it, in fake time.
type halting struct {
	t        *testing.T
	endpoint *embedtest.Server
	index    *chromatest.Server
	ways     struct{ endpoint, index direct }
	any      bool // embedding.dimensions is not set
	table    *indexer.Table
	metrics  *metrics
	spoken   *spoken
	keys     keyFiles
}

// start runs within a bubble; the servers are from without.
func (h *halting) start(t *testing.T) (stop func()) {
	t.Helper()
	dimensions := 8
	if h.any {
		dimensions = 0
	}
	c, err := config.Parse(map[string]any{
		"embedding": map[string]any{"baseURL": h.endpoint.URL(), "model": "m", "dimensions": dimensions, "apiKey": h.keys.setting("key")},
		"chroma":    map[string]any{"url": h.index.URL, "token": h.keys.setting("token")},
		"tables":    map[string]any{"app.articles": map[string]any{"collection": "articles", "text": "{{.title}}", "metadata": []any{"price"}}},
	})
	require.NoError(t, err)
	h.metrics, err = newMetrics(prometheus.NewRegistry())
	require.NoError(t, err)
	h.spoken = &spoken{conditions: map[string]string{}}
	h.ways.endpoint.handler, h.ways.index.handler = h.endpoint.Handler(), h.index.Handler()
	key, err := c.Embedding.APIKey.Resolve(nil)
	require.NoError(t, err)
	client, err := embed.New(embed.Config{
		BaseURL: c.Embedding.BaseURL, Model: "m", APIKey: key, KeySource: c.Embedding.APIKey.Source(), Dimensions: dimensions, Transport: &h.ways.endpoint,
	})
	require.NoError(t, err)
	index, err := NewChroma(c.Chroma, func(string) (string, bool) { return "", false }, nil, &h.ways.index)
	require.NoError(t, err)
	builders, err := Builders(c)
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	a := &app{metrics: h.metrics, conditions: h.spoken, log: log, writers: map[string]*indexer.Writer{}}
	writer := a.writer(c, index, "articles")
	h.table = indexer.NewTable(indexer.TableConfig{Table: "app.articles", Builder: builders["app.articles"]},
		indexer.NewEmbedPool(client, 2), writer, indexer.Options{Observer: &observer{a}, Log: log})
	var running sync.WaitGroup
	running.Go(func() { writer.Run(context.Background()) })
	return func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		h.table.Drain(ctx)
		writer.Stop(ctx)
		running.Wait()
	}
}

// submit hands in a change and returns what will hold its outcome.
func (h *halting) submit(t *testing.T, id, lsn int) chan indexer.Outcome {
	t.Helper()
	settled := make(chan indexer.Outcome, 1)
	require.NoError(t, h.table.Submit(t.Context(), indexer.Record{
		Change: &connector.Change{
			Table: connector.Table{Schema: "app", Name: "articles"}, Op: connector.Insert, Key: []connector.Column{{Name: "id", Value: int64(id)}},
			After:   connector.Row{"id": int64(id), "title": strings.Repeat("x", lsn), "price": int64(lsn)},
			Version: connector.Version{LSN: uint64(lsn), CommitTime: time.UnixMilli(int64(lsn))},
		},
		Bytes: 1, Received: time.Now(), Settle: func(o indexer.Outcome) { settled <- o },
	}))
	return settled
}

// refuse answers an operation of Chroma's with a status; "" is every one.
func (h *halting) refuse(op string, status int) {
	h.index.Control(func(r chromatest.Request) *chromatest.Response {
		if op == "" || r.Op == op {
			return &chromatest.Response{Status: status, Body: `{"error":"AuthError","message":"Forbidden"}`}
		}
		return nil
	})
}

// collection makes the collection anew.
func (h *halting) collection(distance string, dimensions int) {
	t := h.t
	t.Helper()
	h.index.DropCollection("articles")
	client, err := chroma.New(chroma.Config{URL: h.index.URL, Transport: &direct{handler: h.index.Handler()}})
	require.NoError(t, err)
	col, err := client.Ensure(t.Context(), chroma.CollectionSpec{Name: "articles", Distance: distance})
	require.NoError(t, err)
	if dimensions > 0 {
		require.NoError(t, col.Upsert(t.Context(), []string{"other"}, [][]float32{make([]float32, dimensions)}, nil, nil))
	}
}

// TestEveryHalt goes through what only somebody else can mend. Within a second status and metrics say so and name what to change; nothing is
// taken in, acknowledged or dead-lettered; and once it is mended the function goes on by itself, within the half minute of its probe.
func TestEveryHalt(t *testing.T) {
	t.Parallel()
	untrusted := error(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}})
	fail := func(status int, code string) func(*halting) {
		return func(h *halting) {
			h.endpoint.Control(embedtest.Always(embedtest.Fail(status, code, "no")))
		}
	}
	refuse := func(op string, status int) func(*halting) {
		return func(h *halting) { h.refuse(op, status) }
	}
	for name, c := range map[string]struct {
		wrong func(h *halting)
		says  string
	}{
		"a wrong key":                     {fail(401, "invalid_api_key"), "embedding.apiKey"},
		"a key without rights":            {fail(403, ""), "embedding.apiKey"},
		"a key refused as 400":            {fail(400, "invalid_api_key"), "embedding.apiKey"},
		"an unpaid bill":                  {fail(402, ""), "the account that embedding.apiKey"},
		"an unknown model":                {fail(404, "model_not_found"), "embedding.model"},
		"an unknown model as 400":         {fail(400, "model_not_found"), "embedding.model"},
		"an endpoint that refuses a word": {fail(400, ""), "embedding.dimensions"},
		"vectors of another dimension":    {func(h *halting) { h.endpoint.Control(embedtest.Longer) }, "embedding.dimensions is 8"},
		"the endpoint's certificate":      {func(h *halting) { h.ways.endpoint.fault.Store(&untrusted) }, "embedding.baseURL"},
		"Chroma's certificate":            {func(h *halting) { h.ways.index.fault.Store(&untrusted) }, "chroma.url"},
		"a wrong token":                   {refuse("", 401), "chroma.token"},
		"no right to Chroma":              {refuse("", 403), "chroma.token and its rights"},
		"no right to open":                {refuse("create", 403), "chroma.token and its rights"},
		"no right to read":                {refuse("get", 403), "chroma.token and its rights"},
		"no right to write":               {refuse("add", 403), "chroma.token and its rights"},
		"a quota":                         {refuse("add", 422), "the index refuses every write"},
		"another distance":                {func(h *halting) { h.collection(chroma.L2, 0) }, "chroma.distance"},
		"a collection of other vectors":   {func(h *halting) { h.collection(chroma.Cosine, 3) }, "embedding.dimensions"},
	} {
		h := &halting{endpoint: embedtest.New(embedtest.Options{Dimensions: 8}), index: chromatest.New(t)}
		t.Cleanup(h.endpoint.Close)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h.t = t
				c.wrong(h)
				defer h.start(t)()
				first := h.submit(t, 1, 1)
				<-time.After(time.Second)
				h.requireHalted(t, c.says)
				<-time.After(10 * time.Minute)
				h.requireHalted(t, c.says)
				require.Empty(t, first, "neither acknowledged nor a dead letter")
				short, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				blocked := h.table.Submit(short, indexer.Record{Change: &connector.Change{
					Table: connector.Table{Schema: "app", Name: "articles"}, Op: connector.Delete, Key: []connector.Column{{Name: "id", Value: int64(9)}},
				}, Settle: func(indexer.Outcome) {}})
				require.True(t, errors.Is(blocked, context.DeadlineExceeded), "intake stops: %v", blocked)

				h.mend()
				at := time.Now()
				require.Equal(t, indexer.Indexed, (<-first).Kind)
				require.LessOrEqual(t, time.Since(at), 61*time.Second, "one probe for the endpoint or the look-up, and one for the write")
				require.Equal(t, indexer.Indexed, (<-h.submit(t, 2, 2)).Kind)
				require.Empty(t, h.spoken.of("table app.articles"))
				require.InDelta(t, 1, h.metrics.user()["rowvec_state{state=running,table=app.articles}"], 0)
			})
		})
	}
}

func (h *halting) requireHalted(t *testing.T, says string) {
	t.Helper()
	require.Contains(t, h.spoken.of("table app.articles"), "halted: ")
	require.Contains(t, h.spoken.of("table app.articles"), says)
	require.InDelta(t, 1, h.metrics.user()["rowvec_state{state=halted,table=app.articles}"], 0)
	require.InDelta(t, 0, h.metrics.user()["rowvec_state{state=running,table=app.articles}"], 0)
}

// mend undoes whatever was wrong, outside of the function.
func (h *halting) mend() {
	h.endpoint.Control(nil)
	h.index.Control(nil)
	h.ways.endpoint.fault.Store(nil)
	h.ways.index.fault.Store(nil)
	h.index.DropCollection("articles")
}
