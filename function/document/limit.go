package document

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// limit bounds the tokens of a text that goes to the endpoint whole, as the endpoint counts them: with the prefix. Nil limits nothing.
type limit struct {
	tokens int
	prefix string
	tok    Tokenizer
}

func (l *limit) count(text string) int { return l.tok.Count(l.prefix + text) }

// exceeded reports whether text has too many tokens, and gives as much of its beginning as has too many. Few texts are counted: none has
// more tokens than bytes. Of a long one the beginning does.
func (l *limit) exceeded(text string) (head string, over bool) {
	if l == nil || len(l.prefix)+len(text) <= l.tokens {
		return text, false
	}
	for n := 8 * l.tokens; n < len(text)/2; n *= 2 {
		if head = text[:runeStart(text, n)]; l.count(head) > l.tokens {
			return head, true
		}
	}
	return text, l.count(text) > l.tokens
}

func runeStart(text string, at int) int {
	for at > 0 && !utf8.RuneStart(text[at]) {
		at--
	}
	return at
}

// truncate returns the longest beginning of head that is within the limit and ends after a word, without white space at its end. It ends
// inside a word only when that is over the limit alone, and inside a user-perceived character only when it begins with one that is.
func (l *limit) truncate(head string) string {
	room := max(l.tokens-l.tok.Count(l.prefix), 1)
	c := cutter{over: l, run: run{Chunker: NewChunker(ChunkSpec{Tokens: room}, l.tok), text: head, pieces: segment(head, room, l.tok)}}
	most := c.fill(0) // near the best: it counts neither the prefix nor without the white space
	to := c.whole(most, -1)
	for to > 0 && !c.fits(to) {
		to = c.whole(to-1, -1)
	}
	if to == 0 {
		for to = most; to > 1 && !c.fits(to); {
			to--
		}
		return c.cut(to)
	}
	for next := c.whole(to+1, 1); next <= len(c.pieces) && c.fits(next); next = c.whole(to+1, 1) {
		to = next
	}
	return c.cut(to)
}

// cutter looks for the piece after which to cut a text.
type cutter struct {
	run

	over *limit
}

// cut is the text up to piece to, not with it.
func (c *cutter) cut(to int) string {
	return strings.TrimRightFunc(c.text[:c.offset(to)], unicode.IsSpace)
}

func (c *cutter) fits(to int) bool { return c.over.count(c.cut(to)) <= c.over.tokens }

// whole returns the next end from to on, in that direction, that is neither inside a user-perceived character nor after mere white space;
// 0 or one past the last if none is.
func (c *cutter) whole(to, direction int) int {
	for to > 0 && to <= len(c.pieces) && (c.pieces[to-1].level == inCluster || c.blank(to)) {
		to += direction
	}
	return to
}

func (c *cutter) blank(to int) bool {
	return strings.TrimSpace(c.text[c.offset(to-1):c.offset(to)]) == ""
}
