package embed

import "unicode/utf8"

const (
	// MaxBody bounds the JSON body of one request in bytes: 64 KiB for each of 64 texts. An endpoint or proxy that takes less answers
	// 413, and the caller halves the request.
	MaxBody = 4 << 20

	bodyOverhead = 512 // the fields around the texts, without model and extra
	textOverhead = 3   // quotes and comma
	tokenMarks   = 2   // a model's own begin and end marks
)

// size is what a text counts against the limits of a request.
type size struct{ tokens, bytes int }

func (s size) plus(o size) size { return size{tokens: s.tokens + o.tokens, bytes: s.bytes + o.bytes} }

// measure estimates the tokens of a text and the bytes of its JSON form, both on the high side.
//
// Tokens: one per three ASCII letters or blanks (English prose has about four), two per three digits and signs, one per two bytes of other
// scripts (a Chinese character counts 1.5, a Cyrillic letter 1, an emoji 2), and two for the marks around a text. Random characters may
// still have more; an endpoint then answers 400 or 413 and the caller halves the request.
func measure(text string) size {
	plain, signs, other, escapes := 0, 0, 0, 0
	for i := range len(text) {
		switch c := text[i]; {
		case c >= utf8.RuneSelf:
			other++
			if c == 0xe2 { // U+2028 and U+2029 are escaped; their neighbours are counted with them
				escapes += 3
			}
		case c|0x20 >= 'a' && c|0x20 <= 'z', c == ' ':
			plain++
		case c < 0x20, c == '<', c == '>', c == '&', c == 0x7f:
			signs++
			escapes += 5 // \u003c
		case c == '"', c == '\\':
			signs++
			escapes++
		default:
			signs++
		}
	}
	if other > 0 && !utf8.ValidString(text) {
		escapes += 5 * other // what is not UTF-8 becomes \ufffd
	}
	tokens := (plain+2*signs+2)/3 + (other+1)/2 + tokenMarks
	return size{tokens: tokens, bytes: len(text) + escapes + textOverhead}
}

// Split cuts texts into consecutive requests and returns how many texts go in each; the counts add up to len(texts). No request has more
// than Config.MaxTexts texts, more than Config.MaxTokens tokens (counted by Config.CountTokens, else estimated), or a body over MaxBody
// bytes, the prefix included, except that a text which is too large by itself goes alone: only the endpoint knows whether it takes it.
func (c *Client) Split(texts []string) []int {
	var counts []int
	count, used, tokens := 0, size{}, c.tokensOf(texts)
	for _, text := range texts {
		one := measure(text).plus(c.passage.size)
		if tokens != nil {
			one.tokens = tokens(text)
		}
		if next := used.plus(one); count > 0 && c.exceeds(count+1, next) {
			counts = append(counts, count)
			count, used = 0, size{}
		}
		count++
		used = used.plus(one)
	}
	if count > 0 {
		counts = append(counts, count)
	}
	return counts
}

// tokensOf returns how to count the texts of a split; nil: by the estimate. Counting costs as much as all the rest: it is left out
// where bytes, of which no text has fewer than tokens, are within the limit.
func (c *Client) tokensOf(texts []string) func(text string) int {
	if c.count == nil {
		return nil
	}
	upper := func(text string) int { return len(c.passage.prefix) + len(text) }
	bytes := 0
	for _, text := range texts {
		bytes += upper(text)
	}
	if c.maxTokens == 0 || bytes <= c.maxTokens {
		return upper
	}
	return func(text string) int { return c.count(c.passage.prefix + text) }
}

// counted adds up the tokens of a request's inputs.
func (c *Client) counted(inputs []string) (tokens int) {
	for _, input := range inputs {
		tokens += c.count(input)
	}
	return tokens
}

func (c *Client) exceeds(texts int, s size) bool {
	return c.maxTexts > 0 && texts > c.maxTexts ||
		c.maxTokens > 0 && s.tokens > c.maxTokens ||
		s.bytes+c.passage.overhead > MaxBody
}
