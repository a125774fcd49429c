package chroma

import (
	"errors"
	"net"
	"net/url"
	"regexp"
	"strings"
)

// quoted matches what a message cites of the request: JSON strings, and lists of values such as a vector.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"?|\[[^\]]*,[^\]]*\]?`)

// probe is how much of a private text is looked for in a message.
const probe = 16

// scrub makes a server's words fit for an error: citations of the request go, and a message that still holds a
// secret or the beginning of a document is dropped whole.
func (c *Client) scrub(ex *exchange, message string) string {
	message = quoted.ReplaceAllString(message[:min(len(message), 4*maxDetail)], `"…"`)
	if c.secrets.in(message) {
		return "(message withheld: it cites a secret)"
	}
	for _, text := range ex.private {
		if start := text[:min(len(text), probe)]; len(start) > 3 && strings.Contains(message, start) {
			return "(message withheld: it cites a record)"
		}
	}
	return cut(message, maxDetail)
}

// networkDetail takes the address-free core of a network error: url.Error and the like repeat the whole URL.
func networkDetail(err error) string {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Op + ": " + op.Err.Error()
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err.Error()
	}
	return err.Error()
}
