package embed

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func splitter(tb testing.TB, edit func(*Config)) *Client {
	tb.Helper()
	cfg := Config{BaseURL: "http://endpoint.test/v1", Model: "m"}
	edit(&cfg)
	client, err := New(cfg)
	require.NoError(tb, err)
	return client
}

func TestSplit(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 300)   // 102 tokens
	huge := strings.Repeat("b", 5<<20) // more than a body
	for name, test := range map[string]struct {
		texts             []string
		maxTexts, maxToks int
		want              []int
	}{
		"none":                   {nil, 3, 0, nil},
		"fewer than a request":   {[]string{"a", "b"}, 3, 0, []int{2}},
		"exactly full":           {[]string{"a", "b", "c"}, 3, 0, []int{3}},
		"one more":               {[]string{"a", "b", "c", "d"}, 3, 0, []int{3, 1}},
		"no limits":              {[]string{"a", "b", "c", "d"}, 0, 0, []int{4}},
		"tokens":                 {[]string{long, long, long}, 0, 204, []int{2, 1}},
		"one less than needed":   {[]string{long, long, long}, 0, 203, []int{1, 1, 1}},
		"too long goes alone":    {[]string{"a", long, "b"}, 0, 50, []int{1, 1, 1}},
		"all too long":           {[]string{long, long}, 0, 1, []int{1, 1}},
		"bytes":                  {[]string{"a", huge, "b", "c"}, 0, 0, []int{1, 1, 2}},
		"empty texts count, too": {[]string{"", "", ""}, 2, 0, []int{2, 1}},
	} {
		client := splitter(t, func(c *Config) { c.MaxTexts, c.MaxTokens = test.maxTexts, test.maxToks })
		require.Equal(t, test.want, client.Split(test.texts), name)
	}
}

// The prefix of every text counts as the text does.
func TestSplitCountsPrefix(t *testing.T) {
	t.Parallel()
	plain := splitter(t, func(c *Config) { c.MaxTokens = 14 })
	prefixed := splitter(t, func(c *Config) { c.MaxTokens = 14; c.Prefix = "passage: " })
	texts := []string{"abc", "abc", "abc", "abc"}
	require.Equal(t, []int{4}, plain.Split(texts))
	require.Equal(t, []int{2, 2}, prefixed.Split(texts))
}

// Whatever the texts: every one is in a request, in order, and no request with several texts is over a limit, measured by the real encoding.
func TestSplitProperty(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	alphabets := []string{"abc def", "<&>\"\\\x00\n", "東京タワ", "\xff\xfe", "эюя", "🎉\u2028"}
	client := splitter(t, func(c *Config) {
		c.MaxTexts, c.MaxTokens, c.Prefix, c.Extra = 50, 2_000_000, "<p>: ", map[string]any{"x": strings.Repeat("&", 100)}
	})
	for range 5 {
		var texts []string
		for range random.IntN(60) {
			alphabet := alphabets[random.IntN(len(alphabets))]
			texts = append(texts, strings.Repeat(alphabet, random.IntN(120_000)/len(alphabet)))
		}
		at := 0
		for _, n := range client.Split(texts) {
			require.Positive(t, n, "seed %d", seed)
			part := texts[at : at+n]
			at += n
			if n == 1 {
				continue
			}
			require.LessOrEqual(t, n, 50, "seed %d", seed)
			inputs, tokens := client.passage.inputs(part)
			require.LessOrEqual(t, tokens, 2_000_000, "seed %d", seed)
			body, err := json.Marshal(map[string]any{"input": inputs, "model": "m", "encoding_format": "base64", "x": strings.Repeat("&", 100)})
			require.NoError(t, err)
			require.LessOrEqual(t, len(body), MaxBody, "seed %d", seed)
		}
		require.Equal(t, len(texts), at, "seed %d", seed)
	}
}

// The estimate is not below the counts of cl100k_base that OpenAI's cookbook gives in "How to count tokens with tiktoken".
func TestMeasureIsHigh(t *testing.T) {
	t.Parallel()
	for text, known := range map[string]int{
		"tiktoken is great!":           6,
		"antidisestablishmentarianism": 6,
		"2 + 2 = 4":                    7,
		"お誕生日おめでとう":                    9,
	} {
		require.GreaterOrEqual(t, measure(text).tokens, known, text)
	}
}

func BenchmarkSplit(b *testing.B) {
	client := splitter(b, func(c *Config) { c.MaxTexts, c.MaxTokens, c.Prefix = 64, 300_000, "passage: " })
	texts := make([]string, 512)
	for i := range texts {
		texts[i] = strings.Repeat("A product with a long description. ", 20)
	}
	b.SetBytes(int64(len(texts) * len(texts[0])))
	for b.Loop() {
		client.Split(texts)
	}
}
