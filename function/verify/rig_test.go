package verify

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/chroma/chromatest"
	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/embed"
	"github.com/rowvec/rowvec/embed/embedtest"
	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/function/indexer"
	"github.com/rowvec/rowvec/function/wire"
)

// rig is a table, its collection on a fake server, and the indexer between them.
type rig struct {
	t        *testing.T
	table    *fakeTable
	spec     document.Spec
	config   Config
	server   *chromatest.Server
	col      *chroma.Collection
	endpoint *embedtest.Server
	pipeline *Pipeline
	lsn      uint64
	epoch    time.Time // before the first change that index brings
}

func newRig(t *testing.T, options ...func(*rig)) *rig {
	t.Helper()
	r := &rig{t: t, table: articles(), epoch: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), spec: document.Spec{
		Table: "app.articles", Text: "{{.title}}: {{.body}}", Identity: "m", Metadata: []document.Field{
			{Column: "title"}, {Column: "price", As: "cost"}, {Column: "tags"}, {Column: "at"},
		},
	}}
	for _, o := range options {
		o(r)
	}
	r.server, r.endpoint = chromatest.New(t), embedtest.New(embedtest.Options{Dimensions: 4})
	t.Cleanup(r.endpoint.Close)
	client, err := chroma.New(chroma.Config{URL: r.server.URL})
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	r.col, err = client.Ensure(t.Context(), chroma.CollectionSpec{Name: "articles"})
	require.NoError(t, err)
	r.pipeline = r.newPipeline()
	r.config = Config{
		Table: r.spec.Table, Builder: r.builder(), Text: r.spec.Text, Fields: r.spec.Metadata, Key: r.spec.Key, Chunked: r.spec.Chunk != nil,
		Source: r.table, Index: r.col, Settle: []time.Duration{time.Millisecond, 2 * time.Millisecond},
	}
	if r.spec.PrefixIDs {
		r.config.Shared = []string{"app.other"}
	}
	return r
}

func (r *rig) builder() *document.Builder {
	r.t.Helper()
	b, err := document.NewBuilder(r.spec)
	require.NoError(r.t, err)
	return b
}

func (r *rig) newPipeline() *Pipeline {
	r.t.Helper()
	client, err := embed.New(embed.Config{BaseURL: r.endpoint.URL(), Model: "m", MaxTexts: 64, MaxTokens: 1 << 20})
	require.NoError(r.t, err)
	r.t.Cleanup(client.Close)
	writer := indexer.NewWriter(func(context.Context) (indexer.Store, error) { return r.col, nil })
	p := NewPipeline(r.t.Context(), indexer.TableConfig{Table: r.spec.Table, Builder: r.builder()}, indexer.NewEmbedPool(client, 2), writer, nil)
	r.t.Cleanup(p.Close)
	return p
}

// index brings rows into the collection as the function would, in the given form.
func (r *rig) index(f wire.Form, rows ...Row) {
	r.t.Helper()
	table, err := r.table.Describe(r.t.Context(), "", nil, nil)
	require.NoError(r.t, err)
	changes := make([]indexer.Record, len(rows))
	for i, row := range rows {
		change, err := table.change(row, f)
		require.NoError(r.t, err)
		r.lsn++
		at := r.epoch.Add(time.Duration(r.lsn) * time.Second)
		change.Version = connector.Version{LSN: r.lsn, CommitTime: at, Emitted: at}
		changes[i].Change = change
	}
	outcomes, err := r.pipeline.Apply(r.t.Context(), changes)
	require.NoError(r.t, err)
	for _, o := range outcomes {
		require.NotEqual(r.t, indexer.Poison, o.Kind, o.Err)
	}
}

// fill puts n articles into the table and, as they are, into the index.
func (r *rig) fill(n int) {
	r.t.Helper()
	rows := make([]Row, n)
	for i := range n {
		rows[i] = article(i + 1)
	}
	r.table.put(rows...)
	r.index(wire.Form{}, rows...)
}

func (r *rig) run() *Report {
	r.t.Helper()
	report, err := Run(r.t.Context(), r.config)
	require.NoError(r.t, err)
	return report
}

// repair is run with an Applier.
func (r *rig) repair() *Report {
	r.t.Helper()
	r.config.Applier = r.pipeline
	defer func() { r.config.Applier = nil }()
	return r.run()
}

// patch merges metadata into a record behind everybody's back.
func (r *rig) patch(id string, meta map[string]any) {
	r.t.Helper()
	require.NoError(r.t, r.col.Update(r.t.Context(), []string{id}, []map[string]any{meta}))
}

// forge writes a record that nobody asked for, or over one that is there.
func (r *rig) forge(id, document string, meta map[string]any) {
	r.t.Helper()
	require.NoError(r.t, r.col.Upsert(r.t.Context(), []string{id}, [][]float32{{1, 2, 3, 4}}, []string{document}, []map[string]any{meta}))
}

// mark is what tells a record of rowvec's from others, with what a row's first record says beside it.
func mark(more ...map[string]any) map[string]any {
	meta := map[string]any{
		document.KeyLSN: int64(1), document.KeyCommitTime: int64(0), document.KeyFingerprint: "0123456789abcdef", document.KeyChunks: int64(1),
	}
	for _, m := range more {
		maps.Copy(meta, m)
	}
	return meta
}

func (r *rig) drop(ids ...string) {
	r.t.Helper()
	require.NoError(r.t, r.col.Delete(r.t.Context(), ids))
}

// requireFaults wants exactly these rows to be at fault, by kind.
func requireFaults(t *testing.T, want map[Kind][]string, r *Report) {
	t.Helper()
	for _, kind := range Kinds() {
		var rows []string
		for _, e := range r.Examples[kind] {
			rows = append(rows, e.Row)
		}
		require.ElementsMatch(t, want[kind], rows, "%s: %v", kind, r.Examples[kind])
		require.Equal(t, len(want[kind]), r.Faults[kind], kind)
	}
	require.Equal(t, len(want) == 0, r.Clean())
	require.Equal(t, len(want) == 0 && len(r.Unchecked) == 0, r.Equal)
	require.Zero(t, r.Unsettled)
}
