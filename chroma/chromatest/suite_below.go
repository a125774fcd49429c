package chromatest

import (
	"fmt"
	"maps"
	"slices"

	"github.com/stretchr/testify/require"
)

// listBelow pages as the sweep of a truncate does: by three clocks, over what stays.
func listBelow(t *scene) {
	ctx := t.Context()
	col := t.ensure("")
	const bound = int64(1_795_250_207_281)
	bounds := map[string]int64{"a": bound, "b": bound, "c": bound}
	found, err := col.Below(ctx, bounds, 0, 10)
	require.NoError(t, err)
	require.Empty(t, found, "nothing there")

	var want []string
	ids, vectors, metadatas := make([]string, 0, 30), make([][]float32, 0, 30), make([]map[string]any, 0, 30)
	for i := range 30 {
		id := fmt.Sprintf("record %02d", i)
		meta := map[string]any{"a": bound, "b": bound + 1, "c": bound + int64(i), "title": id}
		switch i % 4 {
		case 0:
			meta["a"] = bound - 1
			want = append(want, id)
		case 1:
			meta["c"] = int64(0)
			want = append(want, id)
		case 2:
			meta["a"] = "text"
			delete(meta, "b")
		}
		ids, vectors, metadatas = append(ids, id), append(vectors, []float32{1, float32(i), 0}), append(metadatas, meta)
	}
	require.NoError(t, col.Upsert(ctx, ids, vectors, make([]string, len(ids)), metadatas))
	var pages []string
	for offset := 0; offset < 2*len(want); offset += 6 {
		found, err = col.Below(ctx, bounds, offset, 6)
		require.NoError(t, err)
		page := slices.Sorted(maps.Keys(found))
		for _, id := range page {
			require.Equal(t, id, found[id]["title"])
		}
		pages = append(pages, page...)
	}
	require.Equal(t, want, pages, "each once, in the order of insertion")
	found, err = col.Below(ctx, map[string]int64{"c": 1}, 0, 100)
	require.NoError(t, err)
	require.Len(t, found, 8)
	for _, bad := range []func() error{
		func() error { _, err := col.Below(ctx, nil, 0, 1); return err },
		func() error { _, err := col.Below(ctx, bounds, -1, 1); return err },
		func() error { _, err := col.Below(ctx, bounds, 0, 0); return err },
	} {
		require.Error(t, bad())
	}
}
