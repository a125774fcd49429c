package search_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/chroma/chromatest"
	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/embed/embedtest"
	"github.com/rowvec/rowvec/function"
	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/search"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const dimensions = 96

// meaning is a vector that is near those of texts with the same words.
func meaning(text string) []float32 {
	sum := make([]float32, dimensions)
	for word := range strings.FieldsSeq(strings.ToLower(text)) {
		for i, v := range embedtest.Vector(strings.Trim(word, ".,:"), dimensions) {
			sum[i] += v
		}
	}
	return sum
}

// embedder counts what it is asked.
type embedder struct {
	mu    sync.Mutex
	asked map[string]int
	fail  error
	hold  chan struct{} // nil: answers at once
}

func (e *embedder) EmbedQuery(ctx context.Context, text string) ([]float32, error) {
	e.mu.Lock()
	e.asked[text]++
	hold, fail := e.hold, e.fail
	e.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return nil, fmt.Errorf("embed: %w", ctx.Err())
		}
	}
	return meaning(text), fail
}

func (e *embedder) times(text string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.asked[text]
}

// rig is an index that the function might have filled.
type rig struct {
	t        *testing.T
	config   *config.Config
	builders map[string]*document.Builder
	server   *chromatest.Server
	client   *chroma.Client
	embedder *embedder
	index    *search.Index
	lsn      uint64
}

// tables are settings of userConfig.tables.
type tables = map[string]any

func newRig(t *testing.T, tables tables, edits ...func(*config.Config)) *rig {
	t.Helper()
	r := &rig{t: t, server: chromatest.New(t), embedder: &embedder{asked: map[string]int{}}}
	var err error
	r.config, err = config.Parse(map[string]any{
		"embedding": map[string]any{"baseURL": "http://127.0.0.1:1/v1", "model": "m-1"},
		"chroma":    map[string]any{"url": r.server.URL},
		"tables":    tables,
	})
	require.NoError(t, err)
	for _, edit := range edits {
		edit(r.config)
	}
	r.builders, err = function.Builders(r.config)
	require.NoError(t, err)
	r.client = r.connect()
	r.index = search.New(r.config, r.embedder, search.From(r.connect()), search.Options{})
	t.Cleanup(r.index.Close)
	return r
}

func (r *rig) connect() *chroma.Client {
	r.t.Helper()
	client, err := chroma.New(chroma.Config{URL: r.server.URL})
	require.NoError(r.t, err)
	r.t.Cleanup(func() { _ = client.Close() })
	return client
}

func (r *rig) collection(table string) *chroma.Collection {
	r.t.Helper()
	col, err := r.client.Ensure(r.t.Context(), function.CollectionSpec(r.config, r.config.Tables[table].Collection))
	require.NoError(r.t, err)
	return col
}

// document is what the function makes of a row; a nil key is that of a table without a primary key.
func (r *rig) document(table string, key any, row connector.Row) *document.Document {
	r.t.Helper()
	schema, name, _ := strings.Cut(table, ".")
	columns := []connector.Column{{Name: "id", Value: key}}
	if key == nil {
		columns = nil
	}
	doc, err := r.builders[table].Build(&connector.Change{Table: connector.Table{Schema: schema, Name: name}, Op: connector.Insert, Key: columns, After: row})
	require.NoError(r.t, err)
	return doc
}

// put writes a row as the function does and returns its document.
func (r *rig) put(table string, key any, row connector.Row) *document.Document {
	r.t.Helper()
	doc := r.document(table, key, row)
	r.lsn++
	records := doc.Records(r.version(), nil)
	ids, texts := make([]string, len(records)), make([]string, len(records))
	vectors, metadatas := make([][]float32, len(records)), make([]map[string]any, len(records))
	for i, record := range records {
		ids[i], texts[i], metadatas[i], vectors[i] = record.ID, record.Document, record.Metadata, meaning(record.Document)
	}
	require.NoError(r.t, r.collection(table).Upsert(r.t.Context(), ids, vectors, texts, metadatas))
	return doc
}

func (r *rig) version() connector.Version {
	return connector.Version{LSN: r.lsn, CommitTime: time.UnixMilli(1_700_000_000_000 + int64(r.lsn)).UTC()}
}

func (r *rig) search(q search.Query) *search.Result {
	r.t.Helper()
	if q.TopK == 0 {
		q.TopK = 3
	}
	found, err := r.index.Search(r.t.Context(), q)
	require.NoError(r.t, err)
	return found
}

func rowsOf(hits []search.Hit) []string {
	rows := make([]string, len(hits))
	for i, h := range hits {
		rows[i] = h.Row
	}
	return rows
}

// requireError checks what the gateway reads of an error.
func requireError(t *testing.T, err error, kind search.Kind, reason string) {
	t.Helper()
	_ = failureOf(t, err, kind, reason)
}

// failureOf is requireError for those who look closer.
func failureOf(t *testing.T, err error, kind search.Kind, reason string) *search.Error {
	t.Helper()
	var e *search.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, []any{kind, reason}, []any{e.Kind, e.Reason()}, e.Error())
	require.Equal(t, map[search.Kind]string{
		search.Invalid: "poison", search.NotFound: "poison", search.Unavailable: "retry", search.Misconfigured: "halt",
	}[kind], e.Class())
	return e
}

func articles(more ...any) map[string]any {
	t := map[string]any{"collection": "articles", "text": "{{.title}}\n\n{{.body}}", "metadata": []any{"price", "tags", map[string]any{"column": "lang", "as": "language"}}}
	for i := 0; i < len(more); i += 2 {
		t[more[i].(string)] = more[i+1]
	}
	return t
}

func chunked() map[string]any { return articles("chunk", map[string]any{"tokens": 16, "overlap": 4}) }

func article(title, body string) connector.Row {
	return connector.Row{"title": title, "body": body, "price": 9.5, "tags": []any{"a", "b"}, "lang": "en"}
}
