package search_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/search"
)

func several(names ...string) search.Query {
	return search.Query{Tables: names, Text: "mud boots", TopK: 3}
}

func TestSeveralTablesAnswerTogether(t *testing.T) {
	t.Parallel()
	r := newRig(t, tables{"app.a": articles(), "app.b": articles(), "app.c": articles()})
	for i, table := range []string{"app.a", "app.b", "app.c"} {
		r.put(table, int64(i), article("mud", "boots"))
		r.put(table, int64(i+10), article("mud", "lamps and torches"))
	}
	found := r.search(several("app.a", "app.b"))
	require.Equal(t, 1, r.embedder.times("mud boots"), "one vector")
	require.Equal(t, []any{"", "articles", []string(nil)}, []any{found.Table, found.Collection, found.Skipped})
	require.Len(t, found.Hits, 3, "topK in all")
	require.ElementsMatch(t, []string{"0", "1"}, rowsOf(found.Hits[:2]), "the best of both")
	require.Greater(t, found.Hits[1].Score, found.Hits[2].Score)

	_, err := r.index.Search(t.Context(), search.Query{Table: "app.a", Tables: []string{"app.b"}, Text: "x", TopK: 1})
	require.Equal(t, "tables", failureOf(t, err, search.Invalid, search.ReasonInvalid).Field)
	_, err = r.index.Search(t.Context(), several("app.a", "app.nobody"))
	requireError(t, err, search.NotFound, search.ReasonNotFound)
}

func TestTablesOfTwoCollectionsAreNoQuestion(t *testing.T) {
	t.Parallel()
	other := articles()
	other["collection"] = "others"
	r := newRig(t, tables{"app.a": articles(), "app.b": other})
	_, err := r.index.Search(t.Context(), several("app.a", "app.b"))
	require.Equal(t, "expected tables of one collection: app.a is in articles, app.b in others", failureOf(t, err, search.Invalid, search.ReasonInvalid).Message)
}

// TestATableWithoutTheFiltersColumnIsLeftOut: it has no row that the filter could be about.
func TestATableWithoutTheFiltersColumnIsLeftOut(t *testing.T) {
	t.Parallel()
	bare, brands := articles(), articles()
	bare["metadata"], brands["metadata"] = []any{"tags"}, []any{"brand", "price"}
	r := newRig(t, tables{"app.articles": articles(), "app.bare": bare, "app.brands": brands})
	for i, table := range []string{"app.articles", "app.bare", "app.brands"} {
		row := article("mud", "boots")
		row["brand"] = "x"
		r.put(table, int64(i), row)
	}
	q := several("app.articles", "app.bare", "app.brands")
	q.Where = map[string]any{"price": map[string]any{"$ne": 1}}
	found := r.search(q)
	require.ElementsMatch(t, []string{"0", "2"}, rowsOf(found.Hits))
	require.Equal(t, []string{"app.bare"}, found.Skipped)

	two := several("app.bare", "app.brands")
	two.Where = q.Where
	found = r.search(two)
	require.Equal(t, []any{"", []string{"app.bare"}}, []any{found.Table, found.Skipped}, "several were asked, if one is left")

	q.Where = map[string]any{"brand": "x", "tags": map[string]any{"$contains": "a"}}
	_, err := r.index.Search(t.Context(), q)
	e := failureOf(t, err, search.Invalid, search.ReasonInvalid)
	require.Equal(t, []string{"where", "no table of the collection has all of these columns: app.articles has no brand; app.bare has no brand; app.brands has no tags"},
		[]string{e.Field, e.Message})
	q.Where = map[string]any{"prize": 1}
	_, err = r.index.Search(t.Context(), q)
	e = failureOf(t, err, search.Invalid, search.ReasonInvalid)
	require.Equal(t, []string{"where.prize", "unknown column; did you mean price?"}, []string{e.Field, e.Message})
}

// slow answers when its time has come, or its asker's is over.
type slow struct {
	*shelf

	takes time.Duration

	mu         sync.Mutex
	now, peaks int
}

func (s *slow) Nearest(ctx context.Context, _ chroma.Question) ([]chroma.Match, error) {
	s.mu.Lock()
	s.now++
	s.peaks = max(s.peaks, s.now)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.now--
		s.mu.Unlock()
	}()
	select {
	case <-time.After(s.takes):
		return nil, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("query: %w", ctx.Err())
	}
}

// TestSeveralTablesHaveOneTime: they are asked at once, some at a time, and all together take no longer than one may.
func TestSeveralTablesHaveOneTime(t *testing.T) {
	t.Parallel()
	names := []string{"a.a", "a.b", "a.c", "a.d", "a.e", "a.f", "a.g", "a.h"}
	for takes, want := range map[time.Duration]time.Duration{time.Second: 2 * time.Second, 4 * time.Second: 5 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			s := &slow{shelf: &shelf{}, takes: takes}
			x := indexOver(s, &embedder{asked: map[string]int{}}, names, search.Options{Timeout: 5 * time.Second})
			defer x.Close()
			begun := time.Now()
			_, err := x.Search(t.Context(), several(names...))
			require.Equal(t, want, time.Since(begun))
			require.Equal(t, 4, s.peaks)
			if takes == time.Second {
				require.NoError(t, err)
				return
			}
			requireError(t, err, search.Unavailable, search.ReasonTimeout)
			synctest.Wait()
			require.Zero(t, s.now, "nobody is left behind")
		})
	}
}

// TestWholeNumbersStayWhole: 2^53 + 1 is no float64.
func TestWholeNumbersStayWhole(t *testing.T) {
	t.Parallel()
	r := newRig(t, tables{"app.articles": articles()})
	const big = int64(1<<53 + 1)
	row := article("mud", "boots")
	row["price"] = big
	r.put("app.articles", int64(1), row)
	r.server.Keep()
	found := r.search(search.Query{Text: "boots", Where: map[string]any{"price": json.Number("9007199254740993")}})
	require.Equal(t, []string{"1"}, rowsOf(found.Hits))
	require.Equal(t, big, found.Hits[0].Metadata["price"])
	require.Contains(t, string(r.server.Requests("query")[0].Body), `{"$eq":9007199254740993}`)
	told, err := json.Marshal(found.Hits[0].Metadata)
	require.NoError(t, err)
	require.Contains(t, string(told), `"price":9007199254740993`)
}

// foreign is a collection of another model.
type foreign struct{ *shelf }

func (*foreign) Metadata() map[string]any { return map[string]any{document.KeyModel: "m-other"} }

// TestAnotherModelIsNotLookedAtForEveryQuestion: each would open the collection twice.
func TestAnotherModelIsNotLookedAtForEveryQuestion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &foreign{&shelf{}}
		x := indexOver(s, &embedder{asked: map[string]int{}}, []string{"a.b"}, search.Options{})
		defer x.Close()
		for range 20 {
			_, err := ask(t.Context(), x, "boots")
			requireError(t, err, search.Misconfigured, search.ReasonModelMismatch)
		}
		require.Equal(t, 1, s.opened)
		<-time.After(time.Second)
		for range 20 {
			_, err := ask(t.Context(), x, "boots")
			requireError(t, err, search.Misconfigured, search.ReasonModelMismatch)
		}
		require.Equal(t, 2, s.opened, "a second later it may be another one")
	})
}

func TestWithoutACacheEveryQuestionIsEmbedded(t *testing.T) {
	t.Parallel()
	s, e := &shelf{}, &embedder{asked: map[string]int{}}
	x := shelved(s, e, []string{"a.b"}, search.Options{CacheEntries: -1})
	defer x.Close()
	for i := range 3 {
		found, err := ask(t.Context(), x, "boots")
		require.NoError(t, err)
		require.False(t, found.CachedVector)
		require.Equal(t, i+1, e.times("boots"))
	}
}

// TestAHashedRowIsFoundByItsHash: which is all that its record and its events tell.
func TestAHashedRowIsFoundByItsHash(t *testing.T) {
	t.Parallel()
	r := newRig(t, tables{"app.a": articles(), "app.b": articles()})
	doc := r.put("app.a", fmt.Sprintf("%0200d", 7), article("mud", "boots"))
	require.True(t, document.IsHashed(doc.ID))
	row, err := r.index.Row(t.Context(), "app.a", doc.ID, false)
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("%0200d", 7), row.ID)
	_, err = r.index.Row(t.Context(), "app.b", doc.ID, false)
	requireError(t, err, search.NotFound, search.ReasonNotFound)
	r.put("app.a", "..", connector.Row{"title": "dots", "body": "two"})
	row, err = r.index.Row(t.Context(), "app.a", "..", false)
	require.NoError(t, err)
	require.Equal(t, "..", row.ID)
}
