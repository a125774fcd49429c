package function

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/function/instance"
)

// oddValues are columns that Chroma cannot hold as they are: what the source sends, under which type, and what the index has of it with
// that type at hand and without (nil: no key). These are the rules of connector/TYPES.md.
var oddValues = map[string]struct {
	sent, schema  string
	typed, untold any
}{
	"null":         {`null`, `"type":"double"`, nil, nil},
	"nan":          {`"NaN"`, `"type":"double"`, nil, "NaN"},
	"real_nan":     {`"NaN"`, `"type":"float"`, nil, "NaN"},
	"infinity":     {`"Infinity"`, `"type":"double"`, nil, "Infinity"},
	"minus":        {`"-Infinity"`, `"type":"double"`, nil, "-Infinity"},
	"numeric_nan":  {`"NAN"`, `"type":"string"`, "NAN", "NAN"}, // decimal.handling.mode: string
	"text_nan":     {`"NaN"`, `"type":"string"`, "NaN", "NaN"},
	"nans":         {`["NaN",1.5]`, `"type":"array","items":{"type":"double"}`, `["NaN",1.5]`, `["NaN",1.5]`},
	"doubles":      {`[1,2]`, `"type":"array","items":{"type":"double"}`, []float64{1, 2}, []int64{1, 2}},
	"big":          {`12345678901234567890`, `"type":"int64"`, "12345678901234567890", "12345678901234567890"},
	"small":        {`-9223372036854775808`, `"type":"int64"`, int64(-9223372036854775808), int64(-9223372036854775808)},
	"bigs":         {`[12345678901234567890,1]`, `"type":"array","items":{"type":"int64"}`, `[12345678901234567890,1]`, `[12345678901234567890,1]`},
	"decimal":      {`{"scale":0,"value":"BWvHXi1jEAAA"}`, `"type":"struct","name":"io.debezium.data.VariableScaleDecimal"`, "100000000000000000000", `{"scale":0,"value":"BWvHXi1jEAAA"}`},
	"empty":        {`[]`, `"type":"array","items":{"type":"string"}`, nil, nil},
	"empty_text":   {`""`, `"type":"string"`, "", ""},
	"numbers":      {`[1,2.5]`, `"type":"array"`, []float64{1, 2.5}, []float64{1, 2.5}},
	"mixed":        {`["a",1,true]`, `"type":"array"`, `["a",1,true]`, `["a",1,true]`},
	"with_null":    {`["a",null]`, `"type":"array","items":{"type":"string"}`, `["a",null]`, `["a",null]`},
	"nested":       {`[[1,2],[3]]`, `"type":"array"`, `[[1,2],[3]]`, `[[1,2],[3]]`},
	"object":       {`{"b":{"c":[1,null]},"a":"<x>"}`, `"type":"map"`, `{"a":"<x>","b":{"c":[1,null]}}`, `{"a":"<x>","b":{"c":[1,null]}}`},
	"json":         {`"{\"z\": 1.0, \"a\": null}"`, `"type":"string","name":"io.debezium.data.Json"`, `{"z": 1.0, "a": null}`, `{"z": 1.0, "a": null}`},
	"bytes":        {`"3q2+7w=="`, `"type":"bytes"`, "3q2+7w==", "3q2+7w=="},
	"control_text": {`"a\u0000b"`, `"type":"string"`, "ab", "ab"},
}

// TestValuesThatChromaCannotHold takes each of them the whole way, from the source's record into the index, and counts what is dropped.
func TestValuesThatChromaCannotHold(t *testing.T) {
	t.Parallel()
	names := slices.Sorted(maps.Keys(oddValues))
	metadata, values, types := make([]any, len(names)), make([]string, len(names)), make([]string, len(names))
	for i, name := range names {
		metadata[i] = name
		values[i] = fmt.Sprintf("%q:%s", name, oddValues[name].sent)
		types[i] = fmt.Sprintf("{%q:%q,%s}", "field", name, oddValues[name].schema)
	}
	event := strings.Replace(string(change(1, "articles").Payload), `"price":"89.90"`, `"price":"89.90",`+strings.Join(values, ","), 1)
	schema := `{"type":"struct","fields":[{"field":"after","type":"struct","fields":[` + strings.Join(types, ",") + `]}]}`
	for payload, typed := range map[string]bool{event: false, `{"schema":` + schema + `,"payload":` + event + `}`: true} {
		b := newBench(t, metadata...)
		d := change(1, "articles")
		d.Payload = []byte(payload)
		require.Equal(t, instance.Ack, within(t, b.handle(t, t.Context(), d)).Verdict)
		stored := document.UserMetadata(b.index.Records("articles")["1"].Metadata)
		require.Equal(t, "89.90", stored["price"])
		for _, name := range names {
			want := oddValues[name].untold
			if typed {
				want = oddValues[name].typed
			}
			got, has := stored[name]
			require.Equal(t, want != nil, has, name)
			require.Equal(t, want, got, "%s, typed: %v", name, typed)
		}
		dropped := b.metrics.user()["rowvec_metadata_dropped_total{table=app.articles}"]
		require.InDelta(t, map[bool]float64{true: 4, false: 0}[typed], dropped, 0)
	}
}
