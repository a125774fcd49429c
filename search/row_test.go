package search_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/search"
)

func TestARowIsPutTogetherAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t, tables{"app.articles": chunked()})
	body := strings.Repeat(boots+" Grüße aus 東京 👩‍👩‍👧‍👦. ", 3)
	doc := r.put("app.articles", int64(1), article("Boots", body))
	whole := strings.TrimSpace("Boots\n\n" + body)

	row, err := r.index.Row(t.Context(), "app.articles", "1", false)
	require.NoError(t, err)
	require.Equal(t, whole, row.Text)
	require.Equal(t, []any{"app.articles", "1"}, []any{row.Table, row.ID})
	require.Equal(t, map[string]any{"price": 9.5, "tags": []string{"a", "b"}, "language": "en"}, row.Metadata)
	require.Equal(t, &search.Version{LSN: 1, CommitTime: r.version().CommitTime, TextLSN: 1, TextCommitTime: r.version().CommitTime}, row.Version)
	require.Nil(t, row.Vector)
	require.Len(t, row.Chunks, len(doc.Chunks))
	for i, c := range row.Chunks {
		require.Equal(t, search.Chunk{Record: doc.Chunks[i].ID, Start: doc.Chunks[i].Start, End: doc.Chunks[i].End}, c)
		require.Equal(t, doc.Chunks[i].Text, row.Text[c.Start:c.End])
	}

	row, err = r.index.Row(t.Context(), "app.articles", "1", true)
	require.NoError(t, err)
	require.Equal(t, whole, row.Text)
	var sum [dimensions]float64
	for i, c := range row.Chunks {
		require.Equal(t, meaning(doc.Chunks[i].Text), c.Vector)
		for k, v := range c.Vector {
			sum[k] += float64(v) / length(c.Vector) / float64(len(row.Chunks))
		}
	}
	require.InDeltaSlice(t, sum[:], widen(row.Vector), 1e-6, "the mean of the directions")
}

func length(vector []float32) float64 {
	var square float64
	for _, v := range vector {
		square += float64(v) * float64(v)
	}
	return math.Sqrt(square)
}

func widen(vector []float32) []float64 {
	out := make([]float64, len(vector))
	for i, v := range vector {
		out[i] = float64(v)
	}
	return out
}

func TestARowOfOneRecordTakesOneRequest(t *testing.T) {
	t.Parallel()
	r := newRig(t, tables{"app.articles": articles()}, func(c *config.Config) { c.Chroma.Distance = chroma.L2 })
	r.put("app.articles", "a/b", article("Lamp", "Gives light."))
	r.server.Keep()
	row, err := r.index.Row(t.Context(), "", "a%2Fb", true)
	require.NoError(t, err)
	require.Equal(t, "Lamp\n\nGives light.", row.Text)
	require.Equal(t, meaning(row.Text), row.Vector)
	require.Equal(t, row.Vector, row.Chunks[0].Vector)
	require.Len(t, r.server.Requests("get"), 1)
	require.Equal(t, "a/b", *row.Key[0].Value)

	_, err = r.index.Row(t.Context(), "", "a/b", true)
	e := failureOf(t, err, search.NotFound, search.ReasonNotFound)
	require.Equal(t, "the index holds no such row of table app.articles", e.Message)
	for _, id := range []string{"", strings.Repeat("x", 40<<10)} {
		_, err = r.index.Row(t.Context(), "", id, false)
		require.Equal(t, "id", failureOf(t, err, search.Invalid, search.ReasonInvalid).Field)
	}
	_, err = r.index.Row(t.Context(), "app.article", "1", false)
	e = failureOf(t, err, search.NotFound, search.ReasonNotFound)
	require.Equal(t, `the table is not in the configuration; did you mean app.articles?`, e.Message)
}

func TestARowThatIsBeingWrittenIsReadAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t, tables{"app.articles": chunked()})
	doc := r.put("app.articles", int64(1), article("Boots", boots))
	col, last := r.collection("app.articles"), doc.Chunks[len(doc.Chunks)-1].ID
	broken := map[string]func(){
		"announced":     func() { r.change("1", document.KeyFingerprint, "") },
		"a chunk lacks": func() { require.NoError(t, col.Delete(t.Context(), []string{last})) },
		"a gap":         func() { r.change("1#2", document.KeyStart, int64(3)) },
	}
	for name, breakIt := range broken {
		r.put("app.articles", int64(1), article("Boots", boots))
		breakIt()
		_, err := r.index.Row(t.Context(), "app.articles", "1", false)
		require.Error(t, err, name)
		require.Positive(t, failureOf(t, err, search.Unavailable, search.ReasonUnsettled).RetryAfter())
	}

	var reads int
	fixed := make(chan struct{})
	r.put("app.articles", int64(1), article("Boots", boots))
	r.change("1", document.KeyFingerprint, "")
	r.server.Control(gets(func() {
		if reads++; reads == 3 { // the second attempt
			go func() { defer close(fixed); r.put("app.articles", int64(1), article("Boots", boots)) }()
		}
	}))
	row, err := r.index.Row(t.Context(), "app.articles", "1", false)
	<-fixed
	require.NoError(t, err)
	require.Equal(t, "Boots\n\n"+boots, row.Text)
}

// change sets one metadata value of a record.
func (r *rig) change(id, key string, value any) {
	r.t.Helper()
	require.NoError(r.t, r.collection("app.articles").Update(r.t.Context(), []string{id}, []map[string]any{{key: value}}))
}

func TestADamagedMarkIsToldAndDoesNotStopASearch(t *testing.T) {
	t.Parallel()
	r := newRig(t, tables{"app.articles": articles()})
	r.put("app.articles", int64(1), article("Lamp", "Gives light."))
	r.change("1", document.KeyChunks, "many")
	_, err := r.index.Row(t.Context(), "app.articles", "1", false)
	e := failureOf(t, err, search.Misconfigured, search.ReasonDamaged)
	require.NotContains(t, e.Message, "_rv_")
	require.ErrorContains(t, err, "_rv_chunks")
	hit := r.search(search.Query{Text: "lamp"}).Hits[0]
	require.Equal(t, []any{"1", 1}, []any{hit.Row, hit.Chunks})
	require.Nil(t, hit.Version)
}

func TestARecordThatBeginsInTheMiddleIsNoRow(t *testing.T) {
	t.Parallel()
	r := newRig(t, tables{"app.articles": articles()})
	r.put("app.articles", int64(1), article("Lamp", "Gives light."))
	row, err := r.index.Row(t.Context(), "app.articles", "1", false)
	require.NoError(t, err)
	r.change("1", document.KeyStart, int64(5))
	r.change("1", document.KeyEnd, int64(5+len(row.Text)))
	_, err = r.index.Row(t.Context(), "app.articles", "1", false)
	require.Error(t, err)
	require.Positive(t, failureOf(t, err, search.Unavailable, search.ReasonUnsettled).RetryAfter())
}

func TestChunksOfRowsThatAreGoneAreNoHits(t *testing.T) {
	t.Parallel()
	r := newRig(t, tables{"app.articles": chunked()})
	doc := r.put("app.articles", int64(1), article("Boots", boots))
	r.put("app.articles", int64(2), article("Lamp", "Gives light."))
	r.change("1", document.KeyChunks, int64(2))
	for _, h := range r.search(search.Query{Text: "boots laces leather water", TopK: 50}).Hits {
		require.Less(t, h.Chunk, 2, "what the row does not have any more")
	}
	require.NoError(t, r.collection("app.articles").Delete(t.Context(), []string{doc.ID}))
	require.Equal(t, []string{"2"}, rowsOf(r.search(search.Query{Text: "boots laces leather water", TopK: 50}).Hits))
}

func TestSimilarLeavesTheRowItselfOut(t *testing.T) {
	t.Parallel()
	r := newRig(t, tables{"app.articles": chunked()})
	r.put("app.articles", int64(1), article("Boots", boots))
	r.put("app.articles", int64(2), article("Boots", boots+" And socks."))
	for i := range 20 {
		r.put("app.articles", int64(i+3), article("Lamp", fmt.Sprintf("Gives light %d.", i)))
	}
	found, err := r.index.Similar(t.Context(), "app.articles", "1", 20)
	require.NoError(t, err)
	require.Len(t, found.Hits, 20)
	require.Equal(t, "2", found.Hits[0].Row)
	require.NotContains(t, rowsOf(found.Hits), "1")
	require.Zero(t, r.embedder.times(boots), "no text is embedded")

	_, err = r.index.Similar(t.Context(), "app.articles", "99", 20)
	requireError(t, err, search.NotFound, search.ReasonNotFound)
	for _, k := range []int{0, -1, 101} {
		_, err = r.index.Similar(t.Context(), "app.articles", "1", k)
		require.Equal(t, "topK", failureOf(t, err, search.Invalid, search.ReasonInvalid).Field)
	}
}

func TestCount(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string]map[string]any{"plain": articles(), "chunked": chunked()} {
		r := newRig(t, tables{"app.articles": settings})
		records := 0
		for i, key := range []any{int64(1), "x", strings.Repeat("long ", 40)} {
			records += len(r.put("app.articles", key, article("Boots", strings.Repeat(boots, i+1))).Chunks)
		}
		counts, err := r.index.Count(t.Context(), "", true)
		require.NoError(t, err)
		require.Equal(t, search.Counts{Records: records, Rows: 3}, counts, name)
		cheap, err := r.index.Count(t.Context(), "", false)
		require.NoError(t, err)
		require.Equal(t, map[string]int{"plain": 3, "chunked": -1}[name], cheap.Rows)
	}
}
