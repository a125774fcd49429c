package search_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/search"
)

// BenchmarkSearch is what a question costs besides the endpoint and Chroma: a cached vector, 30 chunks found, ten rows shown.
func BenchmarkSearch(b *testing.B) {
	found := make([]chroma.Match, 30)
	for i := range found {
		found[i] = chroma.Match{ID: document.ChunkIDs(strconv.Itoa(i/2), i%2, i%2+1)[0], Document: boots, Distance: float64(i) / 100, Metadata: map[string]any{
			"price": 9.5, "brand": "x", document.KeyLSN: int64(i + 1), document.KeyCommitTime: int64(i), document.KeyEmitted: int64(0),
			document.KeyFingerprint: "f", document.KeyChunks: int64(2), document.KeyStart: int64(0), document.KeyEnd: int64(len(boots)),
		}}
	}
	s := &shelf{nearest: func(chroma.Question) []chroma.Match { return found }}
	x := shelved(s, &embedder{asked: map[string]int{}}, []string{"a.b"}, search.Options{})
	defer x.Close()
	q := search.Query{Text: "grease the leather", TopK: 10, GroupByRow: true}
	b.ReportAllocs()
	for b.Loop() {
		r, err := x.Search(b.Context(), q)
		if err != nil || len(r.Hits) != 10 {
			require.FailNow(b, "a search failed", "%v", err)
		}
	}
}
