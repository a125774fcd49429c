package chroma_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/chroma/chromatest"
)

func TestEnsureRefusesASpecThatCannotBe(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	client := newClient(t, server, nil)
	for _, c := range []struct {
		spec chroma.CollectionSpec
		want string
	}{
		{chroma.CollectionSpec{}, "collection: Chroma takes 3 to 512 characters"},
		{chroma.CollectionSpec{Name: "ab"}, "collection: "},
		{chroma.CollectionSpec{Name: "a/../b"}, "collection: "},
		{chroma.CollectionSpec{Name: "a..b"}, "collection: "},
		{chroma.CollectionSpec{Name: "-abc"}, "collection: "},
		{chroma.CollectionSpec{Name: "abc", Distance: "euclid"}, `chroma.distance: expected cosine, l2 or ip, found "euclid"`},
		{chroma.CollectionSpec{Name: "abc", HNSW: chroma.HNSW{EFSearch: -1}}, "chroma.hnsw: "},
		{chroma.CollectionSpec{Name: "abc", Metadata: map[string]any{"x": []string{}}}, `metadata "x" of the collection`},
		{chroma.CollectionSpec{Name: "abc", Metadata: map[string]any{"x": nil}}, `metadata "x" of the collection`},
	} {
		_, err := client.Ensure(t.Context(), c.spec)
		require.Contains(t, failureOf(t, err, "halt", chroma.ReasonInvalidSetting).Error(), c.want)
	}
	_, err := client.Collection(t.Context(), "a?b")
	requireError(t, err, "halt", chroma.ReasonInvalidSetting)
	require.Empty(t, server.Counts())
}

func TestEnsureSendsTheSettingsAndNoEmbeddingFunction(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	server.Keep()
	sent := func(i int) (body map[string]any) {
		require.NoError(t, json.Unmarshal(server.Requests("create")[i].Body, &body))
		return body
	}
	_, err := newClient(t, server, nil).Ensure(t.Context(), chroma.CollectionSpec{
		Name: "articles", Distance: chroma.InnerProduct, HNSW: chroma.HNSW{EFConstruction: 40, MaxNeighbors: 8, EFSearch: 20},
		Metadata: map[string]any{"owner": "rowvec", "n": int64(1), "f": 1.5, "b": true},
	})
	require.NoError(t, err)
	require.Equal(t, map[string]any{
		"name": "articles", "get_or_create": true, "metadata": map[string]any{"owner": "rowvec", "n": 1.0, "f": 1.5, "b": true},
		"configuration": map[string]any{"hnsw": map[string]any{
			"space": "ip", "ef_construction": 40.0, "max_neighbors": 8.0, "ef_search": 20.0,
		}},
	}, sent(0))
	_, err = newClient(t, server, nil).Ensure(t.Context(), chroma.CollectionSpec{Name: "defaults"})
	require.NoError(t, err)
	require.Equal(t, map[string]any{
		"name": "defaults", "get_or_create": true, "configuration": map[string]any{"hnsw": map[string]any{"space": "cosine"}},
	}, sent(1))
}

func TestACollectionIsLookedUpOnce(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	client := newClient(t, server, nil)
	first, err := client.Ensure(t.Context(), chroma.CollectionSpec{Name: "articles"})
	require.NoError(t, err)
	var group errgroup.Group
	for range 10 {
		group.Go(func() error {
			again, err := client.Ensure(t.Context(), chroma.CollectionSpec{Name: "articles"})
			require.Same(t, first, again)
			return err
		})
	}
	require.NoError(t, group.Wait())
	again, err := client.Collection(t.Context(), "articles")
	require.NoError(t, err)
	require.Same(t, first, again)
	require.Equal(t, map[string]int{"create": 1}, server.Counts())
}

func TestDistanceOfEveryKindOfServer(t *testing.T) {
	t.Parallel()
	const head = `{"id":"b5c1a6a4-5a1f-4a55-8a5e-6a4d6b0a1f00","name":"articles","tenant":"t","database":"d",`
	for body, want := range map[string]string{
		head + `"configuration_json":{"hnsw":{"space":"l2"},"spann":null}}`:               "l2",
		head + `"configuration_json":{"hnsw":null,"spann":{"space":"cosine"}}}`:           "cosine",
		head + `"configuration_json":{},"metadata":{"hnsw:space":"ip"},"dimension":null}`: "ip",
		head + `"metadata":null}`: "",
	} {
		server := chromatest.New(t)
		server.Control(only("collection", &chromatest.Response{Status: 200, Body: body}))
		col, err := newClient(t, server, nil).Collection(t.Context(), "articles")
		require.NoError(t, err)
		require.Equal(t, want, col.Distance())
		server.Control(only("create", &chromatest.Response{Status: 200, Body: body}))
		_, err = newClient(t, server, nil).Ensure(t.Context(), chroma.CollectionSpec{Name: "articles"})
		if want == "cosine" {
			require.NoError(t, err)
			continue
		}
		require.Contains(t, failureOf(t, err, "halt", chroma.ReasonDistanceMismatch).Error(), "expected cosine, found \""+want+"\"")
	}
}

func TestWhatCannotBeLookedUpIsNotBlamedOnSettings(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	for _, op := range []string{"database", "tenant"} {
		client := newClient(t, server, func(cfg *chroma.Config) { cfg.Tenant = "nobody" })
		server.Control(only(op, &chromatest.Response{Status: 503}))
		_, err := client.Ensure(t.Context(), chroma.CollectionSpec{Name: "articles"})
		requireError(t, err, "retry", chroma.ReasonUnavailable)
	}
	server.Control(nil)
	client := newClient(t, server, func(cfg *chroma.Config) { cfg.Tenant = "nobody" })
	_, err := client.Ensure(t.Context(), chroma.CollectionSpec{Name: "articles"})
	require.Contains(t, failureOf(t, err, "halt", chroma.ReasonTenantMissing).Error(), `chroma.tenant: "nobody" not found: create it`)
	server.AddTenant("nobody", "other")
	_, err = client.Ensure(t.Context(), chroma.CollectionSpec{Name: "articles"})
	require.Contains(t, failureOf(t, err, "halt", chroma.ReasonDatabaseMissing).Error(), `tenant "nobody" has no database "default_database"`)
	server.AddTenant("nobody", "default_database")
	_, err = client.Ensure(t.Context(), chroma.CollectionSpec{Name: "articles"})
	require.NoError(t, err, "once it exists, the same client goes on")
}

func TestAFixedDimensionIsSeenByTheSameClient(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	client := newClient(t, server, nil)
	spec := chroma.CollectionSpec{Name: "articles", Dimensions: 2}
	col, err := client.Ensure(t.Context(), spec)
	require.NoError(t, err)
	other := newCollection(t, server, nil)
	require.NoError(t, other.Upsert(t.Context(), []string{"a"}, [][]float32{{1, 2, 3}}, nil, nil))
	requireError(t, col.Upsert(t.Context(), []string{"b"}, [][]float32{{1, 2}}, nil, nil), "halt", chroma.ReasonDimensionMismatch)
	_, err = client.Ensure(t.Context(), spec)
	requireError(t, err, "halt", chroma.ReasonDimensionMismatch)
	require.True(t, server.DropCollection("articles"))
	col, err = client.Ensure(t.Context(), spec)
	require.NoError(t, err, "whoever removes the collection need not restart anything")
	require.NoError(t, col.Upsert(t.Context(), []string{"b"}, [][]float32{{1, 2}}, nil, nil))
}
