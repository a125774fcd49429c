package document

import (
	"encoding/json"
	"math"
	"strings"

	"github.com/rowvec/rowvec/connector"
)

// metadata converts the row's metadata columns, lists the keys whose value the source did not send, and counts values that are there
// and cannot be stored. A column that the row does not have is absent, so that its stored value is removed (design §1, decision 10).
func (b *Builder) metadata(doc *Document, row connector.Row) {
	doc.Metadata = make(map[string]any, len(b.spec.Metadata))
	for _, f := range b.spec.Metadata {
		value, has := row[f.Column]
		if !has {
			continue
		}
		if _, gone := value.(connector.Unavailable); gone {
			doc.Keep = append(doc.Keep, f.name())
			doc.keepColumns = append(doc.keepColumns, f.Column)
			continue
		}
		if converted, ok := metadataValue(value); ok {
			doc.Metadata[f.name()] = converted
		} else if _, isFloat := value.(float64); isFloat {
			doc.Dropped++
		}
	}
}

// metadataValue converts one column to a type that Chroma stores; false means that the key is absent. The rules:
//
//	null                      absent
//	NaN, infinities           absent, and counted (Document.Dropped)
//	text                      string, invalid UTF-8 replaced and NUL removed
//	int64, float64, bool      as they are
//	integer beyond int64      string, with all its digits
//	object                    string: JSON with sorted keys
//	array of one type         []string, []int64, []float64 or []bool
//	array of ints and floats  []float64
//	empty array               absent: Chroma 1.5.9 accepts it and stores nothing, as was seen
//	any other array           string: JSON (mixed types, nested, null; NaN and infinite elements, which are text there)
func metadataValue(value any) (any, bool) {
	switch v := value.(type) {
	case nil, connector.Unavailable:
		return nil, false
	case string:
		if cleaned := cleanString(v); cleaned != v {
			return cleaned, true
		}
		return value, true
	case bool, int64:
		return value, true
	case float64:
		return value, finite(v)
	case json.Number:
		return number(v)
	case []any:
		return array(v)
	case map[string]any:
		return cleanString(jsonText(v)), true
	default:
		return cleanString(text(v)), true
	}
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// number gives an integer beyond int64 as text: as a float it would lose digits.
func number(n json.Number) (any, bool) {
	if i, err := n.Int64(); err == nil {
		return i, true
	}
	if strings.ContainsAny(n.String(), ".eE") {
		if f, err := n.Float64(); err == nil && finite(f) {
			return f, true
		}
	}
	return cleanString(n.String()), true
}

// array converts to a slice of one type if the elements have one, else to JSON text.
func array(elements []any) (any, bool) {
	if len(elements) == 0 {
		return nil, false
	}
	converted := make([]any, len(elements))
	for i, e := range elements {
		if n, isNumber := e.(json.Number); isNumber {
			e, _ = number(n)
		}
		converted[i] = e
	}
	var typed any
	var ok bool
	switch converted[0].(type) {
	case string:
		typed, ok = stringsOf(converted)
	case bool:
		typed, ok = sliceOf[bool](converted)
	case int64:
		if typed, ok = sliceOf[int64](converted); !ok {
			typed, ok = floatsOf(converted)
		}
	case float64:
		typed, ok = floatsOf(converted)
	}
	if ok {
		return typed, true
	}
	return cleanString(jsonText(elements)), true
}

func sliceOf[T any](elements []any) ([]T, bool) {
	out := make([]T, len(elements))
	for i, e := range elements {
		v, ok := e.(T)
		if !ok {
			return nil, false
		}
		out[i] = v
	}
	return out, true
}

func stringsOf(elements []any) ([]string, bool) {
	out, ok := sliceOf[string](elements)
	for i := range out {
		out[i] = cleanString(out[i])
	}
	return out, ok
}

func floatsOf(elements []any) ([]float64, bool) {
	out := make([]float64, len(elements))
	for i, e := range elements {
		switch v := e.(type) {
		case int64:
			out[i] = float64(v)
		case float64:
			out[i] = v
		default:
			return nil, false
		}
		if !finite(out[i]) {
			return nil, false
		}
	}
	return out, true
}
