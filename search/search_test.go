package search_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/search"
)

const boots = `Boots for mud have deep lugs. They grip where others slip.

Clean them with cold water. Dry them far from the fire. Grease the leather twice a year.

Laces wear out first. Carry a spare pair on long walks, and wax them before the rain comes.`

func TestAHitNamesRowChunkAndOffsets(t *testing.T) {
	t.Parallel()
	r := newRig(t, tables{"app.articles": chunked()})
	doc := r.put("app.articles", int64(1), article("Boots", boots))
	r.put("app.articles", int64(2), article("Lamp", "Gives light."))
	require.Greater(t, len(doc.Chunks), 4)
	text := "Boots\n\n" + boots

	found := r.search(search.Query{Text: "grease the leather twice a year", GroupByRow: true})
	require.Equal(t, []string{"1", "2"}, rowsOf(found.Hits))
	require.Equal(t, []any{"app.articles", "articles", "cosine", false, false}, []any{found.Table, found.Collection, found.Distance, found.Partial, found.CachedVector})
	best := found.Hits[0]
	require.Contains(t, best.Text, "leather")
	require.Equal(t, text[best.Start:best.End], best.Text)
	require.Positive(t, best.Chunk)
	require.Equal(t, len(doc.Chunks), best.Chunks)
	require.Equal(t, fmt.Sprintf("1#%d", best.Chunk), best.Record)
	require.Equal(t, map[string]any{"price": 9.5, "tags": []string{"a", "b"}, "language": "en"}, best.Metadata)
	require.EqualValues(t, 1, best.Version.LSN, "a later chunk's version is that of its row")
	require.Equal(t, int64(1_700_000_000_001), best.Version.CommitTime.UnixMilli())
	require.Equal(t, "1", *best.Key[0].Value)
	require.InDelta(t, 1-best.Distance, best.Score, 1e-9)
	lamp := found.Hits[1]
	require.Equal(t, []any{"2", "2", 0, 1, 0, len("Lamp\n\nGives light.")}, []any{lamp.Row, lamp.Record, lamp.Chunk, lamp.Chunks, lamp.Start, lamp.End})

	every := r.search(search.Query{Text: "boots laces leather water", TopK: 100})
	require.Len(t, every.Hits, len(doc.Chunks)+1)
	for _, h := range every.Hits {
		if h.Row == "1" {
			require.Equal(t, text[h.Start:h.End], h.Text)
		}
	}
}

// TestRowsBehindALongOne: a row of many near chunks does not keep the others out.
func TestRowsBehindALongOne(t *testing.T) {
	t.Parallel()
	r := newRig(t, tables{"app.articles": chunked()})
	long := r.put("app.articles", int64(1), article("mud", strings.Repeat("Mud and mud and mud again, says mud of mud. ", 60)))
	require.Greater(t, len(long.Chunks), 40)
	for i := range 5 {
		r.put("app.articles", int64(i+2), article("other", fmt.Sprintf("Word%d and mud.", i)))
	}
	r.server.Keep()
	found := r.search(search.Query{Text: "mud and mud", TopK: 4, GroupByRow: true})
	require.Len(t, found.Hits, 4)
	require.Equal(t, "1", found.Hits[0].Row)
	require.Len(t, map[string]bool{found.Hits[0].Row: true, found.Hits[1].Row: true, found.Hits[2].Row: true, found.Hits[3].Row: true}, 4)
	for _, h := range found.Hits {
		require.NotEmpty(t, h.Text, "what was found without text gets it afterwards")
		require.NotNil(t, h.Version)
	}
	asked := r.server.Requests("query")
	require.Equal(t, 3, len(asked), "for 12, 48 and 192 records")
	require.NotContains(t, string(asked[0].Body), `"include":["distances"]`)
	require.Contains(t, string(asked[2].Body), `"include":["distances"]`)

	all := r.search(search.Query{Text: "mud and mud", TopK: 50, GroupByRow: true})
	require.Len(t, all.Hits, 6, "and no more than there are")
	require.False(t, all.Partial)
}

func TestTablesThatShareACollectionAreKeptApart(t *testing.T) {
	t.Parallel()
	plain := articles()
	r := newRig(t, tables{"app.articles": plain, "app.article": plain, "other.articles": plain})
	long := strings.Repeat("ключ ", 30)
	for i := range 50 {
		r.put("app.articles", int64(i), article("mud", "mud boots"))
	}
	r.put("app.articles", long, article("mud", "mud boots"))
	r.put("app.article", int64(7), article("lamp", "for boots"))
	r.put("app.article", long, article("torch", "no word in common"))
	require.Len(t, r.server.Records("articles"), 53)

	found := r.search(search.Query{Table: "app.article", Text: "mud boots", TopK: 5, GroupByRow: true})
	require.Len(t, found.Hits, 2)
	require.Equal(t, "7", found.Hits[0].Row)
	require.Equal(t, "app.article/7", found.Hits[0].Record)
	require.Equal(t, long, *found.Hits[1].Key[0].Value, "a hashed key is told in full")
	require.True(t, strings.HasPrefix(found.Hits[1].Record, "h:"))
	for _, h := range found.Hits {
		row, err := r.index.Row(t.Context(), "app.article", h.Row, false)
		require.NoError(t, err)
		require.Equal(t, h.Text, row.Text)
		similar, err := r.index.Similar(t.Context(), "app.article", h.Row, 10)
		require.NoError(t, err)
		require.Len(t, similar.Hits, 1, "neither itself nor another table's")
	}
	require.Empty(t, r.search(search.Query{Table: "other.articles", Text: "mud"}).Hits)
	_, err := r.index.Row(t.Context(), "other.articles", found.Hits[1].Record, false)
	requireError(t, err, search.NotFound, search.ReasonNotFound)
	_, err = r.index.Row(t.Context(), "app.article", "3", false)
	requireError(t, err, search.NotFound, search.ReasonNotFound)

	counts, err := r.index.Count(t.Context(), "app.article", true)
	require.NoError(t, err)
	require.Equal(t, search.Counts{Records: 53, Rows: 2}, counts)
	counts, err = r.index.Count(t.Context(), "app.article", false)
	require.NoError(t, err)
	require.Equal(t, search.Counts{Records: 53, Rows: -1}, counts)
}

func TestFiltersAndLeastScore(t *testing.T) {
	t.Parallel()
	r := newRig(t, tables{"app.articles": articles()})
	for i := range 10 {
		row := article("Boots", fmt.Sprintf("number n%d", i))
		row["price"] = float64(i)
		row["tags"] = []any{int64(i), int64(100)}
		r.put("app.articles", int64(i), row)
	}
	cheap := r.search(search.Query{Text: "boots", TopK: 9, Where: map[string]any{"price": map[string]any{"$lt": 3, "$gte": 1}, "language": "en"}})
	require.ElementsMatch(t, []string{"1", "2"}, rowsOf(cheap.Hits))
	tagged := r.search(search.Query{Text: "boots", TopK: 9, Where: map[string]any{"tags": map[string]any{"$contains": 4}}})
	require.Equal(t, []string{"4"}, rowsOf(tagged.Hits))
	texts := r.search(search.Query{Text: "boots", TopK: 9, Contains: "n7"})
	require.Equal(t, []string{"7"}, rowsOf(texts.Hits))

	exact := r.search(search.Query{Text: "boots number n3", TopK: 9})
	require.InDelta(t, 1, exact.Hits[0].Score, 1e-5)
	least := (exact.Hits[0].Score + exact.Hits[1].Score) / 2
	require.Equal(t, []string{"3"}, rowsOf(r.search(search.Query{Text: "boots number n3", TopK: 9, MinScore: &least}).Hits))
	least = 2
	require.Empty(t, r.search(search.Query{Text: "boots", MinScore: &least}).Hits)
}

func TestScoresOfTheOtherDistances(t *testing.T) {
	t.Parallel()
	for distance, want := range map[string]func(d float64) float64{
		chroma.L2: func(d float64) float64 { return 1 / (1 + d) }, chroma.InnerProduct: func(d float64) float64 { return 1 - d },
	} {
		r := newRig(t, tables{"app.articles": articles()}, func(c *config.Config) { c.Chroma.Distance = distance })
		r.put("app.articles", int64(1), article("Boots", "of mud"))
		r.put("app.articles", int64(2), article("Lamp", "of light"))
		found := r.search(search.Query{Text: "boots of mud"})
		require.Equal(t, distance, found.Distance)
		require.Equal(t, []string{"1", "2"}, rowsOf(found.Hits))
		for _, h := range found.Hits {
			require.InDelta(t, want(h.Distance), h.Score, 1e-9)
		}
	}
}

func TestKeysAreNamedWhereTheSettingsDo(t *testing.T) {
	t.Parallel()
	r := newRig(t, tables{"app.articles": articles("key", []any{"country", "code"})})
	r.put("app.articles", nil, connector.Row{"country": "Côte d'Ivoire", "code": nil, "title": "x", "body": "y"})
	hit := r.search(search.Query{Text: "x"}).Hits[0]
	name := "Côte d'Ivoire"
	require.Equal(t, []search.KeyColumn{{Column: "country", Value: &name}, {Column: "code"}}, hit.Key)
	require.Equal(t, "C%C3%B4te%20d%27Ivoire/%null", hit.Row)
	for _, id := range []string{hit.Row, "Côte d'Ivoire/%null"} {
		row, err := r.index.Row(t.Context(), "", id, false)
		require.NoError(t, err)
		require.Equal(t, []any{hit.Row, hit.Key}, []any{row.ID, row.Key})
	}
}
