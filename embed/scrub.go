package embed

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"
)

const (
	redacted   = "[redacted]"
	maxMessage = 512 // bytes of what an endpoint or the network said that go into an error
	minSecret  = 4   // shorter values hide nothing, and replacing them would make every text unreadable
)

var (
	userinfoInURL = regexp.MustCompile(`(://)[^/@\s"']+@`)
	queryInURL    = regexp.MustCompile(`(https?://[^\s"'?]*)\?[^\s"']*`)
)

// scrubber makes foreign text fit to be shown: on one line, of bounded length, and without the secrets it knows.
type scrubber struct{ known atomic.Pointer[known] }

// known is the secrets in all their forms.
type known struct {
	forms   []string
	secrets *strings.Replacer
}

func newScrubber(apiKey string, base *url.URL) *scrubber {
	s := &scrubber{}
	s.learn(base, []string{apiKey})
	return s
}

// learn takes the place of what was known before.
func (s *scrubber) learn(base *url.URL, keys []string) {
	values := slices.Clone(keys)
	if base.User != nil {
		password, _ := base.User.Password()
		values = append(values, base64.StdEncoding.EncodeToString([]byte(base.User.Username()+":"+password)), password, base.User.Username())
	}
	for _, parameter := range base.Query() {
		values = append(values, parameter...)
	}
	// The longest first: of a secret that begins with another the rest would stay.
	slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) })
	k := &known{}
	var pairs []string
	for _, value := range values {
		if len(value) < minSecret {
			continue
		}
		for _, form := range forms(value) {
			k.forms = append(k.forms, form)
			pairs = append(pairs, form, redacted)
		}
	}
	k.secrets = strings.NewReplacer(pairs...)
	s.known.Store(k)
}

// forms are the ways in which a value may turn up in a text.
func forms(value string) []string {
	quoted, err := json.Marshal(value)
	if err != nil {
		return []string{value}
	}
	return []string{value, string(quoted[1 : len(quoted)-1]), url.QueryEscape(value), url.PathEscape(value)}
}

// clean removes secrets: before the text is cut, or half a key would be left.
func (s *scrubber) clean(text string) string {
	k := s.known.Load()
	text = k.trimPart(k.secrets.Replace(text))
	text = userinfoInURL.ReplaceAllString(text, "${1}"+redacted+"@")
	return queryInURL.ReplaceAllString(text, "${1}?"+redacted)
}

// trimPart removes the beginning of a secret from the end of a text: only as much of an answer is at hand as its decoder has read.
func (k *known) trimPart(text string) string {
	for _, form := range k.forms {
		for n := len(form) - 1; n >= minSecret; n-- {
			if strings.HasSuffix(text, form[:n]) {
				return text[:len(text)-n] + redacted
			}
		}
	}
	return text
}

// message is clean on one line and cut to maxMessage bytes.
func (s *scrubber) message(text string) string {
	text = s.clean(strings.ToValidUTF8(text, "?"))
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if len(text) <= maxMessage {
		return text
	}
	cut := maxMessage
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "..."
}
