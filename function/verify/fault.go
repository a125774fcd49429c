package verify

import (
	"fmt"
	"strings"
)

// Kind is a kind of difference between a row and the index: a closed set, part of the JSON contract.
type Kind string

// The kinds of faults, in the order in which they are reported. A row has one: the first that applies.
const (
	Missing  Kind = "missing"  // the row is not in the index
	Stale    Kind = "stale"    // the index has another text of the row, or its vectors were made of another text or by another model
	Ghost    Kind = "ghost"    // the index has a row that the table does not have, or whose text is empty
	Chunks   Kind = "chunks"   // a chunk is missing or too many, or does not say where in the text it stands
	Metadata Kind = "metadata" // the index has other metadata
)

// Kinds returns all kinds in the order in which they are reported.
func Kinds() []Kind { return []Kind{Missing, Stale, Ghost, Chunks, Metadata} }

// Example shows one fault.
type Example struct {
	Row      string `json:"row"`
	Expected string `json:"expected"`
	Found    string `json:"found"`
}

// maxShown bounds a text in an Example, in runes.
const maxShown = 120

// show writes a value for an Example: short, on one line, without control characters, because a terminal must not obey what a row says.
func show(v any) string {
	text := fmt.Sprint(v)
	switch t := v.(type) {
	case nil:
		return "nothing"
	case string:
		text = fmt.Sprintf("%q", clip(t))
	}
	return clip(plain(text))
}

// plain replaces control characters and what is not printable by blanks.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) || r == 0x2028 || r == 0x2029 || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) {
			return ' '
		}
		return r
	}, text)
}

func clip(text string) string {
	n := 0
	for i := range text {
		if n == maxShown-1 {
			return text[:i] + "…"
		}
		n++
	}
	return text
}
