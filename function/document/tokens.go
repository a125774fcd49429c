package document

import (
	"unicode"
	"unicode/utf8"
)

// Tokenizer counts the tokens that a text costs at the embedding endpoint. It must be safe for concurrent use, count the empty text
// as 0, give equal texts equal counts and count no text as more than its bytes.
type Tokenizer interface {
	Count(text string) int
}

// Estimate counts tokens without knowing the endpoint's vocabulary, on the safe side for the usual ones (byte-pair, WordPiece,
// SentencePiece). In quarters of a token:
//
//	ASCII letter                 1, from the 17th of a word on 2; a capital after a small letter starts a new word
//	other letter                 2 when it takes two bytes in UTF-8, 6 when three (CJK, Thai, Devanagari), 12 when four
//	digit, punctuation, control  4
//	other sign, combining mark   4 when two bytes, 6 when three, 12 when four (emoji)
//	white space                  nothing for the first of a run, 1 for the others; a line break 4
//
// Every word is rounded up to whole tokens. English prose comes out about a quarter over what byte-pair vocabularies give.
type Estimate struct{}

// wordOfManyTokens is the length from which letters are likely an identifier or encoded data, which vocabularies split finely.
const wordOfManyTokens = 16

// Count implements Tokenizer.
func (Estimate) Count(text string) int {
	var c counter
	for i := 0; i < len(text); {
		if b := text[i]; b < utf8.RuneSelf {
			c.ascii(b)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		c.rune(r, size)
		i += size
	}
	c.endWord()
	return (c.quarters + 3) / 4
}

// counter is the state of one count.
type counter struct {
	quarters int  // all but the current word, words rounded up
	word     int  // quarters of the current word
	letters  int  // letters of the current word
	small    bool // the last letter was a small one
	space    bool // the last character was white space
}

func (c *counter) ascii(b byte) {
	switch {
	case 'a' <= b && b <= 'z':
		c.letter(asciiCost(c.letters))
		c.small = true
	case 'A' <= b && b <= 'Z':
		if c.small {
			c.endWord()
		}
		c.letter(asciiCost(c.letters))
	case b == ' ' || b == '\t' || b == '\n' || b == '\r':
		c.white(b == '\n')
	default:
		c.sign(4)
	}
}

func asciiCost(letters int) int {
	if letters >= wordOfManyTokens {
		return 2
	}
	return 1
}

func (c *counter) rune(r rune, size int) {
	cost := [...]int{4, 4, 2, 6, 12}[size]
	switch {
	case unicode.IsLetter(r):
		c.letter(cost)
	case unicode.IsSpace(r):
		c.white(false)
	default:
		c.sign(max(cost, 4))
	}
}

func (c *counter) letter(cost int) {
	c.word += cost
	c.letters++
	c.small, c.space = false, false
}

func (c *counter) sign(cost int) {
	c.endWord()
	c.quarters += cost
	c.space = false
}

func (c *counter) white(lineBreak bool) {
	c.endWord()
	switch {
	case lineBreak:
		c.quarters += 4
	case c.space:
		c.quarters++
	}
	c.space = true
}

func (c *counter) endWord() {
	c.quarters += (c.word + 3) / 4 * 4
	c.word, c.letters, c.small = 0, 0, false
}
