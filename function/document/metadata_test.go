package document_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// metadataOf converts one column; ok is false when the key is absent.
func metadataOf(t *testing.T, value any) (any, bool) {
	t.Helper()
	spec := articleSpec("{{.title}}")
	spec.Metadata = []document.Field{{Column: "v"}}
	doc := build(t, spec, insert(int64(1), connector.Row{"title": "x", "v": value}))
	require.Empty(t, doc.Keep)
	converted, ok := doc.Metadata["v"]
	return converted, ok
}

func TestMetadataValues(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ in, want any }{
		"text":                   {"x", "x"},
		"padded text":            {" x ", " x "},
		"invalid text":           {"a\xff\x00b", "a\uFFFDb"},
		"int":                    {int64(math.MinInt64), int64(math.MinInt64)},
		"float":                  {1.5, 1.5},
		"whole float":            {2.0, 2.0},
		"bool":                   {false, false},
		"big integer":            {json.Number("12345678901234567890"), "12345678901234567890"},
		"small json.Number":      {json.Number("12"), int64(12)},
		"float json.Number":      {json.Number("1.5"), 1.5},
		"huge json.Number":       {json.Number("1e400"), "1e400"},
		"object":                 {map[string]any{"b": int64(1), "a": []any{"<x>", math.NaN()}}, `{"a":["<x>","NaN"],"b":1}`},
		"strings":                {[]any{"a", "b\x00"}, []string{"a", "b"}},
		"ints":                   {[]any{int64(1), json.Number("2")}, []int64{1, 2}},
		"floats":                 {[]any{1.5, 2.0}, []float64{1.5, 2}},
		"ints and floats":        {[]any{int64(1), 2.5}, []float64{1, 2.5}},
		"floats and ints":        {[]any{2.5, int64(1)}, []float64{2.5, 1}},
		"bools":                  {[]any{true, false}, []bool{true, false}},
		"big integers":           {[]any{json.Number("12345678901234567890")}, []string{"12345678901234567890"}},
		"ints and a big integer": {[]any{int64(1), json.Number("12345678901234567890")}, `[1,12345678901234567890]`},
		"mixed":                  {[]any{"a", int64(1)}, `["a",1]`},
		"nulls inside":           {[]any{"a", nil}, `["a",null]`},
		"null first":             {[]any{nil, int64(1)}, `[null,1]`},
		"NaN inside":             {[]any{1.5, math.NaN()}, `[1.5,"NaN"]`},
		"nested array":           {[]any{[]any{int64(1)}, []any{int64(2)}}, `[[1],[2]]`},
		"array of objects":       {[]any{map[string]any{"a": int64(1)}}, `[{"a":1}]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := metadataOf(t, tc.in)
			require.True(t, ok)
			require.Equal(t, tc.want, got)
		})
	}
}

func TestMetadataValuesThatAreAbsent(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]any{
		"null": nil, "NaN": math.NaN(), "infinity": math.Inf(1), "-infinity": math.Inf(-1), "empty array": []any{},
	} {
		_, ok := metadataOf(t, value)
		require.False(t, ok, name)
	}
}

// FuzzMetadata: whatever a column holds, what comes out is of a type that Chroma 1.5.9 takes: string, int64, finite float64, bool or
// a non-empty slice of one of these, all of which JSON can carry.
func FuzzMetadata(f *testing.F) {
	for _, seed := range []string{
		`null`, `"x"`, `1`, `1.5`, `1e999`, `12345678901234567890`, `true`, `[]`, `[1,2.5]`, `["a",1]`, `[null]`, `[[1]]`, `{"a":{}}`, `[1,1e999]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var plain, exact any
		if json.Unmarshal(raw, &plain) != nil {
			plain = string(raw)
		}
		exact = plain
		if err := unmarshalExact(raw, &exact); err != nil {
			exact = string(raw)
		}
		for _, value := range []any{plain, exact, []any{plain, math.NaN()}, []any{exact, int64(1)}, map[string]any{"k": exact}} {
			if got, ok := metadataOf(t, value); ok {
				requireStorable(t, got)
			}
		}
	})
}

func requireStorable(t *testing.T, value any) {
	t.Helper()
	switch v := value.(type) {
	case string, int64, bool:
	case float64:
		require.False(t, math.IsNaN(v) || math.IsInf(v, 0))
	case []string:
		require.NotEmpty(t, v)
	case []int64:
		require.NotEmpty(t, v)
	case []float64:
		require.NotEmpty(t, v)
	case []bool:
		require.NotEmpty(t, v)
	default:
		require.Failf(t, "a type that Chroma refuses", "%T %v", value, value)
	}
	_, err := json.Marshal(value)
	require.NoError(t, err)
}

// unmarshalExact decodes as the connector does: whole numbers as int64, larger ones as json.Number.
func unmarshalExact(raw []byte, out *any) error {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	*out = exactNumbers(v)
	return nil
}

func exactNumbers(v any) any {
	switch v := v.(type) {
	case float64:
		switch {
		case v == math.Trunc(v) && math.Abs(v) < 1<<53:
			return int64(v)
		case v == math.Trunc(v):
			return json.Number("99999999999999999999")
		}
	case []any:
		for i := range v {
			v[i] = exactNumbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = exactNumbers(v[k])
		}
	}
	return v
}
