package embed_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/embed"
	"github.com/rowvec/rowvec/embed/embedtest"
)

var (
	badVector = []string{embed.ClassPoison, embed.ReasonBadVector}
	malformed = []string{embed.ClassRetry, embed.ReasonMalformedAnswer}
)

// A fault of one vector among good ones is its text's: the caller halves the request, and the other texts go through.
func TestBadVectorAmongGoodOnes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ vector, says string }{
		"NaN":       {`"AADAfw=="`, "index 1: component 0 is NaN"},
		"infinite":  {`"AACAfw=="`, "index 1: component 0 is +Inf"},
		"zeros":     {`"AAAAAA=="`, "index 1: all 1 components are 0"},
		"empty":     {`""`, "index 1: no vector"},
		"null":      {`null`, "index 1: no vector"},
		"minus 0":   {`"AAAAgA=="`, "index 1: all 1 components are 0"},
		"minus inf": {`"AACA/w=="`, "index 1: component 0 is -Inf"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, client := setup(t, embedtest.Options{})
			server.Control(embedtest.Always(embedtest.Page(200, `{"data":[{"index":0,"embedding":`+one+`},{"index":1,"embedding":`+test.vector+`}]}`)))
			_, err := client.Embed(t.Context(), []string{"a", "b"})
			require.Equal(t, badVector, classAndReason(t, err), err)
			require.ErrorContains(t, err, test.says)
			require.Equal(t, http.StatusOK, failure(t, err).Status())
			require.Equal(t, 1, server.Stats().Requests, "the good vector vouches for the endpoint")
		})
	}
}

// One text without a vector must hold nobody else: neither in base64 nor as numbers, where NaN is null.
func TestBadVectorIsFoundByHalving(t *testing.T) {
	t.Parallel()
	for name, encoding := range map[string]embedtest.Control{
		"base64":  func(*embedtest.Request) *embedtest.Response { return nil },
		"numbers": embedtest.NumbersOnly,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, client := setup(t, embedtest.Options{})
			server.Control(embedtest.First(encoding, embedtest.BadVector("bad")))
			good, bad := halve(t, client, []string{"a", "b", "a bad one", "bad", "c", "d"})
			require.Equal(t, []string{"a", "b", "c", "d"}, good)
			require.Equal(t, map[string][]string{"a bad one": badVector, "bad": badVector}, bad)
		})
	}
}

// All texts of a request may be at fault. That the endpoint works is then for the plain word to show, and not for an earlier success: a
// model that has just broken down gives everybody NaN.
func TestNoGoodVectors(t *testing.T) {
	t.Parallel()
	server, client := setup(t, embedtest.Options{})
	_, err := client.Embed(t.Context(), []string{"a"})
	require.NoError(t, err)
	for _, texts := range [][]string{{"bad 1", "bad 2"}, {"bad 1"}} {
		server.Control(embedtest.BadVector("bad"))
		_, err = client.Embed(t.Context(), texts)
		require.Equal(t, badVector, classAndReason(t, err), texts)
		server.Control(embedtest.BadVector(""))
		_, err = client.Embed(t.Context(), texts)
		require.Equal(t, malformed, classAndReason(t, err), "a broken endpoint costs nobody a record: %v", texts)
		require.ErrorContains(t, err, "component 0 is NaN")
		require.ErrorContains(t, err, "a plain word")
	}
	require.Equal(t, 4, server.Seen("word"))
}

// The query's vector has the same fate as a passage's.
func TestBadVectorOfQuery(t *testing.T) {
	t.Parallel()
	server, client := setup(t, embedtest.Options{})
	server.Control(embedtest.BadVector("bad"))
	_, err := client.EmbedQuery(t.Context(), "bad")
	require.Equal(t, badVector, classAndReason(t, err))
}

// One bad vector may be a moment's fault, or that of one server of several: a single text is asked for again before it is given up.
func TestBadVectorOnce(t *testing.T) {
	t.Parallel()
	server, client := setup(t, embedtest.Options{})
	server.Control(embedtest.Times(1, embedtest.BadVector("a")))
	vectors, err := client.Embed(t.Context(), []string{"a"})
	require.NoError(t, err)
	require.Equal(t, embedtest.Vector("a", 384), vectors[0])
	require.Equal(t, []int{2, 1}, []int{server.Seen("a"), server.Seen("word")})
}

// What the plain word meets decides, whichever way the text failed.
func TestWordDecides(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text, word embedtest.Control
		want       []string
	}{
		"refused, and the word gets NaN":     {embedtest.Poison("bad"), embedtest.BadVector("word"), malformed},
		"NaN, and the word is refused":       {embedtest.BadVector("bad"), embedtest.Poison("word"), malformed},
		"NaN, and the word meets an outage":  {embedtest.BadVector("bad"), embedtest.Always(embedtest.Fail(503, "", "down")), []string{"retry", "server_error"}},
		"NaN, and the word meets a lost key": {embedtest.BadVector("bad"), embedtest.Always(embedtest.Fail(401, "", "who?")), []string{"halt", "auth"}},
		"NaN, then refused":                  {embedtest.First(embedtest.Times(1, embedtest.BadVector("bad")), embedtest.Poison("bad")), nil, []string{"poison", "bad_request"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, client := setup(t, embedtest.Options{})
			control := test.text
			if test.word != nil {
				control = embedtest.First(test.text, test.word)
			}
			server.Control(control)
			_, err := client.Embed(t.Context(), []string{"bad"})
			require.Equal(t, test.want, classAndReason(t, err), err)
		})
	}
}

// A wrong model is a setting's fault, whatever else is wrong with its vectors.
func TestBadVectorsOfWrongDimension(t *testing.T) {
	t.Parallel()
	server, client := setup(t, embedtest.Options{}, func(c *embed.Config) { c.Dimensions = 8 })
	for _, second := range [][]float32{make([]float32, 9), nil} {
		server.Control(func(r *embedtest.Request) *embedtest.Response {
			return embedtest.Answer(r, [][]float32{embedtest.Vector("a", 9), second})
		})
		_, err := client.Embed(t.Context(), []string{"a", "b"})
		require.Equal(t, []string{embed.ClassHalt, embed.ReasonDimensionMismatch}, classAndReason(t, err))
	}
}
