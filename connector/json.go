package connector

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// field is a member of a JSON object, in the order of the text.
type field struct {
	name string
	text json.RawMessage
}

// maxFields is how many columns a Postgres table can have, so no key has more.
const maxFields = 1600

// parse decodes one whole JSON value with its numbers as json.Number. reason classifies what is not JSON.
func parse(text []byte, reason string) (any, error) {
	if err := guard(text, reason); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, malformedBy(err, reason, "JSON")
	}
	if err := ended(dec, reason); err != nil {
		return nil, err
	}
	return v, nil
}

// parseFields decodes a JSON object's members in their order, which a map forgets. A repeated name is an error,
// and so are more than maxFields.
func parseFields(text []byte, reason string) ([]field, error) {
	if err := guard(text, reason); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	if start, err := dec.Token(); err != nil || start != json.Delim('{') {
		return nil, malformed(reason, "a JSON object", "something else")
	}
	var fields []field
	seen := map[string]bool{}
	for dec.More() {
		f, err := nextField(dec)
		if err != nil {
			return nil, malformedBy(err, reason, "a JSON object")
		}
		if len(fields) == maxFields {
			return nil, malformed(reason, fmt.Sprintf("at most %d members", maxFields), "more")
		}
		if seen[f.name] {
			return nil, malformed(reason, "each name once", "the name "+strconv.Quote(clip(f.name))+" twice")
		}
		seen[f.name] = true
		fields = append(fields, f)
	}
	if _, err := dec.Token(); err != nil {
		return nil, malformedBy(err, reason, "the end of the JSON object")
	}
	return fields, ended(dec, reason)
}

func nextField(dec *json.Decoder) (field, error) {
	name, err := dec.Token()
	if err != nil {
		return field{}, err
	}
	f := field{}
	f.name, _ = name.(string) // inside an object the decoder lets only strings pass as names
	if err := dec.Decode(&f.text); err != nil {
		return field{}, err
	}
	return f, nil
}

func ended(dec *json.Decoder, reason string) error {
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return malformed(reason, "one JSON value", "more text after it")
	}
	return nil
}

// guard refuses what the decoder would repair silently (bytes that are not UTF-8) or follow too deep.
func guard(text []byte, reason string) error {
	if !utf8.Valid(text) {
		return malformed(reason, "JSON in UTF-8", "bytes that are not UTF-8")
	}
	if depth := nesting(text); depth > maxDepth {
		return malformed(ReasonTooDeep, fmt.Sprintf("at most %d levels of nesting", maxDepth), strconv.Itoa(depth))
	}
	return nil
}

// nesting returns how deep the brackets outside strings nest. It reads the text once and jumps over strings.
func nesting(text []byte) int {
	depth, deepest := 0, 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '{', '[':
			depth++
			deepest = max(deepest, depth)
		case '}', ']':
			depth--
		case '"':
			i = stringEnd(text, i)
		}
	}
	return deepest
}

// stringEnd returns the index of the quote that closes the string opened at start, or the text's length.
func stringEnd(text []byte, start int) int {
	for i := start + 1; i < len(text); i++ {
		next := bytes.IndexByte(text[i:], '"')
		if next < 0 {
			return len(text)
		}
		i += next
		escapes := 0
		for text[i-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return i
		}
	}
	return len(text)
}

// natural gives a parsed value the types of a Row: integers become int64 (json.Number beyond its range), other numbers float64.
func natural(v any) (any, error) {
	switch v := v.(type) {
	case json.Number:
		return number(v)
	case []any:
		for i := range v {
			var err error
			if v[i], err = natural(v[i]); err != nil {
				return nil, err
			}
		}
		return v, nil
	case map[string]any:
		for name := range v {
			var err error
			if v[name], err = natural(v[name]); err != nil {
				return nil, err
			}
		}
		return v, nil
	default:
		return v, nil
	}
}

func number(n json.Number) (any, error) {
	text := n.String()
	if strings.ContainsAny(text, ".eE") {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, malformed(ReasonBadValue, "a number within float64", "the number "+clip(text))
		}
		return f, nil
	}
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return i, nil
	}
	return n, nil
}

// describe names a parsed value's type. Text is counted and not shown: it may be a row's.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return fmt.Sprintf("a string of %d bytes", len(v))
	case json.Number:
		return "the number " + clip(v.String())
	case []any:
		return fmt.Sprintf("an array of %d", len(v))
	case map[string]any:
		return fmt.Sprintf("an object of %d members", len(v))
	default:
		return fmt.Sprint(v)
	}
}
