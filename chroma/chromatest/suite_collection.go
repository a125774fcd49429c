package chromatest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
)

func ensureCreates(t *testing.T, b *bench) {
	for _, distance := range []string{chroma.Cosine, chroma.L2, chroma.InnerProduct} {
		spec := chroma.CollectionSpec{
			Name: b.name(t), Distance: distance, HNSW: chroma.HNSW{EFConstruction: 50, MaxNeighbors: 8, EFSearch: 33},
			Metadata: map[string]any{"rowvec": "suite", "n": int64(1)},
		}
		col, err := b.client.Ensure(t.Context(), spec)
		require.NoError(t, err)
		require.Equal(t, distance, col.Distance())
		// Another process sees the same, and again does not change it.
		col, err = b.other(t).Ensure(t.Context(), spec)
		require.NoError(t, err)
		require.Equal(t, distance, col.Distance())
	}
}

func ensureRefusesDistance(t *testing.T, b *bench) {
	col := b.ensure(t, chroma.L2)
	for _, client := range []*chroma.Client{b.client, b.other(t)} {
		_, err := client.Ensure(t.Context(), chroma.CollectionSpec{Name: col.Name(), Distance: chroma.Cosine})
		requireError(t, err, "halt", chroma.ReasonDistanceMismatch)
		require.ErrorContains(t, err, `chroma.distance: expected cosine, found "l2"`)
	}
	_, err := b.client.Ensure(t.Context(), chroma.CollectionSpec{Name: col.Name(), Distance: chroma.L2})
	require.NoError(t, err, "the right distance still opens it")
}

func ensureRefusesDimension(t *testing.T, b *bench) {
	col := b.ensure(t, chroma.Cosine)
	spec := chroma.CollectionSpec{Name: col.Name(), Dimensions: 3}
	_, err := b.other(t).Ensure(t.Context(), spec)
	require.NoError(t, err, "an empty collection takes any dimension")
	require.NoError(t, col.Upsert(t.Context(), []string{"a"}, [][]float32{{1, 2}}, nil, nil))
	_, err = b.other(t).Ensure(t.Context(), spec)
	requireError(t, err, "halt", chroma.ReasonDimensionMismatch)
	require.ErrorContains(t, err, "vectors have 3 dimensions, the collection has 2")
}

func ensureMissingScope(t *testing.T, b *bench) {
	for _, c := range []struct{ tenant, database, reason string }{
		{"no-such-tenant", "default_database", chroma.ReasonTenantMissing},
		{"default_tenant", "no-such-database", chroma.ReasonDatabaseMissing},
	} {
		client, err := chroma.New(chroma.Config{URL: b.url, Tenant: c.tenant, Database: c.database})
		require.NoError(t, err)
		_, err = client.Ensure(t.Context(), chroma.CollectionSpec{Name: "suite-nowhere"})
		requireError(t, err, "halt", c.reason)
		_, err = client.Collection(t.Context(), "suite-nowhere")
		requireError(t, err, "halt", c.reason)
		require.NoError(t, client.Close())
	}
}

func collectionDoesNotCreate(t *testing.T, b *bench) {
	name := b.name(t)
	for range 2 {
		_, err := b.client.Collection(t.Context(), name)
		requireError(t, err, "retry", chroma.ReasonCollectionMissing)
	}
	_, err := b.client.Ensure(t.Context(), chroma.CollectionSpec{Name: name, Distance: chroma.L2})
	require.NoError(t, err)
	col, err := b.other(t).Collection(t.Context(), name)
	require.NoError(t, err)
	require.Equal(t, chroma.L2, col.Distance())
}

func removedCollection(t *testing.T, b *bench) {
	ctx := t.Context()
	gone := b.ensure(t, chroma.Cosine)
	b.drop(ctx, t, gone.Name())
	_, err := gone.Get(ctx, []string{"a"})
	requireError(t, err, "retry", chroma.ReasonCollectionMissing)
	again, err := b.client.Ensure(ctx, chroma.CollectionSpec{Name: gone.Name()})
	require.NoError(t, err)
	require.NoError(t, again.Upsert(ctx, []string{"a"}, [][]float32{{1}}, nil, nil))

	_, err = gone.Query(ctx, []float32{1}, 1, nil)
	requireError(t, err, "retry", chroma.ReasonCollectionMissing)
	_, err = gone.Count(ctx)
	requireError(t, err, "retry", chroma.ReasonCollectionMissing)
	requireError(t, gone.Upsert(ctx, []string{"a"}, [][]float32{{1}}, nil, nil), "retry", chroma.ReasonCollectionMissing)
	requireError(t, gone.Update(ctx, []string{"a"}, []map[string]any{{"k": "v"}}), "retry", chroma.ReasonCollectionMissing)
	requireError(t, gone.Delete(ctx, []string{"a"}), "retry", chroma.ReasonCollectionMissing)

	same, err := b.client.Ensure(ctx, chroma.CollectionSpec{Name: gone.Name()})
	require.NoError(t, err)
	require.Same(t, again, same, "a stale handle does not push out the new one")
}

func dimensionHalts(t *testing.T, b *bench) {
	ctx := t.Context()
	col := b.ensure(t, chroma.Cosine)
	require.NoError(t, col.Upsert(ctx, []string{"a"}, [][]float32{{1, 2, 3}}, nil, nil))
	requireError(t, col.Upsert(ctx, []string{"b"}, [][]float32{{1, 2}}, nil, nil), "halt", chroma.ReasonDimensionMismatch)
	_, err := col.Query(ctx, []float32{1, 2}, 1, nil)
	requireError(t, err, "halt", chroma.ReasonDimensionMismatch)
	n, err := col.Count(ctx)
	require.NoError(t, err)
	require.Equal(t, 1, n, "nothing of a refused request is written")

	require.NoError(t, col.Delete(ctx, []string{"a"}))
	requireError(t, col.Upsert(ctx, []string{"b"}, [][]float32{{1, 2}}, nil, nil), "halt", chroma.ReasonDimensionMismatch)
}
