package chroma_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/chroma/chromatest"
)

func TestReadsRefuseWhatChromaWouldChokeOn(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	col := newCollection(t, server, nil)
	ctx := t.Context()
	for _, k := range []int{0, -1} {
		_, err := col.Query(ctx, []float32{1}, k, nil)
		requireError(t, err, "poison", chroma.ReasonInvalidArguments)
	}
	for _, vector := range [][]float32{nil, {}, {float32(math.NaN())}} {
		_, err := col.Query(ctx, vector, 1, nil)
		requireError(t, err, "poison", chroma.ReasonInvalidVector)
	}
	_, err := col.Query(ctx, []float32{1}, 1, map[string]any{"f": func() {}})
	requireError(t, err, "poison", chroma.ReasonInvalidArguments)
	_, err = col.List(ctx, -1, 1, false)
	requireError(t, err, "poison", chroma.ReasonInvalidArguments)
	_, err = col.List(ctx, 0, 0, false)
	requireError(t, err, "poison", chroma.ReasonInvalidArguments)
	_, err = col.Get(ctx, []string{"a", ""})
	requireError(t, err, "poison", chroma.ReasonInvalidID)
	require.Equal(t, map[string]int{"preflight": 1, "create": 1}, server.Counts())
}

func TestRecordsWithoutADocumentAreRead(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	col := newCollection(t, server, nil)
	require.NoError(t, col.Upsert(t.Context(), []string{"a"}, [][]float32{{1}}, nil, nil))
	found, err := col.List(t.Context(), 0, 10, true)
	require.NoError(t, err)
	require.Equal(t, []chroma.Match{{ID: "a", Metadata: map[string]any{}}}, found)
	found, err = col.Query(t.Context(), []float32{1}, 1, nil)
	require.NoError(t, err)
	require.Equal(t, []chroma.Match{{ID: "a", Metadata: map[string]any{}}}, found)
}

func TestGetAsksForMetadataOnly(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	col := newCollection(t, server, nil)
	server.Keep()
	_, err := col.Get(t.Context(), []string{"a", "b", "a"})
	require.NoError(t, err)
	require.JSONEq(t, `{"ids":["a","b"],"include":["metadatas"]}`, string(server.Requests("get")[0].Body))
	_, err = col.Query(t.Context(), []float32{1, 0.5}, 3, map[string]any{"n": map[string]any{"$gt": 1}})
	require.NoError(t, err)
	require.JSONEq(t, `{"query_embeddings":[[1,0.5]],"n_results":3,"where":{"n":{"$gt":1}},"include":["metadatas","documents","distances"]}`,
		string(server.Requests("query")[0].Body))
}
