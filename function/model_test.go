package function

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/chroma/chromatest"
	"github.com/rowvec/rowvec/function/document"
)

// modelOf is what the collection of articles tells.
func modelOf(t *testing.T, server *chromatest.Server) any {
	t.Helper()
	client, err := chroma.New(chroma.Config{URL: server.URL})
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	col, err := client.Collection(t.Context(), "articles")
	require.NoError(t, err)
	require.Equal(t, chroma.Cosine, col.Distance())
	return col.Metadata()[document.KeyModel]
}

func TestTheCollectionTellsItsModel(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before map[string]any // nil: there is no collection
		asked  int
	}{
		"a new one":                 {nil, 0},
		"one from before":           {map[string]any{"owner": "x"}, 1},
		"one of another model":      {map[string]any{document.KeyModel: "old"}, 1},
		"one that tells it already": {map[string]any{document.KeyModel: "m"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			if c.before != nil {
				client, err := chroma.New(chroma.Config{URL: b.index.URL})
				require.NoError(t, err)
				t.Cleanup(func() { _ = client.Close() })
				_, err = client.Ensure(t.Context(), chroma.CollectionSpec{Name: "articles", Metadata: c.before})
				require.NoError(t, err)
			}
			for id := range 2 {
				within(t, b.handle(t, t.Context(), change(id+1, "articles")))
			}
			require.Len(t, b.index.Records("articles"), 2)
			require.Equal(t, "m", modelOf(t, b.index))
			require.Equal(t, c.asked, b.index.Counts()["annotate"])
		})
	}
}

func TestAModelThatCannotBeStoredStopsNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	client, err := chroma.New(chroma.Config{URL: b.index.URL})
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	_, err = client.Ensure(t.Context(), chroma.CollectionSpec{Name: "articles"})
	require.NoError(t, err)
	b.index.Control(func(r chromatest.Request) *chromatest.Response {
		if r.Op == "annotate" {
			return &chromatest.Response{Status: http.StatusForbidden}
		}
		return nil
	})
	within(t, b.handle(t, t.Context(), change(1, "articles")))
	require.Len(t, b.index.Records("articles"), 1)
	require.Nil(t, modelOf(t, b.index))
	require.Equal(t, 1, b.index.Counts()["annotate"])
}
