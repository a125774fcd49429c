package search_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/chroma/chromatest"
	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/search"
)

// gets calls f for each reading of records.
func gets(f func()) func(chromatest.Request) *chromatest.Response {
	return func(r chromatest.Request) *chromatest.Response {
		if r.Op == "get" {
			f()
		}
		return nil
	}
}

func TestAnotherModelIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, tables{"app.articles": articles()})
	r.put("app.articles", int64(1), article("Lamp", "Gives light."))
	require.Equal(t, "m-1", r.collection("app.articles").Metadata()[document.KeyModel])

	other := *r.config
	other.Embedding.Model = "m-2"
	index := search.New(&other, r.embedder, search.From(r.connect()), search.Options{})
	defer index.Close()
	_, err := index.Search(t.Context(), search.Query{Text: "lamp", TopK: 1})
	e := failureOf(t, err, search.Misconfigured, search.ReasonModelMismatch)
	require.Equal(t, search.Embedding, e.Service)
	require.Equal(t, `the index of table app.articles was made with the embedding model "m-1", and questions with "m-2" do not compare with it`, e.Message)
	require.ErrorContains(t, err, "set embedding.model and embedding.dimensions to what filled collection articles")
	require.Zero(t, r.embedder.times("lamp"), "and no embedding is paid for")
	row, err := index.Row(t.Context(), "", "1", false)
	require.NoError(t, err, "what is stored can be read with any")
	require.Equal(t, []string{"1", "m-1"}, []string{row.ID, row.Model}, "and tells whose vectors these are")
	_, err = index.Similar(t.Context(), "", "1", 1)
	require.Equal(t, e.Message, failureOf(t, err, search.Misconfigured, search.ReasonModelMismatch).Message)

	require.NoError(t, r.collection("app.articles").Annotate(t.Context(), map[string]any{document.KeyModel: "m-2"}))
	require.Eventually(t, func() bool {
		found, err := index.Search(t.Context(), search.Query{Text: "lamp", TopK: 1})
		return err == nil && len(found.Hits) == 1
	}, 10*time.Second, 100*time.Millisecond, "it is looked at again")
}

func TestACollectionThatDoesNotTellItsModelIsSearched(t *testing.T) {
	t.Parallel()
	r := newRig(t, tables{"app.articles": articles()})
	_, err := r.client.Ensure(t.Context(), chroma.CollectionSpec{Name: "articles"})
	require.NoError(t, err)
	r.put("app.articles", int64(1), article("Lamp", "Gives light."))
	require.Len(t, r.search(search.Query{Text: "lamp"}).Hits, 1)
}

func TestVectorsOfAnotherLengthAreRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, tables{"app.articles": articles()})
	require.NoError(t, r.collection("app.articles").Upsert(t.Context(), []string{"1"}, [][]float32{{1, 2, 3}}, nil, nil))
	_, err := r.index.Search(t.Context(), search.Query{Text: "lamp", TopK: 1})
	e := failureOf(t, err, search.Misconfigured, chroma.ReasonDimensionMismatch)
	require.Equal(t, "the vectors of table app.articles have 3 dimensions, and those of questions 96", e.Message)
	require.Equal(t, search.Embedding, e.Service, "Chroma is not asked")

	// Where the settings say how long vectors are, none needs to be made.
	told := *r.config
	told.Embedding.Dimensions = dimensions
	index := search.New(&told, r.embedder, search.From(r.connect()), search.Options{})
	defer index.Close()
	_, err = index.Search(t.Context(), search.Query{Text: "torch", TopK: 1})
	e = failureOf(t, err, search.Misconfigured, chroma.ReasonDimensionMismatch)
	require.Equal(t, "the vectors of table app.articles have 3 dimensions, and those of questions 96", e.Message)
	require.Zero(t, r.embedder.times("torch"))
	_, err = index.Similar(t.Context(), "", "1", 1)
	require.Equal(t, e.Message, failureOf(t, err, search.Misconfigured, chroma.ReasonDimensionMismatch).Message)
}

// TestARefusedVectorIsMadeAnew: the endpoint may serve the right model by now.
func TestARefusedVectorIsMadeAnew(t *testing.T) {
	t.Parallel()
	r := newRig(t, tables{"app.articles": articles()})
	filled := r.collection("app.articles")
	require.Empty(t, r.search(search.Query{Text: "lamp"}).Hits)
	require.NoError(t, filled.Upsert(t.Context(), []string{"1"}, [][]float32{{1, 2, 3}}, nil, nil))
	for asked := range 3 { // the vector at hand is refused by Chroma, the next ones here
		_, err := r.index.Search(t.Context(), search.Query{Text: "lamp", TopK: 1})
		require.ErrorContains(t, err, "dimensions")
		require.Equal(t, 1+asked, r.embedder.times("lamp"))
	}
}

func TestACollectionThatIsMissingOrMadeAnew(t *testing.T) {
	t.Parallel()
	r := newRig(t, tables{"app.articles": articles()})
	_, err := r.index.Search(t.Context(), search.Query{Text: "lamp", TopK: 1})
	e := failureOf(t, err, search.NotFound, chroma.ReasonCollectionMissing)
	require.Equal(t, "table app.articles has no index yet: the function makes it with the first row", e.Message)
	require.ErrorContains(t, err, "collection articles")

	r.put("app.articles", int64(1), article("Lamp", "Gives light."))
	require.Len(t, r.search(search.Query{Text: "lamp"}).Hits, 1)
	require.True(t, r.server.DropCollection("articles"))
	r.client = r.connect()
	r.put("app.articles", int64(2), article("Lamp", "Gives light."))
	require.Equal(t, []string{"2"}, rowsOf(r.search(search.Query{Text: "lamp"}).Hits), "the new one is found at once")
	require.True(t, r.server.DropCollection("articles"))
	_, err = r.index.Row(t.Context(), "", "2", false)
	requireError(t, err, search.NotFound, chroma.ReasonCollectionMissing)
}

// told is an error as embed makes them.
type told struct {
	class, reason string
	after         time.Duration
}

func (e *told) Error() string             { return "embed secret-host: " + e.reason }
func (e *told) Class() string             { return e.class }
func (e *told) Reason() string            { return e.reason }
func (e *told) RetryAfter() time.Duration { return e.after }

func TestErrorsOfTheEndpointTellWhoCanMendThem(t *testing.T) {
	t.Parallel()
	r := newRig(t, tables{"app.articles": articles()})
	r.put("app.articles", int64(1), article("Lamp", "Gives light."))
	for _, c := range []struct {
		fail  *told
		kind  search.Kind
		field string
	}{
		{&told{"retry", "rate_limited", 7 * time.Second}, search.Unavailable, ""},
		{&told{"halt", "auth", 0}, search.Misconfigured, ""},
		{&told{"poison", "too_large", 0}, search.Invalid, "query"},
	} {
		r.embedder.fail = c.fail
		_, err := r.index.Search(t.Context(), search.Query{Text: "lamp", TopK: 1})
		e := failureOf(t, err, c.kind, c.fail.reason)
		require.Equal(t, []any{c.fail.after, c.field, search.Embedding}, []any{e.RetryAfter(), e.Field, e.Service})
		require.ErrorIs(t, err, c.fail)
		require.NotContains(t, e.Message, "secret-host")
	}
	r.embedder.fail = nil
	require.Len(t, r.search(search.Query{Text: "lamp"}).Hits, 1, "a failure is not kept")
	unclassified := errors.New("odd")
	r.embedder.fail = unclassified
	_, err := r.index.Search(t.Context(), search.Query{Text: "other", TopK: 1})
	require.ErrorIs(t, err, unclassified)
}

func TestErrorsOfChromaTellWhoCanMendThem(t *testing.T) {
	t.Parallel()
	r := newRig(t, tables{"app.articles": articles()})
	r.put("app.articles", int64(1), article("Lamp", "Gives light."))
	for _, c := range []struct {
		status int
		query  search.Query
		kind   search.Kind
		reason string
		field  string
	}{
		{503, search.Query{}, search.Unavailable, chroma.ReasonUnavailable, ""},
		{429, search.Query{}, search.Unavailable, chroma.ReasonRateLimited, ""},
		{401, search.Query{}, search.Misconfigured, chroma.ReasonUnauthorized, ""},
		{400, search.Query{}, search.Misconfigured, chroma.ReasonInvalidRequest, ""},
		{400, search.Query{Contains: "x"}, search.Invalid, chroma.ReasonInvalidRequest, "contains"},
		{400, search.Query{Where: map[string]any{"price": 1}}, search.Invalid, chroma.ReasonInvalidRequest, "where"},
	} {
		r.server.Control(func(q chromatest.Request) *chromatest.Response {
			if q.Op != "query" {
				return nil
			}
			return &chromatest.Response{Status: c.status, Header: http.Header{"Retry-After": {"3"}}, Body: `{"message":"internal words"}`}
		})
		c.query.Text, c.query.TopK = "lamp", 1
		_, err := r.index.Search(t.Context(), c.query)
		e := failureOf(t, err, c.kind, c.reason)
		require.Equal(t, []any{c.field, search.Chroma}, []any{e.Field, e.Service})
		require.NotContains(t, e.Message, "internal")
		if c.kind == search.Unavailable {
			require.Equal(t, 3*time.Second, e.RetryAfter())
		}
	}
}

func TestQuestionsThatCannotBeAnswered(t *testing.T) {
	t.Parallel()
	r := newRig(t, tables{"app.articles": articles(), "app.notes": articles("collection", "notes")})
	for _, c := range []struct {
		query search.Query
		kind  search.Kind
		field string
	}{
		{search.Query{Text: "x", TopK: 1}, search.Invalid, "table"},
		{search.Query{Table: "app.nobody", Text: "x", TopK: 1}, search.NotFound, ""},
		{search.Query{Table: "app.notes", TopK: 1}, search.Invalid, "query"},
		{search.Query{Table: "app.notes", Text: " \n", TopK: 1}, search.Invalid, "query"},
		{search.Query{Table: "app.notes", Text: "\xff", TopK: 1}, search.Invalid, "query"},
		{search.Query{Table: "app.notes", Text: strings.Repeat("x", 33<<10), TopK: 1}, search.Invalid, "query"},
		{search.Query{Table: "app.notes", Text: "x"}, search.Invalid, "topK"},
		{search.Query{Table: "app.notes", Text: "x", TopK: 101}, search.Invalid, "topK"},
		{search.Query{Table: "app.notes", Text: "x", TopK: 1, Contains: "\xff"}, search.Invalid, "contains"},
		{search.Query{Table: "app.notes", Text: "x", TopK: 1, Contains: strings.Repeat("x", 2<<10)}, search.Invalid, "contains"},
		{search.Query{Table: "app.notes", Text: "x", TopK: 1, Where: map[string]any{"prise": 1}}, search.Invalid, "where.prise"},
	} {
		_, err := r.index.Search(t.Context(), c.query)
		e := failureOf(t, err, c.kind, map[search.Kind]string{search.Invalid: search.ReasonInvalid, search.NotFound: search.ReasonNotFound}[c.kind])
		require.Equal(t, c.field, e.Field)
	}
	require.Empty(t, r.server.Counts(), "nothing behind is asked")
	require.Equal(t, []string{"app.articles", "app.notes"}, r.index.Tables())
	require.Equal(t, []string{"price", "tags", "language"}, r.index.Fields("app.notes"))
	require.Nil(t, r.index.Fields("app.nobody"))
}

func TestTimeIsLimitedAndTheCallersContextPassesThrough(t *testing.T) {
	t.Parallel()
	r := newRig(t, tables{"app.articles": articles()})
	r.put("app.articles", int64(1), article("Lamp", "Gives light."))
	held := make(chan struct{})
	defer close(held)
	r.server.Control(func(q chromatest.Request) *chromatest.Response {
		if q.Op == "query" || q.Op == "get" {
			return &chromatest.Response{Before: held}
		}
		return nil
	})
	index := search.New(r.config, r.embedder, search.From(r.connect()), search.Options{Timeout: 30 * time.Millisecond})
	defer index.Close()
	_, err := index.Search(t.Context(), search.Query{Text: "lamp", TopK: 1})
	requireError(t, err, search.Unavailable, search.ReasonTimeout)
	_, err = index.Row(t.Context(), "", "1", false)
	requireError(t, err, search.Unavailable, search.ReasonTimeout)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = r.index.Search(ctx, search.Query{Text: "lamp", TopK: 1})
	require.ErrorIs(t, err, context.Canceled)
	var e *search.Error
	require.NotErrorAs(t, err, &e)
}
