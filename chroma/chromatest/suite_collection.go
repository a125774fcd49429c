package chromatest

import (
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
)

func ensureCreates(t *scene) {
	require.NoError(t, t.client.Heartbeat(t.Context()))
	for _, distance := range []string{chroma.Cosine, chroma.L2, chroma.InnerProduct} {
		spec := chroma.CollectionSpec{
			Name: t.name(), Distance: distance, HNSW: chroma.HNSW{EFConstruction: 50, MaxNeighbors: 8, EFSearch: 33},
			Metadata: map[string]any{"rowvec": "suite", "n": int64(1)},
		}
		col, err := t.client.Ensure(t.Context(), spec)
		require.NoError(t, err)
		require.Equal(t, distance, col.Distance())
		// Another process sees the same, and again does not change it.
		col, err = t.other().Ensure(t.Context(), spec)
		require.NoError(t, err)
		require.Equal(t, distance, col.Distance())
	}
}

func ensureRefusesDistance(t *scene) {
	col := t.ensure(chroma.L2)
	for _, client := range []*chroma.Client{t.client, t.other()} {
		_, err := client.Ensure(t.Context(), chroma.CollectionSpec{Name: col.Name(), Distance: chroma.Cosine})
		t.requireError(err, "halt", chroma.ReasonDistanceMismatch)
		require.ErrorContains(t, err, `chroma.distance: expected cosine, found "l2"`)
	}
	_, err := t.client.Ensure(t.Context(), chroma.CollectionSpec{Name: col.Name(), Distance: chroma.L2})
	require.NoError(t, err, "the right distance still opens it")
}

func ensureRefusesDimension(t *scene) {
	col := t.ensure(chroma.Cosine)
	spec := chroma.CollectionSpec{Name: col.Name(), Dimensions: 3}
	_, err := t.other().Ensure(t.Context(), spec)
	require.NoError(t, err, "an empty collection takes any dimension")
	require.NoError(t, col.Upsert(t.Context(), []string{"a"}, [][]float32{{1, 2}}, nil, nil))
	_, err = t.other().Ensure(t.Context(), spec)
	t.requireError(err, "halt", chroma.ReasonDimensionMismatch)
	require.ErrorContains(t, err, "vectors have 3 dimensions, the collection has 2")
}

func ensureMissingScope(t *scene) {
	for _, c := range []struct{ tenant, database, reason string }{
		{"no-such-tenant", "default_database", chroma.ReasonTenantMissing},
		{"default_tenant", "no-such-database", chroma.ReasonDatabaseMissing},
	} {
		client, err := chroma.New(chroma.Config{URL: t.url, Tenant: c.tenant, Database: c.database})
		require.NoError(t, err)
		_, err = client.Ensure(t.Context(), chroma.CollectionSpec{Name: "suite-nowhere"})
		t.requireError(err, "halt", c.reason)
		_, err = client.Collection(t.Context(), "suite-nowhere")
		t.requireError(err, "halt", c.reason)
		require.NoError(t, client.Close())
	}
}

func collectionDoesNotCreate(t *scene) {
	name := t.name()
	for range 2 {
		_, err := t.client.Collection(t.Context(), name)
		t.requireError(err, "retry", chroma.ReasonCollectionMissing)
	}
	_, err := t.client.Ensure(t.Context(), chroma.CollectionSpec{Name: name, Distance: chroma.L2})
	require.NoError(t, err)
	col, err := t.other().Collection(t.Context(), name)
	require.NoError(t, err)
	require.Equal(t, chroma.L2, col.Distance())
}

func removedCollection(t *scene) {
	ctx := t.Context()
	gone := t.ensure(chroma.Cosine)
	t.drop(ctx, gone.Name())
	_, err := gone.Get(ctx, []string{"a"})
	t.requireError(err, "retry", chroma.ReasonCollectionMissing)
	again, err := t.client.Ensure(ctx, chroma.CollectionSpec{Name: gone.Name()})
	require.NoError(t, err)
	require.NoError(t, again.Upsert(ctx, []string{"a"}, [][]float32{{1}}, nil, nil))

	_, err = gone.Query(ctx, []float32{1}, 1, nil)
	t.requireError(err, "retry", chroma.ReasonCollectionMissing)
	_, err = gone.Count(ctx)
	t.requireError(err, "retry", chroma.ReasonCollectionMissing)
	t.requireError(gone.Upsert(ctx, []string{"a"}, [][]float32{{1}}, nil, nil), "retry", chroma.ReasonCollectionMissing)
	t.requireError(gone.Update(ctx, []string{"a"}, []map[string]any{{"k": "v"}}), "retry", chroma.ReasonCollectionMissing)
	t.requireError(gone.Delete(ctx, []string{"a"}), "retry", chroma.ReasonCollectionMissing)

	same, err := t.client.Ensure(ctx, chroma.CollectionSpec{Name: gone.Name()})
	require.NoError(t, err)
	require.Same(t, again, same, "a stale handle does not push out the new one")
}

func dimensionHalts(t *scene) {
	ctx := t.Context()
	col := t.ensure(chroma.Cosine)
	require.NoError(t, col.Upsert(ctx, []string{"a"}, [][]float32{{1, 2, 3}}, nil, nil))
	t.requireError(col.Upsert(ctx, []string{"b"}, [][]float32{{1, 2}}, nil, nil), "halt", chroma.ReasonDimensionMismatch)
	_, err := col.Query(ctx, []float32{1, 2}, 1, nil)
	t.requireError(err, "halt", chroma.ReasonDimensionMismatch)
	n, err := col.Count(ctx)
	require.NoError(t, err)
	require.Equal(t, 1, n, "nothing of a refused request is written")

	require.NoError(t, col.Delete(ctx, []string{"a"}))
	t.requireError(col.Upsert(ctx, []string{"b"}, [][]float32{{1, 2}}, nil, nil), "halt", chroma.ReasonDimensionMismatch)
}
