package search_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/search"
)

// TestARecordThatIsNotItsRowsAnyMoreTakesNobodysPlace: a row gets shorter, or goes, and the index is searched before its later chunks are
// removed. They are nearest to the question, and the answer is full all the same.
func TestARecordThatIsNotItsRowsAnyMoreTakesNobodysPlace(t *testing.T) {
	t.Parallel()
	r := newRig(t, tables{"app.articles": chunked()})
	for id := range 3 {
		long := r.put("app.articles", int64(id), article("Boots", boots))
		require.Greater(t, len(long.Chunks), 4)
	}
	for id := 3; id < 8; id++ {
		r.put("app.articles", int64(id), article("Lamp", fmt.Sprintf("Gives light %d.", id)))
	}
	r.put("app.articles", int64(0), article("Boots", "Leather, short."))                // its later chunks are still there
	require.NoError(t, r.collection("app.articles").Delete(t.Context(), []string{"1"})) // and so are these, of a row that goes

	found := r.search(search.Query{Text: "grease the leather twice a year", TopK: 7, GroupByRow: true})
	require.Len(t, found.Hits, 7, "all rows that there are")
	require.NotContains(t, rowsOf(found.Hits), "1")
	require.False(t, found.Partial)
	require.Equal(t, "2", found.Hits[0].Row)
	for _, h := range found.Hits {
		if h.Row == "0" {
			require.Contains(t, h.Text, "Leather, short.", "the chunk that the row has")
		}
	}
	similar, err := r.index.Similar(t.Context(), "app.articles", "2", 6)
	require.NoError(t, err)
	require.Len(t, similar.Hits, 6)
}

// TestAnIndexThatChangesUnderEachLook: whatever is chosen is gone when it is read. The question ends, and says that there may be more.
func TestAnIndexThatChangesUnderEachLook(t *testing.T) {
	t.Parallel()
	s := &fleeting{}
	s.nearest = func(q chroma.Question) []chroma.Match {
		found := make([]chroma.Match, q.K)
		for i := range found {
			found[i] = chroma.Match{ID: fmt.Sprintf("%d-%d#1", len(s.asked), i), Distance: float64(i)}
		}
		return found
	}
	c := &config.Config{Embedding: config.Embedding{Model: "m"}, Tables: map[string]config.Table{"a.b": {Collection: "c"}}}
	x := search.New(c, &embedder{asked: map[string]int{}}, func(context.Context, string) (search.Collection, error) { return s, nil }, search.Options{})
	defer x.Close()
	found, err := x.Search(t.Context(), search.Query{Text: "boots", TopK: 5})
	require.NoError(t, err)
	require.True(t, found.Partial)
	require.Empty(t, found.Hits)
	require.Len(t, s.asked, 4)
}

// fleeting is a collection in which no record is found again.
type fleeting struct{ shelf }

func (s *fleeting) Records(context.Context, []string) (map[string]chroma.Match, error) {
	return nil, nil
}
