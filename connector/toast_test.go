package connector_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

const placeholder = `"__debezium_unavailable_value"`

// toasted decodes an update of column c from the before image's value (none when "") to after's.
func toasted(t *testing.T, before, after string) *connector.Change {
	t.Helper()
	image := "null"
	if before != "" {
		image = `{"id":1,"c":` + before + `}`
	}
	c, err := decode(`{"id":1}`, `{"op":"u","before":`+image+`,"after":{"id":1,"c":`+after+`},`+source+`}`)
	require.NoError(t, err)
	return c
}

func TestPlaceholderForms(t *testing.T) {
	t.Parallel()
	var codes []string
	for _, b := range []byte(strings.Trim(placeholder, `"`)) {
		text, _ := json.Marshal(b)
		codes = append(codes, string(text))
	}
	base64Form := `"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="`
	hexForm := `"5f5f646562657a69756d5f756e617661696c61626c655f76616c7565"`
	for name, form := range map[string]string{
		"text": placeholder, "bytea": base64Form, "bytea in hex": hexForm, "array of bytea in hex": "[" + hexForm + "]", "array of text": "[" + placeholder + "]", "array of bytea": "[" + base64Form + "]",
		"array of integers": "[" + strings.Join(codes, ",") + "]", "hstore map": "{" + placeholder + ":" + placeholder + "}",
		"hstore text":    `"{\"__debezium_unavailable_value\":\"__debezium_unavailable_value\"}"`,
		"array of uuids": `["b68a35a7-17ad-35b3-af2a-ae46edb4545a"]`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, connector.Unavailable{}, toasted(t, "", form).After["c"])
			kept := toasted(t, `"the old text, which is long"`, form)
			require.Equal(t, "the old text, which is long", kept.After["c"])
			require.Equal(t, "the old text, which is long", kept.Before["c"])
			both := toasted(t, form, form)
			require.Equal(t, connector.Unavailable{}, both.After["c"])
			require.Equal(t, connector.Unavailable{}, both.Before["c"])
		})
	}
}

// Without full identity Debezium makes up the columns outside the key: what no column stored out of line can hold is not believed.
func TestMadeUpBeforeIsNotTaken(t *testing.T) {
	t.Parallel()
	for _, before := range []string{"null", "0", "false", `""`, "[]", "{}", `"{}"`, `"draft"`, `"of just twenty bytes"`} {
		require.Equal(t, connector.Unavailable{}, toasted(t, before, placeholder).After["c"], before)
	}
}

func TestValuesThatResembleThePlaceholder(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`"__debezium_unavailable_values"`, `"[` + strings.Trim(placeholder, `"`) + `]"`} {
		require.Equal(t, strings.Trim(text, `"`), toasted(t, `"what was there before it"`, text).After["c"])
	}
	two := toasted(t, `"what was there before it"`, "["+placeholder+","+placeholder+"]").After["c"]
	require.Len(t, two, 2)
	require.Equal(t, []any{int64(95), int64(95)}, toasted(t, `"what was there before it"`, "[95,95]").After["c"])
}

// A value taken from before is not shared with it, and is converted by before's schema.
func TestTakenValueIsACopy(t *testing.T) {
	t.Parallel()
	c := toasted(t, `[1,[2],{"n":3}]`, placeholder)
	c.After["c"].([]any)[1].([]any)[0] = "changed"
	require.Equal(t, []any{int64(1), []any{int64(2)}, map[string]any{"n": int64(3)}}, c.Before["c"])

	dates := `{"type":"array","field":"c","items":{"type":"int32","name":"io.debezium.time.Date"}}`
	schema := `{"type":"struct","fields":[{"type":"struct","field":"before","fields":[` + dates + `]},{"type":"struct","field":"after","fields":[` + dates + `]}]}`
	value := `{"schema":` + schema + `,"payload":{"op":"u","before":{"id":1,"c":[0]},"after":{"id":1,"c":[` + placeholder + `]},` + source + `}}`
	decoded, err := decode(`{"id":1}`, value)
	require.NoError(t, err)
	require.Equal(t, []any{"1970-01-01"}, decoded.Before["c"])
	require.Equal(t, []any{"1970-01-01"}, decoded.After["c"])
}

// Whatever binary.handling.mode is, and whether a schema says so, with the record or from the registry: the mark is never a value.
func TestPlaceholderOfBytesWithAndWithoutSchema(t *testing.T) {
	t.Parallel()
	raw := []byte(strings.Trim(placeholder, `"`))
	for mode, form := range map[string]string{
		"bytes": base64.StdEncoding.EncodeToString(raw), "base64": base64.StdEncoding.EncodeToString(raw),
		"base64-url-safe": base64.URLEncoding.EncodeToString(raw), "hex": hex.EncodeToString(raw), "hex as sent": string(raw),
	} {
		kind := "string"
		if mode == "bytes" {
			kind = "bytes"
		}
		for _, value := range []string{`"` + form + `"`, `["` + form + `"]`} {
			schema := `"type":"` + kind + `"`
			if value[0] == '[' {
				schema = `"type":"array","items":{` + schema + `}`
			}
			require.Equal(t, connector.Unavailable{}, toasted(t, "", value).After["c"], "%s: %s", mode, value)
			require.Equal(t, connector.Unavailable{}, typed(t, schema, value), "%s: %s with its schema", mode, value)
			registry, err := withRegistry(`{`+schema+`}`, value)
			require.NoError(t, err)
			require.Equal(t, connector.Unavailable{}, registry.After["c"], "%s: %s with the registry's", mode, value)
		}
	}
}

// Each line is an update that leaves every large column of a table without full identity alone, under another mode for binary values:
// hex and base64 of 1.9.7, base64 and bytes of 2.7.3, base64 of 3.0.0. Where the source sends null, nothing tells it from a null of the
// row: TYPES.md lists these.
func TestUnchangedColumnsOfAllModes(t *testing.T) {
	t.Parallel()
	old := []string{"bigs", "blob", "days", "num", "nums", "stamps", "tags", "uus"}
	for i, lost := range [][]string{old, old, {"blob", "blobs", "num", "stamps"}, {"num", "stamps"}, {"blob", "blobs", "num", "stamps"}} {
		var nulls []string
		for column, v := range captured(t, toasts, i+1).After {
			switch column {
			case "id", "n":
				continue
			}
			if v == nil {
				nulls = append(nulls, column)
			} else {
				require.Equal(t, connector.Unavailable{}, v, "line %d: %s", i+1, column)
			}
		}
		require.ElementsMatch(t, lost, nulls, "line %d", i+1)
	}
}
