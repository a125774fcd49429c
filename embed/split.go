package embed

import "unicode/utf8"

const (
	// MaxBody bounds the JSON body of one request in bytes. It is below what common servers and proxies refuse (nginx's default is
	// 1 MiB for a body, but embedding servers raise it; axum's and OpenAI's gateways take more), and at 64 texts leaves 64 KiB for each.
	MaxBody = 4 << 20

	bodyOverhead = 512 // the fields around the texts, without model and extra
	textOverhead = 3   // quotes and comma
	tokenMarks   = 2   // a model's own begin and end marks
)

// size is what a text counts against the limits of a request.
type size struct{ tokens, bytes int }

func (s size) plus(o size) size { return size{tokens: s.tokens + o.tokens, bytes: s.bytes + o.bytes} }

// measure estimates the tokens of a text and the bytes of its JSON form.
//
// Tokens are guessed high: one per three ASCII bytes (English prose has about four, code about three) and one per two bytes of other
// scripts (a Chinese character counts 1.5, a Cyrillic letter 1, an emoji 2), and two for the marks around a text. Long runs of digits or
// random characters may still have more; an endpoint then answers 400 or 413 and the caller halves the request.
func measure(text string) size {
	ascii, escapes := 0, 0
	for i := range len(text) {
		c := text[i]
		switch {
		case c >= utf8.RuneSelf:
			continue
		case c < 0x20, c == '<', c == '>', c == '&', c == 0x7f:
			escapes += 5 // \u003c
		case c == '"', c == '\\':
			escapes++
		}
		ascii++
	}
	other := len(text) - ascii
	if other > 0 && !utf8.ValidString(text) {
		escapes += 5 * other // every byte that is not UTF-8 becomes �
	}
	return size{tokens: (ascii+2)/3 + (other+1)/2 + tokenMarks, bytes: len(text) + escapes + textOverhead}
}

// Split cuts texts into consecutive requests and returns how many texts go in each; the counts add up to len(texts). No request has more
// than Config.MaxTexts texts, more than Config.MaxTokens estimated tokens, or a body over MaxBody bytes, the prefix included, except that
// a text which is too large by itself goes alone: only the endpoint knows whether it takes it.
func (c *Client) Split(texts []string) []int {
	var counts []int
	count, used := 0, size{}
	for _, text := range texts {
		one := measure(text).plus(c.passage.size)
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

func (c *Client) exceeds(texts int, s size) bool {
	return c.maxTexts > 0 && texts > c.maxTexts ||
		c.maxTokens > 0 && s.tokens > c.maxTokens ||
		s.bytes+c.passage.overhead > MaxBody
}
