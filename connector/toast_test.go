package connector_test

import (
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
	for name, form := range map[string]string{
		"text": placeholder, "bytea": base64Form, "array of text": "[" + placeholder + "]", "array of bytea": "[" + base64Form + "]",
		"array of integers": "[" + strings.Join(codes, ",") + "]", "hstore map": "{" + placeholder + ":" + placeholder + "}",
		"hstore text":    `"{\"__debezium_unavailable_value\":\"__debezium_unavailable_value\"}"`,
		"array of uuids": `["b68a35a7-17ad-35b3-af2a-ae46edb4545a"]`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, connector.Unavailable{}, toasted(t, "", form).After["c"])
			kept := toasted(t, `"the old text"`, form)
			require.Equal(t, "the old text", kept.After["c"])
			require.Equal(t, "the old text", kept.Before["c"])
			both := toasted(t, form, form)
			require.Equal(t, connector.Unavailable{}, both.After["c"])
			require.Equal(t, connector.Unavailable{}, both.Before["c"])
		})
	}
}

// Without full identity Debezium makes up the columns outside the key: what no column stored out of line can hold is not believed.
func TestMadeUpBeforeIsNotTaken(t *testing.T) {
	t.Parallel()
	for _, before := range []string{"null", `""`, "[]"} {
		require.Equal(t, connector.Unavailable{}, toasted(t, before, placeholder).After["c"], before)
	}
}

func TestValuesThatResembleThePlaceholder(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`"__debezium_unavailable_values"`, `"[` + strings.Trim(placeholder, `"`) + `]"`} {
		require.Equal(t, strings.Trim(text, `"`), toasted(t, `"old"`, text).After["c"])
	}
	two := toasted(t, `"old"`, "["+placeholder+","+placeholder+"]").After["c"]
	require.Len(t, two, 2)
	require.Equal(t, []any{int64(95), int64(95)}, toasted(t, `"old"`, "[95,95]").After["c"])
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
