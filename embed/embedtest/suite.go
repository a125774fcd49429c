package embedtest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/embed"
)

// SuiteOptions tell Suite about the endpoint. The zero value is an endpoint without a key whose dimensions are not known.
type SuiteOptions struct {
	APIKey              string
	Dimensions          int // 0: whatever the endpoint gives, as long as it stays so
	Prefix, QueryPrefix string
	Extra, QueryExtra   map[string]any
	Timeout             time.Duration // of one request; 0: embed.DefaultTimeout

	// LongText is about how many bytes the longest text has; 0: 4,000. The endpoint may cut it, embed it or refuse it as poison.
	LongText int
}

type suite struct {
	baseURL, model string
	options        SuiteOptions
}

// Suite checks that embed.Client and the endpoint understand each other: dimensions, order, batches, encodings, fields for passages and
// queries, odd and long texts, and refusals that are classified. The endpoint must be up; it gets about 20 small requests.
func Suite(t *testing.T, baseURL, model string, options SuiteOptions) {
	t.Helper()
	if options.LongText == 0 {
		options.LongText = 4_000
	}
	s := suite{baseURL: baseURL, model: model, options: options}
	for _, check := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"dimensions stay the same", s.dimensions},
		{"vectors come in the order of the texts", s.order},
		{"a batch gives what single texts give", s.batch},
		{"base64 and numbers give the same", s.encodings},
		{"passages and queries are both taken", s.roles},
		{"no texts need no request", s.empty},
		{"unicode", s.unicode},
		{"a long text is embedded or refused as poison", s.long},
		{"an unknown model is taken or halts", s.unknownModel},
		{"a wrong path halts", s.wrongPath},
		{"a canceled call returns the context's error", s.canceled},
		{"usage and status are observed", s.observed},
	} {
		t.Run(check.name, check.run)
	}
}

func (s suite) config() embed.Config {
	o := s.options
	return embed.Config{
		BaseURL: s.baseURL, Model: s.model, APIKey: o.APIKey, Dimensions: o.Dimensions, Timeout: o.Timeout,
		Prefix: o.Prefix, QueryPrefix: o.QueryPrefix, Extra: o.Extra, QueryExtra: o.QueryExtra, MaxTexts: 16,
	}
}

// client is one with the settings as given, changed by each edit.
func (s suite) client(t *testing.T, edits ...func(*embed.Config)) *embed.Client {
	t.Helper()
	cfg := s.config()
	for _, edit := range edits {
		edit(&cfg)
	}
	client, err := embed.New(cfg)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

// texts are short, and different in meaning.
func texts() []string {
	return []string{
		"A red kettle for the kitchen, two litres",
		"Running shoes with a light sole",
		"The history of the printing press",
		"Wireless headphones that keep out noise",
	}
}

func (s suite) dimensions(t *testing.T) {
	t.Helper()
	client := s.client(t)
	first, err := client.Embed(t.Context(), texts())
	require.NoError(t, err)
	second, err := client.EmbedQuery(t.Context(), texts()[0])
	require.NoError(t, err)
	require.Len(t, second, len(first[0]))
	if s.options.Dimensions > 0 {
		require.Len(t, second, s.options.Dimensions)
	}
}

func (s suite) order(t *testing.T) {
	t.Helper()
	client := s.client(t)
	list := texts()
	forward, err := client.Embed(t.Context(), list)
	require.NoError(t, err)
	backward, err := client.Embed(t.Context(), []string{list[3], list[2], list[1], list[0]})
	require.NoError(t, err)
	for i := range list {
		require.Greater(t, Cosine(forward[i], backward[len(list)-1-i]), 0.999, "text %d", i)
		require.Less(t, Cosine(forward[i], backward[i]), 0.999, "text %d and its mirror are different texts", i)
	}
}

func (s suite) batch(t *testing.T) {
	t.Helper()
	client := s.client(t)
	together, err := client.Embed(t.Context(), texts())
	require.NoError(t, err)
	for i, text := range texts() {
		alone, err := client.Embed(t.Context(), []string{text})
		require.NoError(t, err)
		require.Greater(t, Cosine(together[i], alone[0]), 0.999, text)
	}
}

func (s suite) roles(t *testing.T) {
	t.Helper()
	client := s.client(t)
	passages, err := client.Embed(t.Context(), texts())
	require.NoError(t, err)
	for i, text := range texts() {
		query, err := client.EmbedQuery(t.Context(), text)
		require.NoError(t, err)
		if s.options.Prefix == s.options.QueryPrefix { // else a hash, which the fake's vectors are, sees different texts
			require.Greater(t, Cosine(query, passages[i]), 0.5, "a text as a query is near itself as a passage: %s", text)
		}
	}
}

func (s suite) empty(t *testing.T) {
	t.Helper()
	client := s.client(t, func(c *embed.Config) { c.BaseURL = "http://127.0.0.1:1/v1" })
	vectors, err := client.Embed(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, vectors)
	require.Empty(t, client.Split(nil))
}

func (s suite) unicode(t *testing.T) {
	t.Helper()
	list := []string{
		"Grüße aus Köln — naïve café", "東京タワーは夜に光る", "Привет, мир", "مرحبا بالعالم", "👩‍👩‍👧‍👦 family 🎉", "a\tb\nc \"quoted\" <b>&amp;</b> \\", "e\u0301 is é", "x\u2028y",
	}
	client := s.client(t)
	vectors, err := client.Embed(t.Context(), list)
	require.NoError(t, err)
	require.Len(t, vectors, len(list))
	again, err := client.Embed(t.Context(), list[1:2])
	require.NoError(t, err)
	require.Greater(t, Cosine(vectors[1], again[0]), 0.999)
}

func (s suite) long(t *testing.T) {
	t.Helper()
	client := s.client(t)
	text := strings.Repeat("The quick brown fox jumps over the lazy dog. ", s.options.LongText/45+1)
	_, err := client.Embed(t.Context(), []string{text})
	if err != nil {
		require.Equal(t, embed.ClassPoison, failure(t, err).Class())
	}
	_, err = client.Embed(t.Context(), texts())
	require.NoError(t, err, "and texts after it are taken")
}

func (s suite) unknownModel(t *testing.T) {
	t.Helper()
	client := s.client(t, func(c *embed.Config) { c.Model = "no-such-model" })
	_, err := client.Embed(t.Context(), texts()[:1])
	if err != nil {
		require.Equal(t, embed.ClassHalt, failure(t, err).Class())
		require.ErrorContains(t, err, "no-such-model")
	}
}

func (s suite) wrongPath(t *testing.T) {
	t.Helper()
	client := s.client(t, func(c *embed.Config) { c.BaseURL = strings.TrimRight(c.BaseURL, "/") + "/no/such/path" })
	_, err := client.Embed(t.Context(), texts()[:1])
	require.Equal(t, embed.ClassHalt, failure(t, err).Class())
}

func (s suite) canceled(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.client(t).Embed(ctx, texts())
	require.ErrorIs(t, err, context.Canceled)
	var classified *embed.Error
	require.NotErrorAs(t, err, &classified)
}

func (s suite) observed(t *testing.T) {
	t.Helper()
	var seen []embed.Observation
	client := s.client(t, func(c *embed.Config) { c.Observe = func(o embed.Observation) { seen = append(seen, o) } })
	_, err := client.Embed(t.Context(), texts())
	require.NoError(t, err)
	last := seen[len(seen)-1] // the first may be the refusal of base64
	require.Equal(t, "200", last.Code)
	require.Equal(t, len(texts()), last.Texts)
	require.Positive(t, last.Tokens)
	require.Positive(t, last.Duration)
}

// failure is the classified error.
func failure(t *testing.T, err error) *embed.Error {
	t.Helper()
	var classified *embed.Error
	require.True(t, errors.As(err, &classified), "want a classified error, got %v", err)
	return classified
}
