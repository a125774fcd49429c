package document_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/function/tokens"
)

// exact counts as OpenAI's models do.
func exact(tb testing.TB) document.Tokenizer {
	tb.Helper()
	c, ok := tokens.ForModel("text-embedding-3-small")
	require.True(tb, ok)
	return c
}

func limited(tokens int, tok document.Tokenizer) document.Spec {
	spec := articleSpec("{{.text}}")
	spec.MaxTokens, spec.Tokenizer, spec.Truncate = tokens, tok, true
	return spec
}

func textRow(text string) *connector.Change {
	return insert(int64(7), connector.Row{"id": int64(7), "text": text})
}

func TestTextsOverTheLimitAreTruncated(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text   string
		limit  int
		prefix string
		tok    document.Tokenizer
		want   string
	}{
		"fits":                        {"one two three four", 4, "", wordCount{}, "one two three four"},
		"ends after a word":           {"one two three four five", 4, "", wordCount{}, "one two three four"},
		"not after a sentence":        {"One two. Three four. Five.", 4, "", wordCount{}, "One two. Three four."},
		"the prefix counts":           {"one two three four five six", 5, "p: ", wordCount{}, "one two three four"},
		"no blanks at the end":        {"one two\n\n  three", 8, "", letterCount{}, "one two"},
		"a comma stays":               {"aaaa, bb cc", 7, "", letterCount{}, "aaaa,"},
		"a word over the limit":       {strings.Repeat("x", 10), 4, "", letterCount{}, "xxxx"},
		"before a long character":     {"ab e" + strings.Repeat("\u0301", 9), 6, "", letterCount{}, "ab"},
		"inside it only when alone":   {"e" + strings.Repeat("\u0301", 9), 4, "", letterCount{}, "e\u0301\u0301\u0301"},
		"flags stay whole":            {"🇩🇪🇫🇷🇮🇹", 5, "", letterCount{}, "🇩🇪🇫🇷"},
		"exact tokens":                {strings.Repeat("hello world, ", 10), 5, "", exact(t), "hello world, hello"},
		"exact tokens, with a prefix": {strings.Repeat("hello world, ", 10), 9, "passage: ", exact(t), "hello world, hello world,"},
		"much longer than the limit":  {strings.Repeat("hello world, ", 10_000), 5, "", exact(t), "hello world, hello"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := limited(tc.limit, tc.tok)
			spec.Prefix = tc.prefix
			doc := build(t, spec, textRow(tc.text))
			require.Equal(t, tc.want, doc.Chunks[0].Text)
			require.Equal(t, len(tc.want), doc.Chunks[0].End)
			require.Equal(t, tc.want != tc.text, doc.Truncated)
			require.LessOrEqual(t, tc.tok.Count(tc.prefix+tc.want), tc.limit)
		})
	}
}

// What is stored is what is embedded, and the fingerprint is of that: a change behind the cut costs nothing.
func TestFingerprintIsOfTheTruncatedText(t *testing.T) {
	t.Parallel()
	spec := limited(4, wordCount{})
	whole := build(t, articleSpec("{{.text}}"), textRow("one two three four"))
	require.Equal(t, whole.Fingerprint, build(t, spec, textRow("one two three four")).Fingerprint, "a limit that does not touch a text")
	require.Equal(t, whole.Fingerprint, build(t, spec, textRow("one two three four five")).Fingerprint)
	require.NotEqual(t, whole.Fingerprint, build(t, spec, textRow("one two three changed five")).Fingerprint)
	require.NotEqual(t, whole.Fingerprint, build(t, articleSpec("{{.text}}"), textRow("one two three four five")).Fingerprint)
}

func TestTextsOverTheLimitArePoisonUnlessTruncated(t *testing.T) {
	t.Parallel()
	spec := limited(8191, exact(t))
	spec.Truncate, spec.Prefix = false, "passage: "
	b := newBuilder(t, spec)
	fits := strings.TrimSpace(strings.Repeat("hello world, ", 2729)) // 8187, and 3 of the prefix
	doc, err := b.Build(textRow(fits))
	require.NoError(t, err)
	require.False(t, doc.Truncated)
	require.Equal(t, fits, doc.Chunks[0].Text)
	_, err = b.Build(textRow(fits + " hello, world"))
	fault := requireFault(t, err, "poison", document.ReasonTextTooLong)
	require.Equal(t, "7", fault.Row)
	for _, part := range []string{
		"row 7", "8193 tokens", "embedding.maxTextTokens is 8191", "tables.app.articles.chunk", "tables.app.articles.overflow: truncate",
	} {
		require.ErrorContains(t, err, part)
	}
}

// countedBytes counts words, and how much it was given to count.
type countedBytes struct{ bytes *int }

func (c countedBytes) Count(text string) int {
	*c.bytes += len(text)
	return wordCount{}.Count(text)
}

// A text that is far over the limit is not counted to its end, for no purpose but its error's.
func TestATextFarOverTheLimitIsCountedInPart(t *testing.T) {
	t.Parallel()
	bytes := 0
	spec := limited(100, countedBytes{&bytes})
	spec.Truncate = false
	b := newBuilder(t, spec)
	_, err := b.Build(textRow(strings.Repeat("word ", 1<<20)))
	require.Equal(t, "7", requireFault(t, err, "poison", document.ReasonTextTooLong).Row)
	require.ErrorContains(t, err, "160 tokens or more")
	require.Less(t, bytes, 10_000)
}

func TestChunksMustFitInTheLimit(t *testing.T) {
	t.Parallel()
	spec := limited(100, exact(t))
	spec.Prefix, spec.Chunk = "passage: ", &document.ChunkSpec{Tokens: 96}
	long := strings.Repeat("hello world, ", 1000)
	require.Greater(t, len(build(t, spec, textRow(long)).Chunks), 20, "chunks are not truncated")
	spec.Chunk.Tokens = 97
	_, err := document.NewBuilder(spec)
	require.EqualError(t, err, "tables.app.articles.chunk.tokens: 97 tokens, and 4 of embedding.prefix, are more than one text may have "+
		"by embedding.maxTextTokens (100); expected at most 96")

	spec = limited(10, nil)
	spec.Prefix = "passage to be found: "
	_, err = document.NewBuilder(spec)
	requireError(t, err, "halt", document.ReasonBadSetting)
	require.ErrorContains(t, err, "embedding.maxTextTokens: the limit of 10 tokens leaves no room for a text: embedding.prefix has 7; expected at least 11")
}

func FuzzTruncate(f *testing.F) {
	f.Add("One two three. Four five.\n\nSix seven eight nine ten.", uint8(4), "passage: ")
	f.Add("我喜欢猫。e\u0301🇩🇪👨‍👩‍👧 สวัสดี\r\n\r\n\u2029x 0123456789", uint8(0), "")
	f.Add(strings.Repeat("x", 300)+strings.Repeat(" ", 90)+"y", uint8(9), "🎉 ")
	f.Add("a"+strings.Repeat("\u0301", 60)+strings.Repeat("\n", 70)+"b", uint8(1), "\n")
	f.Add(strings.Repeat("hello world ", 200), uint8(3), "q")
	counter := exact(f)
	f.Fuzz(func(t *testing.T, text string, extra uint8, prefix string) {
		text = strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(text, "?"), "\x00", ""))
		if prefix = strings.ToValidUTF8(prefix, "?"); text == "" || len(prefix) > 100 {
			return
		}
		for _, tok := range []document.Tokenizer{document.Estimate{}, counter, letterCount{}} {
			requireTruncated(t, text, prefix, tok.Count(prefix)+4+int(extra)%64, tok)
		}
	})
}

// requireTruncated checks what holds for every text, prefix, limit and tokenizer.
func requireTruncated(t *testing.T, text, prefix string, limit int, tok document.Tokenizer) {
	t.Helper()
	spec := limited(limit, tok)
	spec.Prefix = prefix
	doc := build(t, spec, textRow(text))
	cut := doc.Chunks[0].Text
	require.Equal(t, cut, build(t, spec, textRow(text)).Chunks[0].Text, "the same every time")
	require.NotEmpty(t, cut)
	require.True(t, strings.HasPrefix(text, cut), "%q of %q", cut, text)
	require.True(t, utf8.ValidString(cut))
	require.LessOrEqual(t, tok.Count(prefix+cut), limit, "%q of %q", cut, text)
	require.Equal(t, len(cut) < len(text), doc.Truncated)
	require.Equal(t, tok.Count(prefix+text) > limit, doc.Truncated, "%q", text)
	if first, _, _, _ := uniseg.FirstGraphemeClusterInString(text, -1); len(cut) >= len(first) {
		requireWholeCharacters(t, text, len(cut))
	}
}

// requireWholeCharacters: text is not cut inside a user-perceived character at that place, or only before its white space.
func requireWholeCharacters(t *testing.T, text string, at int) {
	t.Helper()
	pos, state := 0, -1
	for rest := text; rest != "" && pos < at; {
		var c string
		c, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		pos += len(c)
	}
	next, _ := utf8.DecodeRuneInString(text[at:])
	require.True(t, pos == at || unicode.IsSpace(next), "cut inside a character at %d of %q", at, text)
}

// metered notes how many bytes it has counted.
type metered struct {
	document.Tokenizer

	bytes *atomic.Int64
}

func (m metered) Count(text string) int {
	m.bytes.Add(int64(len(text)))
	return m.Tokenizer.Count(text)
}

// A text of megabytes costs no more than its beginning, and a short one nothing: most texts are not counted at all.
func TestTruncatingLooksAtTheBeginningOnly(t *testing.T) {
	t.Parallel()
	const limit = 1000
	tok := metered{exact(t), &atomic.Int64{}}
	b := newBuilder(t, limited(limit, tok))
	tok.bytes.Store(0)
	_, err := b.Build(textRow(strings.Repeat("x", limit)))
	require.NoError(t, err)
	require.Zero(t, tok.bytes.Load())
	for _, part := range []string{"x", "\u0301", "👨\u200d", "  \n", "hello world, "} {
		tok.bytes.Store(0)
		doc, err := b.Build(textRow("a" + strings.Repeat(part, 8<<20/len(part)) + "z"))
		require.NoError(t, err)
		require.True(t, doc.Truncated, "%q", part)
		require.Less(t, tok.bytes.Load(), int64(1<<20), "%q", part)
	}
}
