package embed

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestParseProblem(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]problem{
		`{"error":{"message":"no such model","type":"invalid_request_error","code":"model_not_found"}}`: {"no such model", []string{"model_not_found", "invalid_request_error"}},
		`{"error":"too long","error_type":"Validation"}`:                                                {"too long", []string{"Validation"}},
		`{"object":"error","message":"no","type":"NotFoundError","code":404}`:                           {"no", []string{"404", "NotFoundError"}},
		`{"detail":"Not Found"}`: {"Not Found", nil},
		`{"detail":[{"loc":["body","input"],"msg":"field required","type":"missing"},{"msg":"and more"}]}`: {"field required; and more", []string{"missing"}},
		`[{"error":{"code":400,"message":"key","status":"INVALID","details":[{"reason":"API_KEY_INVALID"}]}}]`: {
			"key", []string{"400", "INVALID", "API_KEY_INVALID"},
		},
		`"just a text"`:          {"just a text", nil},
		`<html>oops</html>`:      {`<html>oops</html>`, nil},
		`{"error":{"message":""`: {`{"error":{"message":""`, nil},
		`{"error":null}`:         {`{"error":null}`, nil},
		``:                       {"", nil},
	} {
		require.Equal(t, want, parseProblem([]byte(body)), body)
	}
}

func TestMessagesAreBoundedLines(t *testing.T) {
	t.Parallel()
	scrub := newScrubber("", &url.URL{})
	require.Equal(t, "a b c", scrub.message("a\r\n\tb\x00\x1b c\n"))
	long := scrub.message(strings.Repeat("東", 1000))
	require.True(t, utf8.ValidString(long))
	require.LessOrEqual(t, len(long), maxMessage+3)
	require.True(t, strings.HasSuffix(long, "..."))
	require.Equal(t, "?bad", scrub.message("\xffbad"))
}

// A secret at the edge of what is kept must go before the cut, or half of it would stay.
func TestScrubbedBeforeCut(t *testing.T) {
	t.Parallel()
	scrub := newScrubber("sk-abcdefgh", &url.URL{})
	text := scrub.message(strings.Repeat("x", maxMessage-4) + "sk-abcdefgh")
	require.NotContains(t, text, "sk-")
}

// A decoder stops reading in the middle of an answer, and there may be a key.
func TestPartOfASecretAtTheEnd(t *testing.T) {
	t.Parallel()
	scrub := newScrubber("sk-abcdefgh", &url.URL{})
	require.Equal(t, "the key [redacted]", scrub.message("the key sk-abcdefg"))
	require.Equal(t, "the key [redacted] and [redacted]", scrub.message("the key sk-abcdefgh and sk-a"))
	require.Equal(t, "the key sk-", scrub.message("the key sk-"), "three letters give nothing away")
}

// Keys like "x" stand for "no key"; replacing them would spoil every message.
func TestShortKeysAreNoSecrets(t *testing.T) {
	t.Parallel()
	require.Equal(t, "an extra x", newScrubber("x", &url.URL{}).message("an extra x"))
}

func FuzzParseProblem(f *testing.F) {
	f.Add([]byte(`{"error":{"message":"no","details":[{"reason":"API_KEY_INVALID"}]}}`))
	f.Add([]byte(`[[[[[[[[["deep"]]]]]]]]]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		p := parseProblem(body)
		if len(p.message) > 2*len(body)*maxProblemItems+2 {
			t.Fatalf("a message of %d bytes from a body of %d", len(p.message), len(body))
		}
	})
}
