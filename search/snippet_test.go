package search_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/search"
)

func TestSnippet(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("word ", 50) + "needle in it" + strings.Repeat(" hay", 50)
	for _, c := range []struct {
		text, around string
		runes        int
		want         string
	}{
		{"short", "", 10, "short"},
		{" a\tb\n\n c ", "", 10, "a b c"},
		{"tent\x1b[31m\nred\u202eevil", "", 40, "tent [31m red evil"},
		{"exactly ten", "", 11, "exactly ten"},
		{"exactly ten", "", 10, "exactly t…"},
		{"東京タワーは夜に光る", "", 5, "東京タワ…"},
		{long, "", 12, "word word w…"},
		{long, "needle", 20, "…d word needle in i…"},
		{long, "nowhere", 12, "word word w…"},
		{"needle first", "needle", 20, "needle first"},
		{"the needle", "needle", 20, "the needle"},
		{"", "", 5, ""},
	} {
		require.Equal(t, c.want, search.Snippet(c.text, c.around, c.runes))
	}
	require.Equal(t, 72, utf8.RuneCountInString(search.Snippet(strings.Repeat("x", 1<<20), "", 72)))
}

func FuzzSnippet(f *testing.F) {
	f.Add("a\x00b\u202e\xff", "b", uint8(3))
	f.Add(strings.Repeat("é ", 500), "é é", uint8(20))
	f.Fuzz(func(t *testing.T, text, around string, runes uint8) {
		limit := int(runes) + 2
		got := search.Snippet(text, around, limit)
		require.LessOrEqual(t, utf8.RuneCountInString(got), limit)
		require.False(t, strings.ContainsFunc(got, unicode.IsControl), "%q", got)
		require.NotContains(t, got, "  ")
		require.True(t, utf8.ValidString(got))
	})
}
