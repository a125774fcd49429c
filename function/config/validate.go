package config

import (
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

var (
	tableName = regexp.MustCompile(`^[^.\s]+\.[^\s]+$`)
	// Chroma 1.5's rule for collection names.
	collectionName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,510}[A-Za-z0-9]$`)
	serviceURL     = regexp.MustCompile(`^pulsar(\+ssl)?://[^\s/@]+/?$`)
)

// reservedFields are the request fields that rowvec itself sets.
var reservedFields = []string{"model", "input", "dimensions", "encoding_format"}

// checkURL accepts http and https without credentials: those belong in a secret, where they are kept out of logs.
func (s *section) checkURL(key, raw, example string) {
	if raw == "" {
		s.fail(key, "required: for example %s", example)
		return
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		s.fail(key, "expected an address such as %s; what is there cannot be parsed", example)
	case u.User != nil:
		s.fail(key, "must not contain credentials; put them in a secret")
	case (u.Scheme != "http" && u.Scheme != "https") || u.Host == "":
		s.fail(key, "expected an address such as %s; what is there has another form", example) // it may hold credentials
	case u.RawQuery != "" || u.Fragment != "":
		s.fail(key, "expected an address without ?query and #fragment, such as %s", example)
	}
}

// checkServiceURL accepts the addresses that Pulsar's clients know; several hosts may stand in one.
func (s *section) checkServiceURL(key, raw string) {
	if raw != "" && !serviceURL.MatchString(raw) {
		s.fail(key, "expected an address such as pulsar://127.0.0.1:6650 or pulsar+ssl://broker:6651; what is there has another form")
	}
}

// caFile reads the path of a file that need not be here, but where the function runs. address is what it is for: without TLS it would do nothing, and whoever set it
// believes otherwise.
func (s *section) caFile(into *CAFile, address string) {
	path := string(*into)
	s.text("caFile", &path)
	if path != "" && strings.HasPrefix(address, "http://") {
		s.fail("caFile", "is for https:// addresses, and this one begins with http://: nothing would be encrypted")
	}
	*into = CAFile(path)
}

// checkExtra refuses fields that would change what rowvec asks for.
func (s *section) checkExtra(key string, extra map[string]any) {
	for _, field := range slices.Sorted(maps.Keys(extra)) {
		if slices.Contains(reservedFields, field) {
			s.fail(key+"."+field, "is set by rowvec itself; use embedding.model and embedding.dimensions")
		}
		extra[field] = wholeNumbers(extra[field])
	}
}

// wholeNumbers turns 256.0 into 256: functions update makes doubles of whole numbers (contract §4.2), which would change what is
// sent and, with it, every fingerprint.
func wholeNumbers(v any) any {
	switch t := v.(type) {
	case map[string]any:
		for k := range t {
			t[k] = wholeNumbers(t[k])
		}
	case []any:
		for i := range t {
			t[i] = wholeNumbers(t[i])
		}
	case float64, json.Number, int:
		if n, ok := whole(t); ok {
			return int64(n)
		}
	}
	return v
}
