package embed_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/embed"
	"github.com/rowvec/rowvec/embed/embedtest"
)

// Every answer that is not what was asked for is worth another try, one attempt at a time.
func TestMalformedAnswers(t *testing.T) {
	t.Parallel()
	fixed := func(status int, body string) embedtest.Control { return embedtest.Always(embedtest.Page(status, body)) }
	for name, test := range map[string]struct {
		control embedtest.Control
		says    string
	}{
		"too few vectors":        {embedtest.Fewer, "1 vectors for 2 texts"},
		"cut off":                {embedtest.Cut, "incomplete answer: unexpected EOF"},
		"a page":                 {fixed(200, "<html>log in</html>"), "<html>log in</html>"},
		"nothing":                {fixed(200, ""), "not an answer"},
		"null":                   {fixed(200, "null"), "0 vectors for 2 texts"},
		"another object":         {fixed(200, `{"ok":true}`), "0 vectors for 2 texts"},
		"an error with a 200":    {fixed(200, `{"error":{"message":"upstream is busy","code":502}}`), "upstream is busy"},
		"not base64":             {fixed(200, `{"data":[{"index":0,"embedding":"***"},{"index":1,"embedding":"***"}]}`), "not an answer"},
		"an index twice":         {fixed(200, `{"data":[{"index":0,"embedding":`+one+`},{"index":0,"embedding":`+one+`}]}`), "index 0 twice"},
		"an index too high":      {fixed(200, `{"data":[{"index":0,"embedding":`+one+`},{"index":2,"embedding":`+one+`}]}`), "index 2 for 2 texts"},
		"a negative index":       {fixed(200, `{"data":[{"index":0,"embedding":`+one+`},{"index":-1,"embedding":`+one+`}]}`), "index -1"},
		"vectors of two lengths": {fixed(200, `{"data":[{"index":0,"embedding":`+one+`},{"index":1,"embedding":"AACAPwAAgD8="}]}`), "1 and of 2 dimensions"},
		"an unknown status":      {fixed(299, "{"), "not an answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, client := setup(t, embedtest.Options{})
			server.Control(test.control)
			_, err := client.Embed(t.Context(), []string{"a", "b"})
			e := failure(t, err)
			require.Equal(t, embed.ReasonMalformedAnswer, e.Reason(), err)
			require.Equal(t, embed.ClassRetry, e.Class())
			require.ErrorContains(t, e, test.says)
			require.Equal(t, 1, server.Stats().Requests)
		})
	}
}

// Numbers have faults of their own: null for NaN, and values that no float32 holds. This endpoint gives them for the plain word, too.
func TestMalformedNumbers(t *testing.T) {
	t.Parallel()
	for name, numbers := range map[string]string{
		"null for NaN": "[null,null]", "too large": "[1e39,1]", "NaN": "[NaN,1]", "texts": `["1","2"]`, "zeros": "[0,0.0]", "none": "[]",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, client := setup(t, embedtest.Options{})
			server.Control(embedtest.First(embedtest.NumbersOnly, embedtest.Always(embedtest.Page(200, `{"data":[{"index":0,"embedding":`+numbers+`}]}`))))
			_, err := client.Embed(t.Context(), []string{"a"})
			require.Equal(t, embed.ReasonMalformedAnswer, failure(t, err).Reason(), err)
		})
	}
}

func TestAnswerIsBounded(t *testing.T) {
	t.Parallel()
	body := `{"data":[{"index":0,"embedding":` + one + `,"object":"` + strings.Repeat("x", 1<<20) + `"}]}`
	client := newClient(t, func(c *embed.Config) { c.Dimensions = 1 }, over(func(r *http.Request) (*http.Response, error) {
		return reply(r, 200, body, nil), nil
	}))
	_, err := client.Embed(t.Context(), []string{"a"})
	require.Equal(t, embed.ReasonMalformedAnswer, failure(t, err).Reason())
	require.ErrorContains(t, err, "larger than these vectors can be")
	require.Less(t, len(err.Error()), 800)
}

func TestNetworkFaults(t *testing.T) {
	t.Parallel()
	server, client := setup(t, embedtest.Options{})
	server.Control(embedtest.Always(embedtest.Drop()))
	_, err := client.Embed(t.Context(), []string{"a"})
	require.Equal(t, []string{embed.ClassRetry, embed.ReasonNetwork}, []string{failure(t, err).Class(), failure(t, err).Reason()})
	require.Zero(t, failure(t, err).Status())
	require.Equal(t, 1, server.Stats().Requests, "nobody tries again behind the caller's back")

	gone := embedtest.New(embedtest.Options{})
	gone.Close()
	nobody := newClient(t, func(c *embed.Config) { c.BaseURL = gone.URL() })
	_, err = nobody.Embed(t.Context(), []string{"a"})
	require.Equal(t, embed.ReasonNetwork, failure(t, err).Reason())
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	require.ErrorContains(t, err, gone.URL()+"/embeddings")
}

// A redirected POST would lose its body or carry the texts elsewhere.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere, _ := setup(t, embedtest.Options{})
	for _, status := range []int{301, 302, 303, 307, 308} {
		server, client := setup(t, embedtest.Options{})
		server.Control(embedtest.Always(embedtest.Page(status, "moved").With("Location", elsewhere.URL()+"/embeddings?sig=s3cret")))
		_, err := client.Embed(t.Context(), []string{"a"})
		require.Equal(t, embed.ReasonRedirect, failure(t, err).Reason())
		require.ErrorContains(t, err, "redirects to "+elsewhere.URL()+"/embeddings")
		require.NotContains(t, err.Error(), "s3cret")
	}
	require.Zero(t, elsewhere.Stats().Requests)
}

func TestDimensionMismatch(t *testing.T) {
	t.Parallel()
	mismatch := func(err error) {
		require.Equal(t, []string{embed.ClassHalt, embed.ReasonDimensionMismatch}, []string{failure(t, err).Class(), failure(t, err).Reason()})
	}
	server, client := setup(t, embedtest.Options{}, func(c *embed.Config) { c.Dimensions = 8 })
	server.Control(embedtest.Longer)
	_, err := client.Embed(t.Context(), []string{"a"})
	mismatch(err)
	require.ErrorContains(t, err, "vectors have 9 dimensions, embedding.dimensions is 8")

	_, err = client.EmbedQuery(t.Context(), "a")
	mismatch(err)
	server.Control(nil)
	_, err = client.Embed(t.Context(), []string{"a"})
	require.NoError(t, err)
}

// Without a setting no answer is the measure of later ones: it may be the first that is wrong.
func TestAnotherModelWithoutDimensions(t *testing.T) {
	t.Parallel()
	server, client := setup(t, embedtest.Options{Dimensions: 8})
	for _, model := range []struct {
		gives func(*embedtest.Request) *embedtest.Response
		size  int
	}{{embedtest.Longer, 9}, {nil, 8}, {embedtest.Longer, 9}} {
		server.Control(model.gives)
		vectors, err := client.Embed(t.Context(), []string{"a"})
		require.NoError(t, err)
		require.Len(t, vectors[0], model.size)
		question, err := client.EmbedQuery(t.Context(), "a")
		require.NoError(t, err)
		require.Len(t, question, model.size)
	}
}

// The wrong model must halt even when its vectors are far longer than the configured ones and come as numbers, which nobody asked for.
func TestLongerAnswersAreRead(t *testing.T) {
	t.Parallel()
	const texts = 64
	for name, test := range map[string]struct {
		dimensions int
		separator  string
	}{
		"compact":  {4096, ","},
		"indented": {1536, ",\n                "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			vector := "[" + strings.Repeat("-0.012345678901234567"+test.separator, test.dimensions-1) + "1]"
			items := make([]string, texts)
			for i := range items {
				items[i] = fmt.Sprintf(`{"index":%d,"embedding":%s}`, i, vector)
			}
			body := `{"data":[` + strings.Join(items, ",") + `]}`
			client := newClient(t, func(c *embed.Config) { c.Dimensions = 384 }, over(func(r *http.Request) (*http.Response, error) {
				return reply(r, http.StatusOK, body, nil), nil
			}))
			_, err := client.Embed(t.Context(), slices.Repeat([]string{"a"}, texts))
			require.Equal(t, []string{embed.ClassHalt, embed.ReasonDimensionMismatch}, classAndReason(t, err), err)
			require.ErrorContains(t, err, fmt.Sprintf("vectors have %d dimensions, embedding.dimensions is 384", test.dimensions))
		})
	}
}
