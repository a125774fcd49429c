package embed

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// words counts white space separated words, and how often it was asked.
type words struct{ asked atomic.Int64 }

func (w *words) count(text string) int {
	w.asked.Add(1)
	return len(strings.Fields(text))
}

func TestSplitByCountedTokens(t *testing.T) {
	t.Parallel()
	text := "one two three four" // 18 bytes, 8 tokens by the estimate
	for name, test := range map[string]struct {
		prefix string
		max    int
		want   []int
		asked  int64
	}{
		"exactly full":             {"", 12, []int{3, 1}, 4},
		"one less":                 {"", 11, []int{2, 2}, 4},
		"with the prefix":          {"p ", 15, []int{3, 1}, 4},
		"bytes within the limit":   {"", 72, []int{4}, 0},
		"no limit":                 {"", 0, []int{4}, 0},
		"a byte over: they do fit": {"", 71, []int{4}, 4},
	} {
		var w words
		client := splitter(t, func(c *Config) { c.MaxTokens, c.Prefix, c.CountTokens = test.max, test.prefix, w.count })
		require.Equal(t, test.want, client.Split([]string{text, text, text, text}), name)
		require.Equal(t, test.asked, w.asked.Load(), name)
	}
}

// A minute's worth of tokens goes in a minute, as the endpoint counts them.
func TestTokensPerMinuteAreCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w words
		client := splitter(t, func(c *Config) { c.TokensPerMinute, c.Prefix, c.CountTokens = 120, "p ", w.count })
		inputs, _ := client.passage.inputs([]string{"one two three", "four"})
		tokens := client.counted(inputs)
		require.Equal(t, 6, tokens)
		begun := time.Now()
		require.NoError(t, client.limits.wait(t.Context(), tokens))
		require.Equal(t, 2*time.Second, time.Since(begun).Round(time.Millisecond), "two at once, and two a second")
	})
}
