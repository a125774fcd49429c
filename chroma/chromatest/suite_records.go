package chromatest

import (
	"fmt"
	"math"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
)

func metadataRoundTrip(t *scene) {
	ctx := t.Context()
	col := t.ensure(chroma.Cosine)
	sent := map[string]any{
		"text": "a \"quoted\"\nline \u2028 <b>&amp; é 😀", "empty": "", "yes": true, "no": false,
		"zero": int64(0), "max": int64(math.MaxInt64), "min": int64(math.MinInt64), "beyond_double": int64(1<<53 + 1),
		"whole": 5.0, "tenth": 0.1, "sum": 0.1 + 0.2, "tiny": 1e-20, "huge": 1.7976931348623157e308, "denormal": 5e-324, "neg": -2.5,
		"texts": []string{"a", "", "ü"}, "numbers": []int64{1, -2, math.MaxInt64}, "floats": []float64{1, 2, 0.5},
		"wholes": []float64{1, 2}, "flags": []bool{true, false},
		"a.b/c d": "odd key", "_rv_lsn": int64(123456789), "ключ": "key",
	}
	require.NoError(t, col.Upsert(ctx, []string{"a"}, [][]float32{{1, 2}}, []string{"d"}, []map[string]any{sent}))
	got, err := col.Get(ctx, []string{"a", "unknown"})
	require.NoError(t, err)
	require.Equal(t, map[string]map[string]any{"a": sent}, got)

	found, err := col.Query(ctx, []float32{1, 2}, 1, nil)
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, sent, found[0].Metadata)

	anyOf := map[string]any{"texts": []any{"x"}, "numbers": []any{int64(7)}, "floats": []any{1.0}, "flags": []any{true}}
	require.NoError(t, col.Update(ctx, []string{"a"}, []map[string]any{anyOf}))
	got, err = col.Get(ctx, []string{"a"})
	require.NoError(t, err)
	require.Subset(t, got["a"], map[string]any{
		"texts": []string{"x"}, "numbers": []int64{7}, "floats": []float64{1}, "flags": []bool{true},
	})
}

func metadataMerges(t *scene) {
	ctx := t.Context()
	col := t.ensure(chroma.Cosine)
	one := func(m map[string]any) []map[string]any { return []map[string]any{m} }
	holds := func(want map[string]any) {
		t.Helper()
		got, err := col.Get(ctx, []string{"a"})
		require.NoError(t, err)
		require.Equal(t, map[string]map[string]any{"a": want}, got)
	}
	upsert := func(m map[string]any) {
		t.Helper()
		require.NoError(t, col.Upsert(ctx, []string{"a"}, [][]float32{{1}}, []string{"d"}, one(m)))
	}
	upsert(map[string]any{"keep": int64(1), "change": "old", "drop": true, "list": []string{"x"}, "list2": []int64{1}, "typed": "text"})
	upsert(map[string]any{"change": "new", "drop": nil, "list": []string{}, "never": nil, "typed": int64(3)})
	holds(map[string]any{"keep": int64(1), "change": "new", "list2": []int64{1}, "typed": int64(3)})
	require.NoError(t, col.Update(ctx, []string{"a"}, one(map[string]any{"list2": nil, "more": []string{"y", "z"}})))
	holds(map[string]any{"keep": int64(1), "change": "new", "typed": int64(3), "more": []string{"y", "z"}})
	upsert(nil)
	holds(map[string]any{"keep": int64(1), "change": "new", "typed": int64(3), "more": []string{"y", "z"}})
	upsert(map[string]any{"keep": nil, "change": nil, "typed": nil, "more": []any{}})
	holds(map[string]any{})
}

func textRoundTrip(t *scene) {
	ctx := t.Context()
	col := t.ensure(chroma.Cosine)
	ids := []string{"plain", "a/b%2Fc", "ключ/😀", "#1", strings.Repeat("long", 100), "quote\"back\\slash\n"}
	texts := []string{"", "two\nlines\t\"quoted\"", "ü \u2028 <script>&", strings.Repeat("long ", 20000), "\x7f\x01", "😀"}
	vectors := make([][]float32, len(ids))
	for i := range ids {
		vectors[i] = []float32{float32(i), 0.1, -1e-30}
	}
	require.NoError(t, col.Upsert(ctx, ids, vectors, texts, nil))
	found, err := col.List(ctx, 0, 100, true)
	require.NoError(t, err)
	require.Len(t, found, len(ids))
	for i, m := range found {
		require.Equal(t, chroma.Match{ID: ids[i], Document: texts[i], Metadata: map[string]any{}}, m)
	}
	got, err := col.Get(ctx, ids)
	require.NoError(t, err)
	require.Len(t, got, len(ids))
}

func updateKeeps(t *scene) {
	ctx := t.Context()
	col := t.ensure(chroma.L2)
	require.NoError(t, col.Upsert(ctx, []string{"a", "b"}, [][]float32{{1, 2}, {3, 4}}, []string{"one", "two"}, nil))
	require.NoError(t, col.Update(ctx, []string{"a", "unknown", "b"}, []map[string]any{{"n": int64(1)}, {"n": int64(9)}, {"n": int64(2)}}))
	found, err := col.Query(ctx, []float32{1, 2}, 5, nil)
	require.NoError(t, err)
	require.Equal(t, []chroma.Match{
		{ID: "a", Document: "one", Metadata: map[string]any{"n": int64(1)}, Distance: 0},
		{ID: "b", Document: "two", Metadata: map[string]any{"n": int64(2)}, Distance: 8},
	}, found)
	// A vector without a document leaves the document.
	require.NoError(t, col.Upsert(ctx, []string{"a"}, [][]float32{{1, 1}}, nil, nil))
	found, err = col.Query(ctx, []float32{1, 1}, 1, nil)
	require.NoError(t, err)
	require.Equal(t, []chroma.Match{{ID: "a", Document: "one", Metadata: map[string]any{"n": int64(1)}}}, found)
}

// addLeaves: what is there stays whole, the others come, and after a delete an add is a new record.
func addLeaves(t *scene) {
	ctx := t.Context()
	col := t.ensure(chroma.L2)
	add := func(vector float32, text string, meta map[string]any, ids ...string) error {
		vectors, texts, metas := make([][]float32, len(ids)), make([]string, len(ids)), make([]map[string]any, len(ids))
		for i := range ids {
			vectors[i], texts[i], metas[i] = []float32{vector}, text, meta
		}
		return col.Add(ctx, ids, vectors, texts, metas)
	}
	require.NoError(t, add(1, "first", map[string]any{"n": int64(1), "none": nil, "list": []string{"a"}, "empty": []string{}}, "a", "b"))
	require.NoError(t, add(5, "second", map[string]any{"n": int64(2), "more": true}, "b", "c"))
	require.NoError(t, add(7, "bare", map[string]any{"none": nil}, "d"))
	require.NoError(t, col.Delete(ctx, []string{"a"}))
	require.NoError(t, add(9, "third", nil, "a"))
	found, err := col.Query(ctx, []float32{1}, 5, nil)
	require.NoError(t, err)
	require.Equal(t, []chroma.Match{
		{ID: "b", Document: "first", Metadata: map[string]any{"n": int64(1), "list": []string{"a"}}},
		{ID: "c", Document: "second", Metadata: map[string]any{"n": int64(2), "more": true}, Distance: 16},
		{ID: "d", Document: "bare", Metadata: map[string]any{}, Distance: 36},
		{ID: "a", Document: "third", Metadata: map[string]any{}, Distance: 64},
	}, found)
	t.requireError(col.Add(ctx, []string{"e"}, [][]float32{{1, 2}}, nil, nil), "halt", chroma.ReasonDimensionMismatch)
	t.requireError(col.Add(ctx, []string{"b"}, [][]float32{{1, 2}}, nil, nil), "halt", chroma.ReasonDimensionMismatch)
	require.NoError(t, col.Delete(ctx, []string{"b"}))
}

func duplicateIDs(t *scene) {
	ctx := t.Context()
	col := t.ensure(chroma.L2)
	require.NoError(t, col.Upsert(ctx, []string{"a", "b", "a"}, [][]float32{{1, 0}, {9, 9}, {0, 1}}, []string{"old", "other", "new"},
		[]map[string]any{{"x": int64(1), "both": "old"}, nil, {"y": int64(2), "both": "new"}}))
	found, err := col.Query(ctx, []float32{0, 1}, 1, nil)
	require.NoError(t, err)
	require.Equal(t, []chroma.Match{
		{ID: "a", Document: "new", Metadata: map[string]any{"x": int64(1), "y": int64(2), "both": "new"}},
	}, found)
	require.NoError(t, col.Update(ctx, []string{"a", "a"}, []map[string]any{{"x": "first"}, {"x": "last"}}))
	got, err := col.Get(ctx, []string{"a", "a"})
	require.NoError(t, err)
	require.Equal(t, "last", got["a"]["x"])
}

func deleteIgnoresUnknown(t *scene) {
	ctx := t.Context()
	col := t.ensure(chroma.Cosine)
	require.NoError(t, col.Delete(ctx, []string{"never"}))
	require.NoError(t, col.Upsert(ctx, []string{"a", "b"}, [][]float32{{1}, {2}}, nil, nil))
	require.NoError(t, col.Delete(ctx, []string{"a", "never", "a"}))
	require.NoError(t, col.Delete(ctx, nil), "no ids: nothing, not everything")
	got, err := col.Get(ctx, []string{"a", "b"})
	require.NoError(t, err)
	require.Equal(t, map[string]map[string]any{"b": {}}, got)
}

// longLists are as long as a record's may be. What is longer Chroma does not refuse, but it never answers about the collection again.
func longLists(t *scene) {
	ctx := t.Context()
	col := t.ensure(chroma.Cosine)
	first, second := make([]string, 3000), make([]int64, 2461)
	for _, id := range []string{"a", "b"} {
		require.NoError(t, col.Upsert(ctx, []string{id}, [][]float32{{1}}, nil, []map[string]any{{"s": first, "i": second, "n": int64(1)}}))
	}
	got, err := col.Get(ctx, []string{"a", "b"})
	require.NoError(t, err)
	require.Len(t, got["a"]["s"], 3000)
	require.Len(t, got["b"]["i"], 2461)
	require.NoError(t, col.Delete(ctx, []string{"a", "b"}))
}

func manyRecords(t *scene) {
	ctx := t.Context()
	col := t.ensure(chroma.Cosine)
	const n = 6000
	ids, vectors, metadatas := make([]string, n), make([][]float32, n), make([]map[string]any, n)
	for i := range n {
		ids[i], vectors[i], metadatas[i] = fmt.Sprintf("row/%d", i), []float32{1, float32(i)}, map[string]any{"i": int64(i)}
	}
	require.NoError(t, col.Upsert(ctx, ids, vectors, nil, metadatas))
	got, err := col.Get(ctx, ids)
	require.NoError(t, err)
	require.Len(t, got, n)
	require.Equal(t, map[string]any{"i": int64(n - 1)}, got[ids[n-1]])
	require.NoError(t, col.Delete(ctx, ids[1:]))
	count, err := col.Count(ctx)
	require.NoError(t, err)
	require.Equal(t, 1, count)
}
