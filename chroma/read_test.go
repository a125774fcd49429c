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

func TestRecordsAndIDsAskForNoMoreThanTheyGive(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	col := newCollection(t, server, nil)
	require.NoError(t, col.Upsert(t.Context(), []string{"a", "b"}, [][]float32{{1}, {2}}, []string{"A", "B"},
		[]map[string]any{{"n": int64(1)}, {"n": int64(2)}}))
	server.Keep()
	found, err := col.Records(t.Context(), []string{"b", "c", "b"})
	require.NoError(t, err)
	require.Equal(t, map[string]chroma.Match{"b": {ID: "b", Document: "B", Metadata: map[string]any{"n": int64(2)}}}, found)
	ids, err := col.IDs(t.Context(), 1, 5)
	require.NoError(t, err)
	require.Equal(t, []string{"b"}, ids)
	requests := server.Requests("get")
	require.JSONEq(t, `{"ids":["b","c"],"include":["metadatas","documents"]}`, string(requests[0].Body))
	require.JSONEq(t, `{"limit":5,"offset":1,"include":["distances"]}`, string(requests[1].Body))
	_, err = col.IDs(t.Context(), -1, 1)
	requireError(t, err, "poison", chroma.ReasonInvalidArguments)
	_, err = col.Records(t.Context(), []string{""})
	requireError(t, err, "poison", chroma.ReasonInvalidID)
}
