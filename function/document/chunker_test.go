package document_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/document"
)

// wordCount counts white space separated words: a tokenizer that tests can predict.
type wordCount struct{}

func (wordCount) Count(text string) int { return len(strings.Fields(text)) }

// letterCount counts characters, so that every character matters.
type letterCount struct{}

func (letterCount) Count(text string) int { return utf8.RuneCountInString(text) }

// moody counts a whole differently from its parts, as byte-pair vocabularies may.
type moody struct{}

func (moody) Count(text string) int {
	n := len(text)/3 + len(text)%5
	if len(text) <= utf8.UTFMax {
		return min(n, 4)
	}
	return n
}

func split(text string, tokens, overlap int, tok document.Tokenizer) []string {
	spans := document.NewChunker(document.ChunkSpec{Tokens: tokens, Overlap: overlap}, tok).Split(text)
	var out []string
	for _, s := range spans {
		out = append(out, text[s.Start:s.End])
	}
	return out
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text            string
		tokens, overlap int
		tok             document.Tokenizer
		want            []string
	}{
		"short":     {"one two", 4, 0, wordCount{}, []string{"one two"}},
		"empty":     {"", 4, 0, wordCount{}, []string{""}},
		"words":     {"a b c d e f", 4, 0, wordCount{}, []string{"a b c d ", "e f"}},
		"sentence":  {"One two three. Four five six seven.", 4, 0, wordCount{}, []string{"One two three. ", "Four five six seven."}},
		"paragraph": {"One seven.\n\nSix. Four five six.", 4, 0, wordCount{}, []string{"One seven.\n\n", "Six. Four five six."}},
		"list":      {"- one two\n- three four\n- five six", 7, 0, wordCount{}, []string{"- one two\n- three four\n", "- five six"}},
		"early sentence is no place to cut": {
			"One. Two three four five six seven eight.", 6, 0,
			wordCount{},
			[]string{"One. Two three four five six ", "seven eight."},
		},
		"comma stays":      {"aaa bb, cc dd", 6, 0, letterCount{}, []string{"aaa ", "bb, ", "cc dd"}},
		"giant word":       {strings.Repeat("x", 10), 4, 0, letterCount{}, []string{"xxxx", "xxxx", "xx"}},
		"combined letters": {"e\u0301e\u0301e\u0301", 5, 0, letterCount{}, []string{"e\u0301e\u0301", "e\u0301"}},
		"flags and families": {
			"🇩🇪🇫🇷👨‍👩‍👧", 5, 0, letterCount{}, []string{"🇩🇪🇫🇷", "👨‍👩‍👧"},
		},
		"a giant character": {"e" + strings.Repeat("\u0301", 5), 4, 0, letterCount{}, []string{"e\u0301\u0301\u0301", "\u0301\u0301"}},
		"ideographs":        {"我喜欢猫。我喜欢狗。", 6, 0, letterCount{}, []string{"我喜欢猫。", "我喜欢狗。"}},
		"overlap of words":  {"a b c d e f g", 4, 1, wordCount{}, []string{"a b c d ", "d e f g"}},
		"overlap of a sentence": {
			"A b c d. E f. G h i j.", 6, 3, wordCount{}, []string{"A b c d. E f. ", "E f. G h i j."},
		},
		"overlap goes past the end before it": {
			"A b c d. E f g h i j k", 6, 3, wordCount{}, []string{"A b c d. ", "b c d. E f g ", "E f g h i j ", "h i j k"},
		},
		"overlap shrinks to make room": {"a b c ddddd", 8, 4, letterCount{}, []string{"a b c ", "c ddddd"}},
		"overlap of as many sentences as fit": {
			"A b c d e. F g.\n\nH i j.\n\nK l m n o p q.", 10, 5,
			wordCount{},
			[]string{"A b c d e. F g.\n\nH i j.\n\n", "F g.\n\nH i j.\n\nK l m n o ", "K l m n o p q."},
		},
		"indented lines":       {"- a b c\n  - d e f g", 7, 0, wordCount{}, []string{"- a b c\n  ", "- d e f g"}},
		"overlap without room": {"aaaa bbbb cccc", 5, 4, letterCount{}, []string{"aaaa ", "bbbb ", "cccc"}},
		"carriage returns":     {"One seven.\r\n\r\nSix. Four five six.", 4, 0, wordCount{}, []string{"One seven.\r\n\r\n", "Six. Four five six."}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tc.want, split(tc.text, tc.tokens, tc.overlap, tc.tok))
		})
	}
}

func TestGiantWordFillsItsChunks(t *testing.T) {
	t.Parallel()
	chunks := split(strings.Repeat("x", 4000), 100, 0, nil)
	require.Less(t, len(chunks), 25, "a letter is not a token")
}

// requireSound checks what holds for every text, limit and tokenizer.
func requireSound(t *testing.T, text string, tokens, overlap int, tok document.Tokenizer) {
	t.Helper()
	chunker := document.NewChunker(document.ChunkSpec{Tokens: tokens, Overlap: overlap}, tok)
	spans := chunker.Split(text)
	require.Equal(t, spans, chunker.Split(text), "the same every time")
	require.Equal(t, 0, spans[0].Start)
	require.Equal(t, len(text), spans[len(spans)-1].End)
	for i, s := range spans {
		piece := text[s.Start:s.End]
		require.True(t, utf8.ValidString(piece), "cut inside a character: %q", piece)
		if utf8.RuneCountInString(piece) > 1 {
			require.LessOrEqual(t, tok.Count(piece), tokens, "chunk %d of %q", i, text)
		}
		if i == 0 {
			continue
		}
		prev := spans[i-1]
		require.Greater(t, s.Start, prev.Start)
		require.Greater(t, s.End, prev.End)
		require.LessOrEqual(t, s.Start, prev.End, "a gap")
		require.LessOrEqual(t, tok.Count(text[s.Start:prev.End]), overlap)
		if overlap == 0 {
			require.Equal(t, prev.End, s.Start)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("One two three. Four five.\n\nSix seven eight nine ten.", uint8(4), uint8(1))
	f.Add("我喜欢猫。e\u0301🇩🇪👨‍👩‍👧 สวัสดี\r\n\r\n\u2029x", uint8(0), uint8(3))
	f.Add(strings.Repeat("x", 300)+strings.Repeat(" ", 90), uint8(9), uint8(8))
	f.Add(strings.Repeat("\u0301", 60)+strings.Repeat("\n", 70), uint8(1), uint8(0))
	f.Fuzz(func(t *testing.T, text string, tokens, overlap uint8) {
		text = strings.ToValidUTF8(text, "?")
		limit := int(tokens)%64 + 4
		for _, tok := range []document.Tokenizer{document.Estimate{}, letterCount{}, wordCount{}, moody{}} {
			requireSound(t, text, limit, 0, tok)
			requireSound(t, text, limit, int(overlap)%limit, tok)
		}
		requireClustersWhole(t, text, limit)
	})
}

// requireClustersWhole: no chunk ends inside a user-perceived character that would have fitted in a chunk of its own.
func requireClustersWhole(t *testing.T, text string, limit int) {
	t.Helper()
	tok := document.Estimate{}
	inside := map[int]bool{}
	pos, state := 0, -1
	for rest := text; rest != ""; {
		var c string
		c, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		for i := 1; i < len(c) && tok.Count(c) <= limit; i++ {
			inside[pos+i] = true
		}
		pos += len(c)
	}
	for _, s := range document.NewChunker(document.ChunkSpec{Tokens: limit}, tok).Split(text) {
		require.False(t, inside[s.End], "cut inside a character at %d of %q", s.End, text)
	}
}

func FuzzSplitTakesAnyBytes(f *testing.F) {
	f.Add([]byte("\xff\xfe a \x80\x80\x80\x80\x80\x80"), uint8(4))
	f.Fuzz(func(t *testing.T, raw []byte, tokens uint8) {
		require.Equal(t, string(raw), strings.Join(split(string(raw), int(tokens), 0, nil), ""))
	})
}
