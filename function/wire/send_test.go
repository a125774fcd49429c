package wire

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

const captures = "../../connector/testdata/"

// typed is one column of the captured table, and what Postgres prints of its value in the row that was captured. The tests of the whole
// stack hold the texts and the types against a real server.
type typed struct {
	Name, SQL, Type, Text string
	Array                 bool
	Modifier              int
}

func (c typed) column() *Column {
	return &Column{Name: c.Name, Type: c.Type, Array: c.Array, Modifier: c.Modifier, SQL: c.SQL}
}

func allTypes(t *testing.T) (columns []typed) {
	t.Helper()
	text, err := os.ReadFile("testdata/types.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &columns))
	return columns
}

// captured decodes a line of a capture, with the schema that the registry had if there is one.
func captured(t *testing.T, name string, line int, schema string) *connector.Change {
	t.Helper()
	f, err := os.Open(captures + name + ".jsonl")
	require.NoError(t, err)
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for range line {
		require.True(t, lines.Scan())
	}
	var record struct {
		Topic, Payload string
		Key            string `json:"partition_key"`
	}
	require.NoError(t, json.Unmarshal(lines.Bytes(), &record))
	r := connector.Record{Topic: record.Topic, Key: record.Key, Payload: []byte(record.Payload)}
	if schema != "" {
		r.Schema = func() (*connector.Schema, error) { return registered(t, schema), nil }
	}
	change, err := connector.Decode(r)
	require.NoError(t, err)
	return change
}

func registered(t *testing.T, name string) *connector.Schema {
	t.Helper()
	text, err := os.ReadFile(captures + name)
	require.NoError(t, err)
	var answer struct {
		Type, Data string
		SchemaInfo struct {
			Type   string
			Schema json.RawMessage
		}
	}
	require.NoError(t, json.Unmarshal(text, &answer))
	if answer.Type == "" {
		answer.Type, answer.Data = answer.SchemaInfo.Type, string(answer.SchemaInfo.Schema)
	}
	s, err := connector.ParseSchema(answer.Type, []byte(answer.Data))
	require.NoError(t, err)
	return s
}

// What is read from Postgres is what the real connector sent of the same row, in every one of its modes, or it is refused.
func TestSendIsWhatTheConnectorSends(t *testing.T) {
	t.Parallel()
	always := []string{"mon", "tt", "iv", "pt", "tsr", "h"}
	for _, c := range []struct {
		capture string
		line    int
		schema  string
		unknown []string
	}{
		{"debezium-1.9-types", 3, "", append([]string{"b3", "bv", "price", "big", "prices"}, always...)},
		{"debezium-1.9-types", 3, "schema-1.9-types.json", always},
		{"debezium-1.9-types", 5, "schema-1.9-types.json", always},
		{"debezium-2.7-server", 1, "", always},
		{"debezium-3.0-server", 1, "", always},
		{"debezium-2.7-string-modes", 1, "", append([]string{"blob"}, always...)},
		{"debezium-3.0-string-modes", 1, "", append([]string{"blob"}, always...)},
		{"debezium-2.7-connect-modes", 1, "", append([]string{"blob"}, always...)},
		{"debezium-3.0-connect-modes", 1, "", append([]string{"blob"}, always...)},
	} {
		change := captured(t, c.capture, c.line, c.schema)
		var unknown []string
		for _, column := range allTypes(t) {
			got, err := Send(column.column(), Value{Text: column.Text}, change)
			var form *UnknownFormError
			if err != nil {
				require.ErrorAs(t, err, &form, "%s of %s", column.Name, c.capture)
				require.ErrorContains(t, err, `column "`+column.Name+`"`)
				require.ErrorContains(t, err, "REPLICA IDENTITY FULL")
				unknown = append(unknown, column.Name)
				continue
			}
			require.Equal(t, change.After[column.Name], got, "%s of %s line %d", column.Name, c.capture, c.line)
			null, err := Send(column.column(), Value{Null: true}, change)
			require.NoError(t, err)
			require.Nil(t, null)
		}
		require.ElementsMatch(t, c.unknown, unknown, "%s %s", c.capture, c.schema)
	}
}

// A source with the companion settings: there the large column itself, which is not in the record, shows nothing.
func TestSendWithoutASchemaFollowsTheCompanionSettings(t *testing.T) {
	t.Parallel()
	change := func(release string) *connector.Change {
		return &connector.Change{Writer: connector.Writer{Connector: release}, After: connector.Row{"c": connector.Unavailable{}}}
	}
	stamp := Column{Name: "c", Type: "timestamptz", Modifier: -1, SQL: "timestamp with time zone"}
	for _, c := range []struct {
		column        Column
		release, text string
		want          any
	}{
		{stamp, "1.9.7.Final", "2026-01-02 03:04:05+00", "2026-01-02T03:04:05Z"},
		{stamp, "2.7.3.Final", "2026-01-02 03:04:05+00", "2026-01-02T03:04:05.000000Z"},
		{Column{Name: "c", Type: "date", Modifier: -1}, "1.9.7.Final", "2026-01-02", int64(20455)},
		{Column{Name: "c", Type: "numeric", Modifier: -1}, "1.9.7.Final", "1.50", "1.50"},
		{Column{Name: "c", Type: "numeric", Modifier: -1}, "1.9.7.Final", "NaN", "NAN"},
		{Column{Name: "c", Type: "numeric", Array: true, Modifier: -1}, "1.9.7.Final", "{1.50,2}", []any{"1.50", "2"}},
		{Column{Name: "c", Type: "date", Array: true, Modifier: -1}, "1.9.7.Final", "{2026-01-02}", []any{int64(20455)}},
		{Column{Name: "c", Type: "ltree", Modifier: -1}, "1.9.7.Final", "a.b", nil},
		{Column{Name: "c", Type: "ltree", Modifier: -1}, "3.0.0.Final", "a.b", "a.b"},
		{Column{Name: "c", Type: "text", Array: true, Modifier: -1}, "", `{{"}{",b},{c,d}}`, []any{nil, nil}},
		{Column{Name: "c", Type: "float4", Modifier: -1}, "", "0.310000002", 0.31},
	} {
		got, err := Send(&c.column, Value{Text: c.text}, change(c.release))
		require.NoError(t, err, c.column.Type)
		require.Equal(t, c.want, got, c.column.Type)
	}
	for _, c := range []struct {
		column Column
		text   string
	}{
		{stamp, "2026-01-02 03:04:05+00"}, // of a source that does not tell its version
		{Column{Name: "c", Type: "hstore", Modifier: -1}, `"a"=>"1"`},
		{Column{Name: "c", Type: "bytea", Array: true, Modifier: -1}, `{"\\xde"}`},
		{Column{Name: "c", Type: "int4", Array: true, Modifier: -1}, "[0:1]={1,2}"},
		{Column{Name: "c", Type: "text", Modifier: -1, Generated: true}, "x"},
	} {
		_, err := Send(&c.column, Value{Text: c.text}, change(""))
		var form *UnknownFormError
		require.ErrorAs(t, err, &form, c.column.Type)
	}
}

// An update that made a number of NaN shows nothing of the form.
func TestNaNContradictsNoNumber(t *testing.T) {
	t.Parallel()
	change := &connector.Change{After: connector.Row{"w": "NaN", "n": "NAN"}}
	got, err := Send(&Column{Name: "w", Type: "float8", Modifier: -1}, Value{Text: "0.5"}, change)
	require.NoError(t, err)
	require.Equal(t, 0.5, got)
	got, err = Send(&Column{Name: "n", Type: "numeric", Modifier: -1}, Value{Text: "0.5"}, change)
	require.NoError(t, err)
	require.Equal(t, "0.5", got)
}

func TestCut(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"03:04:05": "03:04:05", "03:04:05.678901": "03:04:05.678", "03:04:05.6": "03:04:05.6", "03:04:05.0009": "03:04:05",
		"0044-03-15 01:02:03.100200 BC": "0044-03-15 01:02:03.1 BC",
	} {
		require.Equal(t, want, cut(text))
	}
}
