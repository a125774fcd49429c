package chromatest

import (
	"fmt"
	"math"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
)

// expireBelow uses a collection as rowvec's tombstones do: one dimension, times in milliseconds.
func expireBelow(t *scene) {
	ctx := t.Context()
	name := t.name() + "--tombstones"
	t.Cleanup(func() { t.clean(name) })
	col, err := t.client.Ensure(ctx, chroma.CollectionSpec{Name: name, Distance: chroma.L2, Dimensions: 1})
	require.NoError(t, err)
	n, err := col.Expire(ctx, "gone", math.MaxInt64, 10)
	require.NoError(t, err)
	require.Zero(t, n, "nothing there")

	const bound = int64(1_795_250_207_281)
	ids, vectors, metadatas := make([]string, 0, 29), make([][]float32, 0, 29), make([]map[string]any, 0, 29)
	for i := range 25 {
		ids = append(ids, fmt.Sprintf("old %d", i))
		vectors = append(vectors, []float32{float32(i) / 25})
		metadatas = append(metadatas, map[string]any{"gone": bound - 1 - int64(i)})
	}
	ids = append(ids, "at the bound", "later", "none", "text")
	vectors = append(vectors, []float32{0}, []float32{0}, []float32{0}, []float32{0})
	metadatas = append(metadatas, map[string]any{"gone": bound}, map[string]any{"gone": bound + 1}, nil, map[string]any{"gone": "x"})
	require.NoError(t, col.Upsert(ctx, ids, vectors, make([]string, len(ids)), metadatas))

	for _, want := range []int{10, 10, 5, 0} {
		n, err = col.Expire(ctx, "gone", bound, 10)
		require.NoError(t, err)
		require.Equal(t, want, n)
	}
	got, err := col.Get(ctx, ids)
	require.NoError(t, err)
	require.Len(t, got, 4)
	_, err = col.Expire(ctx, "gone", bound, 0)
	require.Error(t, err)
}
