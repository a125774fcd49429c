package tokens

import (
	"bufio"
	"encoding/json"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func counter(tb testing.TB) *Counter {
	tb.Helper()
	c, ok := ForModel("text-embedding-3-small")
	require.True(tb, ok)
	return c
}

// The first three are from "How to count tokens with tiktoken" in OpenAI's cookbook.
func TestKnownCounts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"antidisestablishmentarianism":        6,
		"2 + 2 = 4":                           7,
		"お誕生日おめでとう":                           9,
		"hello world":                         2,
		"tiktoken is great!":                  6,
		"":                                    0,
		"<|endoftext|>":                       7,
		"Hello, World! How are you today? 🌍":  12,
		"a\x7f\x7fb":                          4,
		"\x7f":                                1,
		strings.Repeat(" ", 128):              1,
		strings.Repeat("hello world, ", 1000): 3001,
	} {
		require.Equal(t, want, counter(t).Count(text), "%q", text)
	}
}

// testdata/cl100k_base.jsonl is what tiktoken 0.14.0, OpenAI's own, counted in texts drawn at random: words, scripts, signs, blanks,
// control characters. Of 67,020 such texts 24 counted more here, all of them with odd runs of \r and \n, and none less.
func TestCountsOfTheReference(t *testing.T) {
	t.Parallel()
	f, err := os.Open("testdata/cl100k_base.jsonl")
	require.NoError(t, err)
	defer f.Close()
	c, n, over := counter(t), 0, 0
	for lines := bufio.NewScanner(f); lines.Scan(); n++ {
		var known struct {
			Text   string
			Tokens int
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &known))
		got := c.Count(known.Text)
		require.GreaterOrEqual(t, got, known.Tokens, "%q", known.Text)
		if got > known.Tokens {
			over++
			require.Contains(t, known.Text, "\r")
			require.LessOrEqual(t, got, known.Tokens+2, "%q", known.Text)
		}
	}
	require.Equal(t, 808, n)
	require.LessOrEqual(t, over, 1)
}

func TestCountIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	c := counter(t) // not loaded yet
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				if n := c.Count("hello world, hello world"); n != 5 {
					t.Errorf("%d tokens", n)
				}
			}
		})
	}
	all.Wait()
}

// monotonous are texts of n bytes on which byte-pair encoding, or its pattern, may take quadratic time.
func monotonous(n int) map[string]string {
	texts := map[string]string{}
	for name, part := range map[string]string{
		"letter": "x", "letters": "abcdefghijklm", "blanks": " ", "blanks and tabs": " \t", "line breaks": "\n", "indented": "  \n",
		"digits": "7", "signs": "!", "apostrophes": "'", "emoji": "🎉", "family": "👨\u200d👩\u200d👧\u200d", "accents": "\u0301", "ideographs": "我喜欢",
	} {
		texts[name] = strings.Repeat(part, n/len(part)+1)[:n/len(part)*len(part)]
	}
	return texts
}

// The library alone takes half a minute for some of these.
func TestMonotonousTextIsCountedInLinearTime(t *testing.T) {
	t.Parallel()
	c := counter(t)
	for name, text := range monotonous(256 << 10) {
		begun := time.Now()
		n := c.Count(text)
		require.Less(t, time.Since(begun), 15*time.Second, name)
		require.Positive(t, n, name)
		require.LessOrEqual(t, n, len(text), name)
	}
}

// Cut into windows, no text counts less, and one with places to cut counts the same.
func FuzzWindows(f *testing.F) {
	f.Add("The quick brown fox, it's 12345 days old.\n\n\t\nIt'll sleep \x7f\x7f  now", uint8(9))
	f.Add(strings.Repeat("x", 300)+strings.Repeat(" ", 90)+"ab'S"+strings.Repeat("'re", 30), uint8(0))
	f.Add("我喜欢猫。e\u0301🇩🇪👨‍👩‍👧 สวัสดี\r\n\r\n\u2029x"+strings.Repeat("🎉", 40), uint8(60))
	f.Add(strings.Repeat("\n \r\t", 30), uint8(3))
	whole := counter(f)
	f.Fuzz(func(t *testing.T, text string, size uint8) {
		text = strings.ToValidUTF8(text, "?")
		parts := counter(t)
		parts.window, parts.long = int(size)+4, int(size)%16+1
		n, want := parts.Count(text), whole.Count(text)
		require.GreaterOrEqual(t, n, min(want, len(text)), "%q", text)
		require.LessOrEqual(t, n, len(text))
		require.LessOrEqual(t, want, len(text), "%q", text)
	})
}

func TestWindowsAreExactBetweenWords(t *testing.T) {
	t.Parallel()
	words := []string{"quick", " brown", "-fox", " 12345", ", ", "\n\n", " don't", " we'LL", "  indented", "!?", " ñandú", "。猫"}
	random := rand.New(rand.NewPCG(1, 2))
	whole, parts := counter(t), counter(t)
	parts.window = 64
	for range 200 {
		var text strings.Builder
		for range 100 {
			text.WriteString(words[random.IntN(len(words))])
		}
		require.Equal(t, whole.Count(text.String()), parts.Count(text.String()), "%q", text.String())
	}
}

func BenchmarkCount(b *testing.B) {
	texts := monotonous(1 << 20)
	texts["prose"] = strings.Repeat("The quick brown fox jumps over the lazy dog, and sleeps. It rained.\n\n", 1<<14)
	texts["title"] = "Trail shoe for muddy trails"
	for name, text := range texts {
		b.Run(strings.ReplaceAll(name, " ", "-"), func(b *testing.B) {
			c := counter(b)
			c.Count(text)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				c.Count(text)
			}
		})
	}
}
