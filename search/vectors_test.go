package search_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/search"
)

// shelf is a collection without a network; what a test does not set is empty.
type shelf struct {
	search.Collection

	nearest func(chroma.Question) []chroma.Match

	mu     sync.Mutex
	asked  []chroma.Question
	opened int // how often it was looked for
}

func (s *shelf) Distance() string         { return chroma.Cosine }
func (s *shelf) Dimensions() int          { return 0 }
func (s *shelf) Metadata() map[string]any { return nil }

func (s *shelf) Nearest(_ context.Context, q chroma.Question) ([]chroma.Match, error) {
	s.mu.Lock()
	s.asked = append(s.asked, q)
	s.mu.Unlock()
	if s.nearest == nil {
		return nil, nil
	}
	return s.nearest(q), nil
}

func (s *shelf) Records(_ context.Context, ids []string) (map[string]chroma.Match, error) {
	found := map[string]chroma.Match{}
	for _, id := range ids {
		found[id] = chroma.Match{ID: id, Document: "text of " + id, Metadata: map[string]any{}}
	}
	return found, nil
}

// shelved is an Index over a shelf.
func shelved(s *shelf, e search.Embedder, names []string, o search.Options) *search.Index {
	return indexOver(s, e, names, o)
}

// looked is a collection that counts how often it was looked for.
type looked interface {
	search.Collection
	looked()
}

func (s *shelf) looked() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened++
}

func indexOver(s looked, e search.Embedder, names []string, o search.Options) *search.Index {
	c := &config.Config{Embedding: config.Embedding{Model: "m"}, Tables: map[string]config.Table{}}
	for _, name := range names {
		c.Tables[name] = config.Table{Collection: "c"}
	}
	return search.New(c, e, func(context.Context, string) (search.Collection, error) {
		s.looked()
		return s, nil
	}, o)
}

func ask(ctx context.Context, x *search.Index, text string) (*search.Result, error) {
	return x.Search(ctx, search.Query{Text: text, TopK: 1})
}

func TestVectorsOfQuestionsAreKeptForAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, e := &shelf{}, &embedder{asked: map[string]int{}}
		x := shelved(s, e, []string{"a.b"}, search.Options{CacheTTL: time.Minute})
		defer x.Close()
		for _, cached := range []bool{false, true, true} {
			found, err := ask(t.Context(), x, "boots")
			require.NoError(t, err)
			require.Equal(t, cached, found.CachedVector)
			<-time.After(25 * time.Second)
		}
		require.Equal(t, 1, e.times("boots"))
		_, err := ask(t.Context(), x, "boots")
		require.NoError(t, err)
		require.Equal(t, 2, e.times("boots"), "hits do not make it live longer")
		require.Equal(t, 2, s.opened, "the collection is looked at again after half a minute")
	})
}

func TestTheCacheIsBoundedInEntriesAndBytes(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]search.Options{"entries": {CacheEntries: 3}, "bytes": {CacheBytes: 3 * (4*dimensions + 300)}} {
		s, e := &shelf{}, &embedder{asked: map[string]int{}}
		x := shelved(s, e, []string{"a.b"}, o)
		for i := range 5 {
			_, err := ask(t.Context(), x, fmt.Sprintf("text %d", i))
			require.NoError(t, err)
		}
		for i, cached := range []bool{true, true, true} {
			found, err := ask(t.Context(), x, fmt.Sprintf("text %d", 4-i))
			require.NoError(t, err)
			require.Equal(t, cached, found.CachedVector, name)
		}
		found, err := ask(t.Context(), x, "text 0")
		require.NoError(t, err)
		require.False(t, found.CachedVector, name)
		x.Close()
	}
}

func TestEqualQuestionsAtOnceAreOneRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, e := &shelf{}, &embedder{asked: map[string]int{}, hold: make(chan struct{})}
		x := shelved(s, e, []string{"a.b"}, search.Options{})
		defer x.Close()
		first, leave := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() { _, err := ask(first, x, "boots"); gone <- err }()
		synctest.Wait()
		var others sync.WaitGroup
		for range 20 {
			others.Go(func() {
				if _, err := ask(t.Context(), x, "boots"); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		leave()
		require.ErrorIs(t, <-gone, context.Canceled, "who was first may leave")
		close(e.hold)
		others.Wait()
		require.Equal(t, 1, e.times("boots"), "and the others get their vector all the same")
	})
}

func TestAnEndpointThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, e := &shelf{}, &embedder{asked: map[string]int{}, hold: make(chan struct{})}
		x := shelved(s, e, []string{"a.b"}, search.Options{Timeout: 5 * time.Second})
		start := time.Now()
		_, err := ask(t.Context(), x, "boots")
		requireError(t, err, search.Unavailable, search.ReasonTimeout)
		require.Equal(t, 5*time.Second, time.Since(start))
		synctest.Wait() // the request itself ends at the same moment

		ended := make(chan error, 1)
		go func() { _, err := ask(t.Context(), x, "boots"); ended <- err }()
		synctest.Wait()
		x.Close()
		requireError(t, <-ended, search.Unavailable, search.ReasonClosed)
		_, err = ask(t.Context(), x, "boots")
		requireError(t, err, search.Unavailable, search.ReasonClosed)
	})
}

// TestTheSearchGivesUp: of a collection of 30,000 records none of the first 20,000 is the table's.
func TestTheSearchGivesUp(t *testing.T) {
	t.Parallel()
	s := &shelf{}
	s.nearest = func(q chroma.Question) []chroma.Match {
		found := make([]chroma.Match, min(q.K, 30_000))
		for i := range found {
			found[i] = chroma.Match{ID: fmt.Sprintf("a.b/%d", i), Distance: float64(i), Metadata: map[string]any{}}
			if i%7000 == 6999 {
				found[i].ID = fmt.Sprintf("a.c/%d", i)
			}
		}
		return found
	}
	x := shelved(s, &embedder{asked: map[string]int{}}, []string{"a.b", "a.c"}, search.Options{})
	defer x.Close()
	found, err := x.Search(t.Context(), search.Query{Table: "a.c", Text: "x", TopK: 10})
	require.NoError(t, err)
	require.True(t, found.Partial)
	require.Equal(t, []string{"6999", "13999"}, rowsOf(found.Hits))
	require.Equal(t, "text of a.c/6999", found.Hits[0].Text)
	var ks []int
	for i, q := range s.asked {
		ks = append(ks, q.K)
		require.Equal(t, i > 0, q.Bare)
	}
	require.Equal(t, []int{20, 80, 320, 1280, 5120, 20_000}, ks)

	found, err = x.Search(t.Context(), search.Query{Table: "a.c", Text: strings.Repeat("x", 2), TopK: 2})
	require.NoError(t, err)
	require.False(t, found.Partial)
	require.Len(t, found.Hits, 2)
}
