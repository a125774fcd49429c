package search_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/search"
)

// TestAProbeIsNeverFound: the function puts a record into the collection to see whether it takes one. It may be left there by a crash.
func TestAProbeIsNeverFound(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string]tables{
		"alone":  {"app.articles": chunked()},
		"shared": {"app.articles": chunked(), "app.others": chunked()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, settings)
			r.put("app.articles", int64(1), article("Lamp", "Gives light."))
			before, err := r.index.Count(t.Context(), "app.articles", true)
			require.NoError(t, err)
			require.Equal(t, 1, before.Rows)
			require.NoError(t, r.collection("app.articles").Upsert(t.Context(), []string{document.ProbeID}, [][]float32{meaning("rowvec")},
				[]string{"rowvec"}, []map[string]any{{document.KeyProbe: int64(1)}}))

			found := r.search(search.Query{Table: "app.articles", Text: "rowvec", TopK: 5})
			require.Equal(t, []string{"1"}, rowsOf(found.Hits))
			similar, err := r.index.Similar(t.Context(), "app.articles", "1", 5)
			require.NoError(t, err)
			require.Empty(t, similar.Hits)
			_, err = r.index.Row(t.Context(), "app.articles", document.ProbeID, false)
			requireError(t, err, search.NotFound, search.ReasonNotFound)
			after, err := r.index.Count(t.Context(), "app.articles", true)
			require.NoError(t, err)
			require.Equal(t, before.Rows, after.Rows)
		})
	}
}

// A probe among what Chroma found does not hide how far away the farthest is: one question is enough to know that no more is near.
func TestAProbeCostsNoQuestion(t *testing.T) {
	t.Parallel()
	r := newRig(t, tables{"app.articles": articles(), "app.others": articles()})
	r.put("app.articles", int64(1), article("Lamp", "Gives light."))
	for i := range 20 {
		r.put("app.others", int64(i), article(fmt.Sprint("Other", i), fmt.Sprint("Number", i)))
	}
	least := 0.9
	ask := func() int {
		r.server.Keep()
		require.Empty(t, r.search(search.Query{Table: "app.articles", Text: "rowvec", TopK: 3, MinScore: &least}).Hits)
		return len(r.server.Requests("query"))
	}
	require.Equal(t, 1, ask())
	require.NoError(t, r.collection("app.articles").Upsert(t.Context(), []string{document.ProbeID}, [][]float32{meaning("rowvec")},
		[]string{"rowvec"}, []map[string]any{{document.KeyProbe: int64(1)}}))
	require.Equal(t, 1, ask())
}
