package embed_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/embed"
	"github.com/rowvec/rowvec/embed/embedtest"
)

// record keeps what the endpoint received.
func record(server *embedtest.Server) func() []embedtest.Request {
	var mu sync.Mutex
	var seen []embedtest.Request
	server.Control(func(r *embedtest.Request) *embedtest.Response {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, *r)
		return nil
	})
	return func() []embedtest.Request {
		mu.Lock()
		defer mu.Unlock()
		return seen
	}
}

func TestPassagesAndQueries(t *testing.T) {
	t.Parallel()
	server, client := setup(t, embedtest.Options{APIKey: "sk-12345"}, func(c *embed.Config) {
		c.APIKey = "sk-12345\n" // as a file gives it
		c.Dimensions = 64
		c.Prefix, c.QueryPrefix = "passage: ", "query: "
		c.Extra = map[string]any{"input_type": "passage", "truncate": true}
		c.QueryExtra = map[string]any{"input_type": "query"}
	})
	seen := record(server)
	vectors, err := client.Embed(t.Context(), []string{"a", "b"})
	require.NoError(t, err)
	require.Equal(t, [][]float32{embedtest.Vector("passage: a", 64), embedtest.Vector("passage: b", 64)}, vectors)
	query, err := client.EmbedQuery(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, embedtest.Vector("query: a", 64), query)

	require.Equal(t, map[string]any{
		"input": []any{"passage: a", "passage: b"}, "model": "m", "encoding_format": "base64", "dimensions": 64.0,
		"input_type": "passage", "truncate": true,
	}, seen()[0].Fields)
	require.Equal(t, map[string]any{
		"input": []any{"query: a"}, "model": "m", "encoding_format": "base64", "dimensions": 64.0, "input_type": "query",
	}, seen()[1].Fields)
}

func TestFieldsThatAreNotSetAreNotSent(t *testing.T) {
	t.Parallel()
	server, client := setup(t, embedtest.Options{})
	seen := record(server)
	_, err := client.Embed(t.Context(), []string{"a"})
	require.NoError(t, err)
	require.Equal(t, map[string]any{"input": []any{"a"}, "model": "m", "encoding_format": "base64"}, seen()[0].Fields)
	require.NotContains(t, seen()[0].Header, "Authorization")
}

func TestSecretPartsOfTheURLAreSent(t *testing.T) {
	t.Parallel()
	server := embedtest.New(embedtest.Options{})
	t.Cleanup(server.Close)
	seen := record(server)
	url := "http://someone:pass%2Fword@" + server.URL()[len("http://"):] + "/?api-version=2&token=s%20t"
	for _, key := range []string{"", "sk-12345"} {
		client := newClient(t, func(c *embed.Config) { c.BaseURL, c.APIKey = url, key })
		_, err := client.Embed(t.Context(), []string{"a"})
		require.NoError(t, err)
	}
	require.Equal(t, "/v1/embeddings?api-version=2&token=s%20t", seen()[0].Path)
	basic := http.Request{Header: seen()[0].Header}
	user, password, ok := basic.BasicAuth()
	require.True(t, ok)
	require.Equal(t, []string{"someone", "pass/word"}, []string{user, password})
	require.Equal(t, "Bearer sk-12345", seen()[1].Header.Get("Authorization"), "a key goes before a password")
}

func TestNoTextsNoRequest(t *testing.T) {
	t.Parallel()
	server, client := setup(t, embedtest.Options{})
	vectors, err := client.Embed(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, vectors)
	require.Zero(t, server.Stats().Requests)
}

func TestVectorsAreOrderedByIndex(t *testing.T) {
	t.Parallel()
	client := newClient(t, over(func(r *http.Request) (*http.Response, error) {
		return reply(r, 200, `{"data":[{"index":1,"embedding":"AAAAQA=="},{"index":0,"embedding":"AACAPw=="}]}`, nil), nil
	}))
	vectors, err := client.Embed(t.Context(), []string{"a", "b"})
	require.NoError(t, err)
	require.Equal(t, [][]float32{{1}, {2}}, vectors)
}

// The endpoint is asked for numbers once it turns out not to give base64, and from then on.
func TestEncodingIsRemembered(t *testing.T) {
	t.Parallel()
	for name, control := range map[string]embedtest.Control{"refused": embedtest.NumbersOnly, "ignored": embedtest.IgnoreEncoding} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, client := setup(t, embedtest.Options{Dimensions: 8})
			server.Control(control)
			for range 3 {
				vectors, err := client.Embed(t.Context(), []string{"a"})
				require.NoError(t, err)
				require.InDeltaSlice(t, embedtest.Vector("a", 8), vectors[0], 1e-6)
			}
			require.Equal(t, 4, server.Stats().Requests)
		})
	}
}

// Once base64 has worked, a refusal is about the texts; only numbers in the answer (another server behind the same address) change that.
func TestEncodingThatWorkedIsKept(t *testing.T) {
	t.Parallel()
	server, client := setup(t, embedtest.Options{})
	embedOne := func() error { _, err := client.Embed(t.Context(), []string{"a"}); return err }
	require.NoError(t, embedOne())
	server.Control(embedtest.Always(embedtest.Fail(422, "", "no")))
	require.Equal(t, embed.ClassPoison, failure(t, embedOne()).Class())
	require.Equal(t, 2, server.Stats().Requests)
	server.Control(embedtest.IgnoreEncoding)
	require.NoError(t, embedOne())
	require.Equal(t, 4, server.Stats().Requests)
}

func TestManyCallersAtOnce(t *testing.T) {
	t.Parallel()
	server, client := setup(t, embedtest.Options{Dimensions: 8})
	server.Control(embedtest.NumbersOnly)
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			text := string(rune('a' + i))
			vectors, err := client.Embed(t.Context(), []string{text})
			if err != nil || embedtest.Cosine(embedtest.Vector(text, 8), vectors[0]) < 0.999 {
				t.Errorf("text %s: %v %v", text, vectors, err)
			}
		})
	}
	group.Wait()
	require.Equal(t, 16, server.Stats().Distinct)
}

// The answer's last bytes are read, else every request would open a new connection.
func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	server, client := setup(t, embedtest.Options{Dimensions: 8})
	addresses := map[string]bool{}
	server.Control(func(r *embedtest.Request) *embedtest.Response {
		addresses[r.Remote] = true
		page := embedtest.Answer(r, r.Vectors())
		page.Body = append(page.Body, strings.Repeat(" ", 20_000)...) // more than a decoder reads ahead
		return page
	})
	for range 5 {
		_, err := client.Embed(t.Context(), []string{"a"})
		require.NoError(t, err)
	}
	require.Len(t, addresses, 1)
}

func BenchmarkEmbed(b *testing.B) {
	server := embedtest.New(embedtest.Options{})
	b.Cleanup(server.Close)
	client := newClient(b, func(c *embed.Config) { c.BaseURL = server.URL() })
	texts := make([]string, 64)
	for i := range texts {
		texts[i] = string(rune('a'+i)) + " product with a description of usual length, as shops have them"
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.Embed(b.Context(), texts); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(texts))/b.Elapsed().Seconds(), "texts/s")
}
