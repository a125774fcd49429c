package search

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of a filter's values.
const (
	maxValue  = 4 << 10 // bytes of a string
	maxValues = 1000    // of a list
)

// scalar reads a string, a bool or a number.
func scalar(at string, value any) (any, error) {
	switch v := value.(type) {
	case string:
		switch {
		case len(v) > maxValue:
			return nil, invalid(at, "expected at most %d bytes, found %d", maxValue, len(v))
		case !utf8.ValidString(v):
			return nil, invalid(at, "expected UTF-8")
		}
		return v, nil
	case bool:
		return v, nil
	case nil:
		return nil, invalid(at, "expected a string, a number or a bool, found null: a column that is null is not stored, and nothing equals it")
	}
	if !isNumber(value) {
		return nil, invalid(at, "expected a string, a number or a bool, found %s", describe(value))
	}
	return number(at, value)
}

func isNumber(value any) bool {
	switch value.(type) {
	case int, int32, int64, uint32, float32, float64, json.Number:
		return true
	}
	return false
}

// number gives int64, float64 or a fraction. Chroma compares them all as numbers.
func number(at string, value any) (any, error) {
	switch v := value.(type) {
	case int:
		return int64(v), nil
	case int32:
		return int64(v), nil
	case uint32:
		return int64(v), nil
	case int64:
		return v, nil
	case float32:
		return finite(at, float64(v))
	case float64:
		return finite(at, v)
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, nil
		}
		f, err := v.Float64()
		if err != nil {
			return nil, invalid(at, "expected a number of at most 64 bits")
		}
		if !strings.ContainsAny(v.String(), ".eE") {
			return nil, invalid(at, "expected a number of at most 64 bits: greater integers are stored as text, give it as a string")
		}
		return finite(at, f)
	}
	return nil, invalid(at, "expected a number, found %s: other values have no order here", describe(value))
}

func finite(at string, v float64) (any, error) {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return nil, invalid(at, "expected a finite number")
	case v == math.Trunc(v) && math.Abs(v) < 1<<53:
		return int64(v), nil
	case v == math.Trunc(v):
		return fraction(v), nil // Chroma refuses digits that look like an integer of more than 64 bits
	}
	return v, nil
}

// list reads the operand of $in and $nin: values of one kind. Whole numbers beside fractions become fractions, as Chroma wants one type.
func list(at string, value any) (any, error) {
	elements, ok := value.([]any)
	switch {
	case !ok || len(elements) == 0:
		return nil, invalid(at, "expected a list of values, found %s", describe(value))
	case len(elements) > maxValues:
		return nil, invalid(at, "expected at most %d values, found %d", maxValues, len(elements))
	}
	out := make([]any, len(elements))
	fractions := false
	for i, element := range elements {
		place := at + "[" + strconv.Itoa(i) + "]"
		v, err := scalar(place, element)
		if err != nil {
			return nil, err
		}
		if kind(v) != kind(out[0]) && i > 0 {
			return nil, invalid(place, "expected %s like the others, found %s", kind(out[0]), kind(v))
		}
		_, isWhole := v.(int64)
		fractions = fractions || kind(v) == aNumber && !isWhole
		out[i] = v
	}
	if !fractions {
		return out, nil
	}
	return out, allFractions(at, out)
}

// allFractions makes fractions of the numbers. One that it would change is refused: it would be another row's.
func allFractions(at string, numbers []any) error {
	for i, v := range numbers {
		switch n := v.(type) {
		case int64:
			f := float64(n)
			if f >= 1<<63 || int64(f) != n {
				return invalid(at+"["+strconv.Itoa(i)+"]", "a whole number over 2^53 is not exact beside a fraction; give each a list of its own")
			}
			numbers[i] = fraction(f)
		case float64:
			numbers[i] = fraction(n)
		}
	}
	return nil
}

// fraction is a number that JSON shows to be one: 5.0, not 5.
func fraction(v float64) json.Number {
	text := strconv.FormatFloat(v, 'g', -1, 64)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return json.Number(text)
}

const aNumber = "a number"

func kind(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case bool:
		return "a bool"
	default:
		return aNumber
	}
}

// describe names a value's form for an error, and not the value: errors stand in logs.
func describe(v any) string {
	switch t := v.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case bool:
		return "a bool"
	case []any:
		if len(t) == 0 {
			return "an empty list"
		}
		return "a list"
	case map[string]any:
		return "an object"
	}
	if isNumber(v) {
		return aNumber
	}
	return "another kind of value"
}
