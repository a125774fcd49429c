package chromatest

import (
	"encoding/json"
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
)

type filter = map[string]any

// ask returns the ids that a question finds, nearest first.
func (t *scene) ask(col *chroma.Collection, q chroma.Question) []string {
	t.Helper()
	found, err := col.Nearest(t.Context(), q)
	require.NoError(t, err, "%+v", q)
	ids := make([]string, len(found))
	for i, m := range found {
		ids[i] = m.ID
	}
	return ids
}

func queryContains(t *scene) {
	col := t.ensure(chroma.L2)
	texts := []string{"Grüße aus Köln", "50% off_all", `a "quoted" \\ one`, "東京タワーは夜に光る", "ab", "AB"}
	require.NoError(t, col.Upsert(t.Context(), []string{"a", "b", "c", "d", "e", "f"}, [][]float32{{1}, {2}, {3}, {4}, {5}, {6}},
		texts, []map[string]any{{"n": int64(1)}, {"n": int64(2)}, {"n": int64(1)}, {"n": int64(1)}, {"n": int64(1)}, {"n": int64(1)}}))
	for text, want := range map[string][]string{
		"Köln": {"a"}, "köln": {}, "%": {"b"}, "f_a": {"b"}, `"quoted" \\`: {"c"}, "京タ": {"d"}, "ab": {"e"}, "": {"a", "b", "c", "d", "e", "f"},
	} {
		require.Equal(t, want, t.ask(col, chroma.Question{Vector: []float32{0}, K: 10, Contains: text}), text)
	}
	both := chroma.Question{Vector: []float32{0}, K: 10, Contains: "o", Where: filter{"n": 1}}
	require.Equal(t, []string{"c"}, t.ask(col, both), "both filters hold")
}

func queryBare(t *scene) {
	col := t.ensure(chroma.L2)
	require.NoError(t, col.Upsert(t.Context(), []string{"a", "b"}, [][]float32{{1}, {3}}, []string{"x", "y"}, []map[string]any{{"n": int64(1)}, nil}))
	found, err := col.Nearest(t.Context(), chroma.Question{Vector: []float32{0}, K: 5, Bare: true})
	require.NoError(t, err)
	require.Equal(t, []chroma.Match{{ID: "a", Distance: 1}, {ID: "b", Distance: 9}}, found)
}

// queryNumbers: whole numbers and fractions compare as numbers; in lists they are told apart.
func queryNumbers(t *scene) {
	col := t.ensure(chroma.L2)
	require.NoError(t, col.Upsert(t.Context(), []string{"a", "b", "c", "d", "e", "f"}, [][]float32{{1}, {2}, {3}, {4}, {5}, {6}}, nil, []map[string]any{
		{"n": int64(5)}, {"n": 5.0}, {"n": 5.5}, {"n": "5"}, {"n": true}, {"l": []float64{5, 6.5}},
	}))
	for _, c := range []struct {
		where filter
		want  []string
	}{
		{filter{"n": 5}, []string{"a", "b"}},
		{filter{"n": json.Number("5.0")}, []string{"a", "b"}},
		{filter{"n": filter{"$gt": 5}}, []string{"c"}},
		{filter{"n": filter{"$gte": 4.5}}, []string{"a", "b", "c"}},
		{filter{"n": filter{"$in": []json.Number{"5.0", "5.5"}}}, []string{"a", "b", "c"}},
		{filter{"n": filter{"$ne": 5}}, []string{"c", "d", "e", "f"}},
		{filter{"n": "5"}, []string{"d"}},
		{filter{"n": true}, []string{"e"}},
		{filter{"$or": []filter{{"l": filter{"$contains": 5}}, {"l": filter{"$contains": json.Number("5.0")}}}}, []string{"f"}},
	} {
		require.Equal(t, c.want, t.ask(col, chroma.Question{Vector: []float32{0}, K: 10, Where: c.where}), "%v", c.where)
	}
	for _, refused := range []filter{{"n": filter{"$in": []any{}}}, {"n": filter{"$in": []any{"5", true}}}, {"n": filter{"$gt": "a"}}} {
		_, err := col.Nearest(t.Context(), chroma.Question{Vector: []float32{0}, K: 1, Where: refused})
		t.requireError(err, "poison", chroma.ReasonInvalidRequest)
	}
}

// vectorRoundTrip: Chroma 1.5.9 keeps unit vectors and lengths for cosine, so that the last bit of a component may change.
func vectorRoundTrip(t *scene) {
	col := t.ensure(chroma.Cosine)
	vectors := [][]float32{{0.1, -2, 3e-5}, {1e6, 0, 7}}
	require.NoError(t, col.Upsert(t.Context(), []string{"a", "b"}, vectors, []string{"x", "y"}, []map[string]any{{"n": int64(1)}, nil}))
	found, err := col.Vectors(t.Context(), []string{"b", "a", "nobody"})
	require.NoError(t, err)
	require.Len(t, found, 2)
	for i, want := range []chroma.Match{{ID: "a", Document: "x", Metadata: filter{"n": int64(1)}}, {ID: "b", Document: "y", Metadata: filter{}}} {
		got := found[want.ID]
		require.InEpsilonSlice(t, unzeroed(vectors[i]), unzeroed(got.Vector), 1e-6)
		got.Vector = nil
		require.Equal(t, want, got)
	}
}

// unzeroed makes components fit for a relative comparison.
func unzeroed(vector []float32) []float32 {
	out := slices.Clone(vector)
	for i := range out {
		if out[i] == 0 {
			out[i] = 1
		}
	}
	return out
}

func annotateKeeps(t *scene) {
	spec := chroma.CollectionSpec{Name: t.name(), Distance: chroma.InnerProduct, Metadata: filter{"owner": "me", "n": int64(7)}}
	col, err := t.client.Ensure(t.Context(), spec)
	require.NoError(t, err)
	require.NoError(t, col.Upsert(t.Context(), []string{"a"}, [][]float32{{1, 2}}, nil, nil))
	require.Equal(t, filter{"owner": "me", "n": 7.0}, col.Metadata())
	require.NoError(t, col.Annotate(t.Context(), filter{"model": "m"}))
	want := filter{"owner": "me", "n": 7.0, "model": "m"}
	require.Equal(t, want, col.Metadata())

	other := t.other()
	seen, err := other.Ensure(t.Context(), spec)
	require.NoError(t, err)
	require.Equal(t, want, seen.Metadata(), "to ensure it again changes nothing")
	require.Equal(t, []any{chroma.InnerProduct, 2}, []any{seen.Distance(), seen.Dimensions()})
	require.NoError(t, col.Annotate(t.Context(), filter{"model": "m2"}))
	require.Equal(t, "m", seen.Metadata()["model"])
	seen, err = other.Reopen(t.Context(), spec.Name)
	require.NoError(t, err)
	require.Equal(t, "m2", seen.Metadata()["model"])

	t.drop(t.Context(), spec.Name)
	t.requireError(col.Annotate(t.Context(), filter{"model": "m"}), "retry", chroma.ReasonCollectionMissing)
	_, err = other.Reopen(t.Context(), spec.Name)
	t.requireError(err, "retry", chroma.ReasonCollectionMissing)
}
