package chroma_test

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/chroma/chromatest"
)

func TestWhatChromaCannotHoldIsRefusedBeforeItIsSent(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	col := newCollection(t, server, nil)
	good, nan, inf := []float32{1, 2}, float32(math.NaN()), float32(math.Inf(-1))
	type metas = []map[string]any
	for name, c := range map[string]struct {
		ids             []string
		vectors         [][]float32
		documents       []string
		metadatas       metas
		reason, id, say string
	}{
		"no vectors":       {[]string{"a"}, nil, nil, nil, chroma.ReasonInvalidArguments, "", "1 ids, 0 vectors"},
		"a vector more":    {[]string{"a"}, [][]float32{good, good}, nil, nil, chroma.ReasonInvalidArguments, "", "1 ids, 2 vectors"},
		"a document less":  {[]string{"a"}, [][]float32{good}, []string{}, nil, chroma.ReasonInvalidArguments, "", "1 ids, 0 documents"},
		"a metadata more":  {[]string{"a"}, [][]float32{good}, nil, make(metas, 2), chroma.ReasonInvalidArguments, "", "1 ids, 2 metadatas"},
		"an empty id":      {[]string{"a", ""}, [][]float32{good, good}, nil, nil, chroma.ReasonInvalidID, "", "index 1"},
		"an empty vector":  {[]string{"a"}, [][]float32{{}}, nil, nil, chroma.ReasonInvalidVector, "a", "empty"},
		"a NaN":            {[]string{"a", "b"}, [][]float32{good, {1, nan}}, nil, nil, chroma.ReasonInvalidVector, "b", "not finite"},
		"an infinity":      {[]string{"a"}, [][]float32{{inf, 1}}, nil, nil, chroma.ReasonInvalidVector, "a", "not finite"},
		"two dimensions":   {[]string{"a", "b"}, [][]float32{good, {1}}, nil, nil, chroma.ReasonInvalidVector, "b", "1 dimensions, others of the call have 2"},
		"a map":            {[]string{"a"}, [][]float32{good}, nil, metas{{"ok": 1, "m": map[string]any{}}}, chroma.ReasonInvalidMetadata, "a", `key "m"`},
		"a float32":        {[]string{"a"}, [][]float32{good}, nil, metas{{"f": float32(1)}}, chroma.ReasonInvalidMetadata, "a", `key "f": a value of type float32`},
		"a nested list":    {[]string{"a"}, [][]float32{good}, nil, metas{{"l": []any{[]any{}}}}, chroma.ReasonInvalidMetadata, "a", `key "l"`},
		"a mixed list":     {[]string{"a"}, [][]float32{good}, nil, metas{{"l": []any{int64(1), "x"}}}, chroma.ReasonInvalidMetadata, "a", "several types"},
		"ints and floats":  {[]string{"a"}, [][]float32{good}, nil, metas{{"l": []any{int64(1), 1.5}}}, chroma.ReasonInvalidMetadata, "a", "several types"},
		"a null in a list": {[]string{"a"}, [][]float32{good}, nil, metas{{"l": []any{nil}}}, chroma.ReasonInvalidMetadata, "a", `key "l"`},
		"a NaN value":      {[]string{"a"}, [][]float32{good}, nil, metas{{"n": math.NaN()}}, chroma.ReasonInvalidMetadata, "a", "not finite"},
		"a long list":      {[]string{"a"}, [][]float32{good}, nil, metas{{"l": make([]string, 5462)}}, chroma.ReasonInvalidMetadata, "a", "more than 5461 elements"},
		"long lists": {
			[]string{"a"}, [][]float32{good}, nil, metas{{
				"s": make([]string, 1000), "i": make([]int64, 1000), "f": make([]float64, 1000), "b": make([]bool, 1000), "a": slices.Repeat([]any{"x"}, 1462),
			}}, chroma.ReasonInvalidMetadata, "a", "leave the longest out of metadata",
		},
		"an infinite list": {[]string{"a"}, [][]float32{good}, nil, metas{{"n": []float64{math.Inf(1)}}}, chroma.ReasonInvalidMetadata, "a", "not finite"},
	} {
		err := col.Upsert(t.Context(), c.ids, c.vectors, c.documents, c.metadatas)
		failed := failureOf(t, err, "poison", c.reason)
		require.Equal(t, c.id, failed.RecordID, name)
		require.Contains(t, failed.Error(), c.say, name)
		require.Zero(t, failed.Status(), name)
	}
	for _, key := range []string{"", "#x", "$x"} {
		err := col.Update(t.Context(), []string{"a"}, metas{{key: "v"}})
		failed := failureOf(t, err, "halt", chroma.ReasonInvalidKey)
		require.Contains(t, failed.Error(), "metadata keys may not be empty")
	}
	require.Zero(t, server.Counts()["upsert"]+server.Counts()["update"])
	require.Equal(t, 1, server.Counts()["preflight"])
}

// TestAnAddHasNoNulls: Chroma refuses them there, and nothing is stored that they could remove.
func TestAnAddHasNoNulls(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	col := newCollection(t, server, nil)
	server.Keep()
	ids, vectors := []string{"a", "b", "c"}, [][]float32{{1, 2}, {3, 4}, {5, 6}}
	require.NoError(t, col.Add(t.Context(), ids, vectors, []string{"A", "B", "C"}, []map[string]any{
		{"n": nil, "text": ":null", "gone": []int64{}}, {"n": nil, "gone": []any{}}, nil,
	}))
	var sent struct{ Metadatas []map[string]any }
	require.NoError(t, json.Unmarshal(server.Requests("add")[0].Body, &sent))
	require.Equal(t, []map[string]any{{"text": ":null"}, {}, nil}, sent.Metadatas)
	require.Contains(t, string(server.Requests("add")[0].Body), `"documents":["A","B","C"]`)
	require.NoError(t, col.Add(t.Context(), []string{"b"}, [][]float32{{9, 9}}, []string{"other"}, nil))
	require.Equal(t, "B", *server.Records("articles")["b"].Document)
	failure := failureOf(t, col.Add(t.Context(), []string{"d"}, [][]float32{{1, 2}}, nil, []map[string]any{{"m": map[string]any{}}}), "poison", chroma.ReasonInvalidMetadata)
	require.Equal(t, "d", failure.RecordID)
	require.Equal(t, "add", failure.Op)
}

func TestNothingToDoSendsNothing(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	client := newClient(t, server, nil)
	col, err := client.Ensure(t.Context(), chroma.CollectionSpec{Name: "articles"})
	require.NoError(t, err)
	require.NoError(t, col.Upsert(t.Context(), nil, nil, nil, nil))
	require.NoError(t, col.Update(t.Context(), nil, nil))
	require.NoError(t, col.Delete(t.Context(), nil))
	got, err := col.Get(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, got)
	require.Equal(t, map[string]int{"create": 1}, server.Counts())
}

func TestVectorsTravelAsTheServerTakesThem(t *testing.T) {
	t.Parallel()
	for noBase64, want := range map[bool]string{false: `"embeddings":["AACAPwAAAEA="]`, true: `"embeddings":[[1,2]]`} {
		server := chromatest.Start(chromatest.Options{NoBase64: noBase64})
		t.Cleanup(server.Close)
		col := newCollection(t, server, nil)
		server.Keep()
		require.NoError(t, col.Upsert(t.Context(), []string{"a"}, [][]float32{{1, 2}}, nil, []map[string]any{nil}))
		require.Contains(t, string(server.Requests("upsert")[0].Body), want)
		require.Equal(t, []float32{1, 2}, server.Records("articles")["a"].Vector)
		require.NoError(t, col.Update(t.Context(), []string{"a"}, []map[string]any{{"k": nil, "n": int64(1)}}))
		body := string(server.Requests("update")[0].Body)
		require.Contains(t, body, `"embeddings":[null]`)
		require.NotContains(t, body, `"documents"`)
		require.Equal(t, []float32{1, 2}, server.Records("articles")["a"].Vector)
	}
}

func TestARefusedUpdateIsOnlyPoisonWhenTheServerAnswersOtherwise(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	col := newCollection(t, server, nil)
	update := func() error { return col.Update(t.Context(), []string{"a"}, []map[string]any{{"n": int64(1)}}) }
	server.Control(only("update", &chromatest.Response{Status: 422}))
	requireError(t, update(), "poison", chroma.ReasonInvalidRequest)
	server.Control(func(chromatest.Request) *chromatest.Response { return &chromatest.Response{Status: 422} })
	requireError(t, update(), "halt", chroma.ReasonRefused)
}

func TestARefusedVectorIsOnlyPoisonWhenTheDimensionIsRight(t *testing.T) {
	t.Parallel()
	refuse := func(r chromatest.Request) bool { return r.Op == "upsert" || r.Op == "query" }
	for name, c := range map[string]struct {
		lookup        *chromatest.Response
		class, reason string
	}{
		"the dimension is right":   {nil, "poison", chroma.ReasonInvalidRequest},
		"it cannot be asked":       {&chromatest.Response{Status: 503}, "retry", chroma.ReasonUnavailable},
		"everything is refused":    {&chromatest.Response{Status: 400}, "halt", chroma.ReasonRefused},
		"the collection is gone":   {&chromatest.Response{Status: 404}, "retry", chroma.ReasonCollectionMissing},
		"it has another dimension": {&chromatest.Response{Status: 200, Body: `{"dimension":3}`}, "halt", chroma.ReasonDimensionMismatch},
		"it has none yet":          {&chromatest.Response{Status: 200, Body: `{"dimension":null}`}, "poison", chroma.ReasonInvalidRequest},
	} {
		server := chromatest.New(t)
		col := newCollection(t, server, nil)
		require.NoError(t, col.Upsert(t.Context(), []string{"a"}, [][]float32{{1, 2}}, nil, nil))
		server.Control(func(r chromatest.Request) *chromatest.Response {
			if refuse(r) {
				return &chromatest.Response{Status: 400, Body: said("Something about " + strings.Repeat("it ", 3))}
			}
			if r.Op == "collection" {
				return c.lookup
			}
			return nil
		})
		err := col.Upsert(t.Context(), []string{"a"}, [][]float32{{1, 2}}, nil, nil)
		failed := failureOf(t, err, c.class, c.reason)
		require.Equal(t, "articles", failed.Collection, name)
		require.Equal(t, c.reason == chroma.ReasonDimensionMismatch, failed.Dimensions() == 3, name)
		_, err = col.Query(t.Context(), []float32{1, 2}, 1, nil)
		requireError(t, err, c.class, c.reason)
	}
}
