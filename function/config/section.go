package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/agnivade/levenshtein"
)

// section reads one level of the settings and collects what is wrong with it. Asking for a key makes it known; what was never
// asked for is an error of finish.
type section struct {
	path   string
	values map[string]any
	known  []string
	errs   *[]error
}

func (s *section) fail(key, format string, args ...any) {
	*s.errs = append(*s.errs, fmt.Errorf("%s: "+format, append([]any{s.at(key)}, args...)...))
}

func (s *section) at(key string) string {
	switch {
	case key == "":
		return s.path
	case s.path == "":
		return key
	default:
		return s.path + "." + key
	}
}

// get returns a key's value; a key that is absent or null is not there.
func (s *section) get(key string) (any, bool) {
	s.known = append(s.known, key)
	v, ok := s.values[key]
	return v, ok && v != nil
}

func (s *section) text(key string, into *string) {
	v, ok := s.get(key)
	if !ok {
		return
	}
	if t, ok := v.(string); ok {
		*into = t
		return
	}
	s.fail(key, "expected a text, found %s", describe(v))
}

// integer accepts 1 and 1.0: pulsar-admin and functions update turn whole numbers into doubles (contract §4.2).
func (s *section) integer(key string, into *int, low, high int) {
	v, ok := s.get(key)
	if !ok {
		return
	}
	n, ok := whole(v)
	if !ok {
		s.fail(key, "expected a whole number, found %s", describe(v))
		return
	}
	if n < low || n > high {
		s.fail(key, "expected %d to %d, found %d", low, high, n)
		return
	}
	*into = n
}

func (s *section) duration(key string, into *time.Duration, low, high time.Duration) {
	v, ok := s.get(key)
	if !ok {
		return
	}
	t, isText := v.(string)
	d, err := time.ParseDuration(t)
	switch {
	case !isText || err != nil:
		s.fail(key, "expected a duration such as 30s or 1m, found %s", describe(v))
	case d < low || d > high:
		s.fail(key, "expected %v to %v, found %v", low, high, d)
	default:
		*into = d
	}
}

func (s *section) choice(key string, into *string, among ...string) {
	s.text(key, into)
	if !slices.Contains(among, *into) {
		s.fail(key, "expected %s, found %q", strings.Join(among, ", "), *into)
	}
}

func (s *section) texts(key string, into *[]string) {
	v, ok := s.get(key)
	if !ok {
		return
	}
	list, ok := v.([]any)
	if !ok {
		s.fail(key, "expected a list of texts, found %s", describe(v))
		return
	}
	for i, e := range list {
		if t, ok := e.(string); ok {
			*into = append(*into, t)
			continue
		}
		s.fail(fmt.Sprintf("%s[%d]", key, i), "expected a text, found %s", describe(e))
	}
}

func (s *section) object(key string, into *map[string]any) {
	v, ok := s.get(key)
	if !ok {
		return
	}
	m, ok := v.(map[string]any)
	if !ok {
		s.fail(key, "expected settings (key: value), found %s", describe(v))
		return
	}
	*into = m
}

// secret accepts a text, {secret: NAME} or {file: /path}.
func (s *section) secret(key string, into *Secret) {
	v, ok := s.get(key)
	if !ok {
		return
	}
	if t, ok := v.(string); ok {
		*into = Secret{value: t}
		return
	}
	if _, ok := v.(map[string]any); !ok {
		s.fail(key, "expected {secret: NAME}, {file: /path} or a text")
		return
	}
	sub := s.section(key)
	sub.text("secret", &into.Name)
	sub.text("file", &into.File)
	if (into.Name == "") == (into.File == "") {
		sub.fail("secret", "expected the name of a secret here, or the path of a file in file")
	}
	sub.finish()
}

// section opens a level below; one that is absent reads as empty.
func (s *section) section(key string) *section {
	sub := &section{path: s.at(key), errs: s.errs}
	s.object(key, &sub.values)
	return sub
}

// finish reports the keys that nothing asked for.
func (s *section) finish() {
	for _, key := range slices.Sorted(maps.Keys(s.values)) {
		if !slices.Contains(s.known, key) {
			s.fail(key, "unknown setting%s", suggestion(key, s.known))
		}
	}
}

// suggestion names the nearest known key, or all of them where none is near.
func suggestion(key string, known []string) string {
	best, distance := "", math.MaxInt
	for _, k := range known {
		if d := levenshtein.ComputeDistance(strings.ToLower(key), strings.ToLower(k)); d < distance {
			best, distance = k, d
		}
	}
	if best != "" && distance <= max(2, len(key)/3) {
		return fmt.Sprintf("; did you mean %s?", best)
	}
	return "; known here: " + strings.Join(slices.Sorted(slices.Values(known)), ", ")
}

func whole(v any) (int, bool) {
	switch n := v.(type) {
	case int:
		return n, true
	case int64:
		return int(n), true
	case float64:
		return int(n), n == math.Trunc(n) && math.Abs(n) < 1<<53
	case json.Number:
		f, err := n.Float64()
		return int(f), err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53
	default:
		return 0, false
	}
}

// describe names a value's form for an error. Texts are shown short; a secret never comes here.
func describe(v any) string {
	switch t := v.(type) {
	case string:
		if r := []rune(t); len(r) > 40 {
			return fmt.Sprintf("%q…", string(r[:40]))
		}
		return fmt.Sprintf("%q", t)
	case map[string]any:
		return "settings (key: value)"
	case []any:
		return "a list"
	case bool, int, int64, float64, json.Number:
		return fmt.Sprint(t)
	case nil:
		return "nothing"
	default:
		return fmt.Sprintf("a %T", v)
	}
}
