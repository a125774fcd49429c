package chroma_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/chroma/chromatest"
)

func TestNearestAsksForNoMoreThanItGives(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	col := newCollection(t, server, nil)
	server.Keep()
	for _, c := range []struct {
		q    chroma.Question
		want string
	}{
		{chroma.Question{K: 2}, `"n_results":2,"include":["metadatas","documents","distances"]`},
		{chroma.Question{K: 2, Bare: true}, `"n_results":2,"include":["distances"]`},
		{
			chroma.Question{K: 2, Contains: `a "b`, Where: map[string]any{"n": 1}},
			`"n_results":2,"where":{"n":1},"where_document":{"$contains":"a \"b"},"include":["metadatas","documents","distances"]`,
		},
	} {
		c.q.Vector = []float32{1, 0.5}
		_, err := col.Nearest(t.Context(), c.q)
		require.NoError(t, err)
		asked := server.Requests("query")
		require.JSONEq(t, `{"query_embeddings":[[1,0.5]],`+c.want+`}`, string(asked[len(asked)-1].Body))
	}
}

func TestARefusedQuestionIsNotRepeatedInTheError(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	col := newCollection(t, server, nil)
	server.Control(only("query", &chromatest.Response{
		Status: http.StatusBadRequest, Body: `{"error":"InvalidArgumentError","message":"cannot look for private words of somebody"}`,
	}))
	_, err := col.Nearest(t.Context(), chroma.Question{Vector: []float32{1}, K: 1, Contains: "private words of somebody"})
	requireError(t, err, "poison", chroma.ReasonInvalidRequest)
	require.NotContains(t, err.Error(), "private")
}

func TestVectorsThatAreFewerThanTheirRecordsAreABadAnswer(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	col := newCollection(t, server, nil)
	require.NoError(t, col.Upsert(t.Context(), []string{"a"}, [][]float32{{1}}, nil, nil))
	server.Control(only("get", &chromatest.Response{
		Status: http.StatusOK, Body: `{"ids":["a"],"embeddings":[],"documents":[null],"metadatas":[null]}`,
	}))
	_, err := col.Vectors(t.Context(), []string{"a"})
	requireError(t, err, "retry", chroma.ReasonBadResponse)
	_, err = col.Vectors(t.Context(), []string{""})
	requireError(t, err, "poison", chroma.ReasonInvalidID)
}

func TestAnnotateRefusesWhatChromaWouldChokeOn(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	col := newCollection(t, server, nil)
	for _, value := range []any{nil, []string{}, map[string]any{}} {
		requireError(t, col.Annotate(t.Context(), map[string]any{"k": value}), "halt", chroma.ReasonInvalidSetting)
	}
	require.Zero(t, server.Counts()["annotate"])
	require.Empty(t, col.Metadata())
	col.Metadata()["k"] = "v"
	require.Empty(t, col.Metadata(), "the caller's copy")
}
