// Package tokens counts the tokens of a text as OpenAI's embedding models do, and knows how many they take. The vocabulary is part of
// the binary: nothing is fetched.
package tokens

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tiktoken-go/tokenizer/codec"
)

const (
	// window bounds what is counted at once, in bytes: the library takes some 40 bytes of memory for each.
	window = 64 << 10
	// longRun is the most bytes of white space with line breaks that are counted at once: the library takes quadratic time for them.
	longRun = 512
	// seam is added where a word or a run of white space had to be cut, in whose neighbourhood byte-pair encoding may go otherwise.
	seam = 8
)

// Counter counts tokens of one vocabulary, in time that grows with the text's length whatever is in it. It is safe for concurrent use.
type Counter struct {
	load         func() *codec.Codec
	window, long int
}

// Count returns the tokens of valid UTF-8 text; what looks like a special token ("<|endoftext|>") counts as text. It is exact, except
// that 8 tokens are added for every 64 KiB of a word that long and for every 512 bytes of white space with line breaks in it. It is never
// above the bytes of the text.
func (c *Counter) Count(text string) int {
	whole, n := len(text), 0
	for text != "" {
		at, clean := c.cut(text)
		if n += c.count(text[:at]); !clean {
			n += seam
		}
		text = text[at:]
	}
	return min(n, whole)
}

// cut finds where to end what is counted at once, and whether the vocabulary's own pattern parts the text there, too: after a letter or
// digit, before something else. No part of the pattern goes on there, and none looks back. Without such a place in the window, any
// bound of a character has to do.
func (c *Counter) cut(text string) (at int, clean bool) {
	edge := len(text)
	if edge > c.window {
		for edge = c.window; !utf8.RuneStart(text[edge]); {
			edge--
		}
	}
	if run := c.run(text[:edge]); run < edge || edge == len(text) {
		return run, run == len(text)
	}
	next, _ := utf8.DecodeRuneInString(text[edge:])
	for at = edge; at > 0; {
		before, size := utf8.DecodeLastRuneInString(text[:at])
		if inWord(before) && !inWord(next) {
			return at, true
		}
		next, at = before, at-size
	}
	return edge, false
}

// run returns where a run of white space with line breaks gets too long; the text's length if none does.
func (c *Counter) run(text string) int {
	start, breaks := 0, false
	for i, r := range text {
		end := i + utf8.RuneLen(r)
		switch {
		case !unicode.IsSpace(r):
			start, breaks = end, false
		case r == '\n', r == '\r':
			breaks = true
		}
		if breaks && end-start >= c.long && end < len(text) {
			return end
		}
	}
	return len(text)
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

// The library's pattern passes over DEL, v0.10.0 at least. No token of the vocabulary but their own has either of these two, and the
// pattern takes both for signs, so that one counts as the other does.
const (
	del      = "\x7f"
	standsIn = "\x01"
)

func (c *Counter) count(text string) int {
	if text == "" {
		return 0
	}
	if strings.Contains(text, del) {
		text = strings.ReplaceAll(text, del, standsIn)
	}
	n, err := c.load().Count(text)
	if err != nil { // a pattern that timed out; it has no time limit
		return len(text)
	}
	return n
}
