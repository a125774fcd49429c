package search

import (
	"strings"
	"unicode/utf8"
)

// Snippet is a text on one line of at most that many runes, without control characters: neither a terminal nor a log may obey what a row
// says. It is the text's beginning or, where around is not empty and further on, what stands around it.
func Snippet(text, around string, runes int) string {
	before := false
	if at := strings.Index(text, around); around != "" && at > 0 {
		lead := max(0, (runes-utf8.RuneCountInString(around))/2)
		from := at
		for range lead {
			_, size := utf8.DecodeLastRuneInString(text[:from])
			from -= size
		}
		if from > 0 && utf8.RuneCountInString(text) > runes {
			text, before = text[from:], true
		}
	}
	const perRune = 4 * utf8.UTFMax // white space that falls together makes room for more
	cut := len(text) > perRune*runes
	if cut {
		text = strings.ToValidUTF8(text[:perRune*runes], "")
	}
	line := []rune(strings.Join(strings.Fields(strings.Map(printable, text)), " "))
	if before {
		line = append([]rune("…"), line...)
	}
	if cut || len(line) > runes {
		line = append(line[:min(len(line), runes-1)], '…')
	}
	return string(line)
}

// printable makes blanks of control characters, and of those that turn the direction of writing.
func printable(r rune) rune {
	switch {
	case r < ' ', r == 0x7f, r >= 0x80 && r < 0xa0:
		return ' '
	case r == 0x200e, r == 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
		return ' '
	}
	return r
}
