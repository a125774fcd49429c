package document_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/document"
)

func TestEstimate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"":                               0,
		" ":                              0,
		"a":                              1,
		"word":                           1,
		"words":                          2,
		"two words":                      3,
		"a, b":                           3,
		"2026":                           4,
		"camelCases":                     4,
		"HTTP":                           1,
		"HTTPServer":                     3,
		"Straße":                         2,
		"привет":                         3,
		"日本語":                            5,
		"😀":                              3,
		"a\n\nb":                         4,
		"a         b":                    4,
		strings.Repeat("a", 16):          4,
		strings.Repeat("a", 20):          6,
		"e\u0301":                        2,
		"The quick brown fox jumps over": 9,
	} {
		require.Equal(t, want, document.Estimate{}.Count(text), "%q", text)
	}
}

func TestEstimateOfOneCharacterFitsTheSmallestChunk(t *testing.T) {
	t.Parallel()
	for r := range rune(0x110000) {
		if n := (document.Estimate{}).Count(string(r)); n > 4 {
			t.Fatalf("%q counts as %d", r, n)
		}
	}
}
