package chromatest

import (
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
)

func listPages(t *scene) {
	ctx := t.Context()
	col := t.ensure(chroma.Cosine)
	ids := []string{"e", "d", "c", "b", "a"}
	for _, id := range ids {
		require.NoError(t, col.Upsert(ctx, []string{id}, [][]float32{{1}}, []string{"text of " + id}, []map[string]any{{"id": id}}))
	}
	require.NoError(t, col.Upsert(ctx, []string{"d"}, [][]float32{{2}}, nil, nil), "writing again does not move a record")
	var seen []string
	for offset := 0; ; offset += 2 {
		page, err := col.List(ctx, offset, 2, offset == 0)
		require.NoError(t, err)
		for _, m := range page {
			seen = append(seen, m.ID)
			require.Equal(t, map[string]any{"id": m.ID}, m.Metadata)
			require.Equal(t, offset == 0, m.Document == "text of "+m.ID)
		}
		if len(page) < 2 {
			break
		}
	}
	require.Equal(t, ids, seen)
}

func queryDistances(t *scene) {
	ctx := t.Context()
	for distance, want := range map[string][]float64{
		chroma.L2: {0.5, 1.25, 1.25}, chroma.Cosine: {0.10557, 0.2, 1}, chroma.InnerProduct: {-1, 0, 1},
	} {
		col := t.ensure(distance)
		require.NoError(t, col.Upsert(ctx, []string{"a", "b", "z"}, [][]float32{{2, 0, 0}, {0.5, 1, 0}, {0, 0, 0}}, nil, nil))
		found, err := col.Query(ctx, []float32{1, 0.5, 0}, 3, nil)
		require.NoError(t, err)
		require.Len(t, found, 3)
		got := []float64{found[0].Distance, found[1].Distance, found[2].Distance}
		require.InDeltaSlice(t, want, got, 1e-4, distance)
		found, err = col.Query(ctx, []float32{1, 0.5, 0}, 1, nil)
		require.NoError(t, err)
		require.Len(t, found, 1)
		require.Equal(t, map[bool]string{true: "b", false: "a"}[distance == chroma.L2], found[0].ID)
	}
}

func queryFilters(t *scene) {
	ctx := t.Context()
	col := t.ensure(chroma.L2)
	require.NoError(t, col.Upsert(ctx, []string{"a", "b", "c"}, [][]float32{{1}, {2}, {3}}, nil, []map[string]any{
		{"n": int64(1), "s": "x", "tags": []string{"red", "blue"}, "f": 0.5},
		{"n": int64(2), "s": "y", "tags": []string{"blue"}, "f": 1.5},
		{"n": int64(3), "s": "x"},
	}))
	type filter = map[string]any
	for _, c := range []struct {
		where filter
		want  []string
	}{
		{nil, []string{"a", "b", "c"}},
		{filter{}, []string{"a", "b", "c"}},
		{filter{"s": "x"}, []string{"a", "c"}},
		{filter{"s": filter{"$ne": "x"}}, []string{"b"}},
		{filter{"n": filter{"$gt": 1}}, []string{"b", "c"}},
		{filter{"n": filter{"$gte": 2}}, []string{"b", "c"}},
		{filter{"n": filter{"$lt": 2}}, []string{"a"}},
		{filter{"f": filter{"$lte": 1.5}}, []string{"a", "b"}},
		{filter{"n": filter{"$in": []int{1, 3}}}, []string{"a", "c"}},
		{filter{"n": filter{"$nin": []int{1, 3}}}, []string{"b"}},
		{filter{"tags": filter{"$contains": "red"}}, []string{"a"}},
		{filter{"$and": []filter{{"s": "x"}, {"n": filter{"$gt": 1}}}}, []string{"c"}},
		{filter{"$or": []filter{{"s": "y"}, {"n": 3}}}, []string{"b", "c"}},
		{filter{"s": "nobody"}, []string{}},
	} {
		found, err := col.Query(ctx, []float32{0}, 10, c.where)
		require.NoError(t, err, "%v", c.where)
		ids := make([]string, 0, len(found))
		for _, m := range found {
			ids = append(ids, m.ID)
		}
		require.Equal(t, c.want, ids, "%v", c.where)
	}
}

func queryEmpty(t *scene) {
	col := t.ensure(chroma.Cosine)
	found, err := col.Query(t.Context(), []float32{1, 2}, 3, nil)
	require.NoError(t, err)
	require.Empty(t, found)
	got, err := col.Get(t.Context(), []string{"a"})
	require.NoError(t, err)
	require.Empty(t, got)
	page, err := col.List(t.Context(), 0, 10, true)
	require.NoError(t, err)
	require.Empty(t, page)
}

func queryRefused(t *scene) {
	col := t.ensure(chroma.Cosine)
	require.NoError(t, col.Upsert(t.Context(), []string{"a"}, [][]float32{{1, 2}}, nil, nil))
	_, err := col.Query(t.Context(), []float32{1, 2}, 1, map[string]any{"n": map[string]any{"$nonsense": 1}})
	t.requireError(err, "poison", chroma.ReasonInvalidRequest)
}
