package chroma

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	v2 "github.com/amikos-tech/chroma-go/pkg/api/v2"
)

// maxListed is how many elements the lists of one record's metadata may have together. Chroma 1.5.9 takes more, and from then on answers 500 to
// everything about the collection, for good: its log has a record that its own database does not store (32,766 variables of 6 a row).
const maxListed = 5461

var (
	errNotFinite = errors.New("a number that is not finite")
	errMixed     = errors.New("a list of several types")
	errTooMany   = fmt.Errorf("the lists have more than %d elements, over which Chroma 1.5.9 loses the collection: leave the longest out of metadata", maxListed)
	errBadKey    = errors.New("metadata keys may not be empty or start with '#' or '$'")
)

// metadataError says which key of a record's metadata does not fit.
type metadataError struct {
	key string
	err error
}

func (e *metadataError) Error() string { return fmt.Sprintf("key %q: %v", cut(e.key, maxName), e.err) }
func (e *metadataError) Unwrap() error { return e.err }

// rawMetadata is metadata in its final form. chroma-go's own writes 1e-20 as 0 and [1.0, 2.0] as whole numbers.
type rawMetadata struct {
	v2.DocumentMetadata // never called: chroma-go only marshals it
	json                []byte
}

// MarshalJSON implements json.Marshaler.
func (m rawMetadata) MarshalJSON() ([]byte, error) { return m.json, nil }

// encodeMetadata writes a record's metadata. A nil value and an empty list are null, by which Chroma removes the key; without nulls they are
// left out: to an add Chroma 1.5.9 answers 422 for one.
func encodeMetadata(metadata map[string]any, nulls bool) ([]byte, error) {
	if metadata == nil {
		return []byte("null"), nil
	}
	out := append(make([]byte, 0, 64*len(metadata)), '{')
	listed := 0
	for key, value := range metadata {
		if listed += listLength(value); listed > maxListed {
			return nil, errTooMany
		}
		if key == "" || key[0] == '#' || key[0] == '$' {
			return nil, &metadataError{key, errBadKey}
		}
		before := len(out)
		if before > 1 {
			out = append(out, ',')
		}
		var err error
		if out, err = appendString(out, key); err != nil {
			return nil, &metadataError{key, err}
		}
		from := len(out) + 1
		if out, err = appendValue(append(out, ':'), value); err != nil {
			return nil, &metadataError{key, err}
		}
		if !nulls && string(out[from:]) == "null" {
			out = out[:before]
		}
	}
	return append(out, '}'), nil
}

// listLength is how many elements a value has; 0 of what is no list.
func listLength(value any) int {
	switch v := value.(type) {
	case []string:
		return len(v)
	case []int64:
		return len(v)
	case []float64:
		return len(v)
	case []bool:
		return len(v)
	case []any:
		return len(v)
	}
	return 0
}

func appendValue(out []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return append(out, "null"...), nil
	case []string:
		return appendList(out, v, appendString)
	case []int64:
		return appendList(out, v, appendInt)
	case []float64:
		return appendList(out, v, appendFloat)
	case []bool:
		return appendList(out, v, appendBool)
	case []any:
		return appendAny(out, v)
	}
	return appendScalar(out, value)
}

func appendScalar(out []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case string:
		return appendString(out, v)
	case int64:
		return appendInt(out, v)
	case int:
		return appendInt(out, int64(v))
	case float64:
		return appendFloat(out, v)
	case bool:
		return appendBool(out, v)
	}
	return nil, fmt.Errorf("a value of type %T, expected text, number, boolean or a list of one of these", value)
}

func appendList[T any](out []byte, list []T, element func([]byte, T) ([]byte, error)) ([]byte, error) {
	if len(list) == 0 {
		return append(out, "null"...), nil
	}
	out = append(out, '[')
	for i, v := range list {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = element(out, v); err != nil {
			return nil, err
		}
	}
	return append(out, ']'), nil
}

// appendAny writes a list whose elements must all be of the first one's type.
func appendAny(out []byte, list []any) ([]byte, error) {
	for _, v := range list {
		if kind(v) != kind(list[0]) {
			return nil, errMixed
		}
	}
	return appendList(out, list, appendScalar)
}

func kind(v any) string {
	if _, ok := v.(int); ok {
		return "int64"
	}
	return fmt.Sprintf("%T", v)
}

func appendString(out []byte, s string) ([]byte, error) {
	encoded, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return append(out, encoded...), nil
}

func appendInt(out []byte, v int64) ([]byte, error) { return strconv.AppendInt(out, v, 10), nil }
func appendBool(out []byte, v bool) ([]byte, error) { return strconv.AppendBool(out, v), nil }

// appendFloat keeps a float a float: Chroma stores 5 as a whole number and 5.0 as a float, and a filter tells them apart.
func appendFloat(out []byte, v float64) ([]byte, error) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil, errNotFinite
	}
	start := len(out)
	out = strconv.AppendFloat(out, v, 'g', -1, 64)
	for _, b := range out[start:] {
		if b == '.' || b == 'e' {
			return out, nil
		}
	}
	return append(out, ".0"...), nil
}
