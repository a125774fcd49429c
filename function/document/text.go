package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/rowvec/rowvec/connector"
)

// text writes a column's value as a reader would: nothing for null, plain decimals for floats, ", " between an array's elements
// (nulls left out), JSON for objects.
func text(value any) string {
	switch v := value.(type) {
	case nil, connector.Unavailable:
		return ""
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return floatText(v)
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return v.String()
	case []any:
		return joinText(v, ", ")
	case map[string]any:
		return jsonText(v)
	default:
		return fmt.Sprint(v)
	}
}

// joinText joins the texts of the elements that are not null.
func joinText(elements []any, sep string) string {
	parts := make([]string, 0, len(elements))
	for _, e := range elements {
		if e != nil {
			parts = append(parts, text(e))
		}
	}
	return strings.Join(parts, sep)
}

// jsonText writes a value as JSON with sorted keys; what JSON has no numbers for (NaN, infinities) is text.
func jsonText(value any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(encodable(value)); err != nil {
		return fmt.Sprint(value)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// encodable replaces the values inside that JSON cannot hold.
func encodable(value any) any {
	switch v := value.(type) {
	case float64:
		if !finite(v) {
			return floatText(v)
		}
	case json.Number:
		if !json.Valid([]byte(v)) {
			return v.String()
		}
	case connector.Unavailable:
		return nil
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = encodable(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = encodable(v[k])
		}
		return out
	}
	return value
}

// clean makes rendered text fit to store and to embed: valid UTF-8 without NUL and without white space around it. The result may
// share memory with b.
func clean(b []byte) []byte {
	if !utf8.Valid(b) {
		b = bytes.ToValidUTF8(b, []byte("\uFFFD"))
	}
	if bytes.IndexByte(b, 0) >= 0 {
		b = bytes.ReplaceAll(b, []byte{0}, nil)
	}
	return bytes.TrimSpace(b)
}

// cleanString makes a metadata string valid UTF-8 without NUL; its white space is the user's.
func cleanString(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "")
	}
	return s
}
