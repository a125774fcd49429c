package connector_test

import (
	"encoding/json"
	"errors"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

// registered answers with the schema that was captured for a topic, nil where none was.
func registered(tb testing.TB, topic string) func() (*connector.Schema, error) {
	tb.Helper()
	text, err := os.ReadFile("testdata/schema-1.9-" + strings.TrimPrefix(path.Ext(topic), ".") + ".json")
	if errors.Is(err, os.ErrNotExist) {
		return func() (*connector.Schema, error) { return nil, nil } //nolint:nilnil // as ParseSchema
	}
	require.NoError(tb, err)
	var answer struct {
		Type       string // of the admin interface
		Data       string
		SchemaInfo struct { // of pulsar-admin
			Type   string
			Schema json.RawMessage
		}
	}
	require.NoError(tb, json.Unmarshal(text, &answer))
	kind, data := answer.Type, []byte(answer.Data)
	if kind == "" {
		kind, data = answer.SchemaInfo.Type, answer.SchemaInfo.Schema
	}
	s, err := connector.ParseSchema(kind, data)
	require.NoError(tb, err)
	return func() (*connector.Schema, error) { return s, nil }
}

// The rows that design §5 speaks of, spelled out: exact decimals and dates from what the connector's defaults send.
func TestRegistryGivesMeaning(t *testing.T) {
	t.Parallel()
	r := capture(t, defaults)[0]
	r.Schema = registered(t, r.Topic)
	c, err := connector.Decode(r)
	require.NoError(t, err)
	for column, want := range map[string]any{
		"price": "89.90", "big": "12345678901234567890.123456789", "mon": "12.34", "d": "2026-01-02", "t": "03:04:05.678901",
		"ts": "2026-01-02T03:04:05.678901", "created_at": "2026-01-02T01:04:05.678901Z", "iv": "PT26H", "hs": "101", "pt": "POINT(1 2)",
		"blob": "3q2+7w==", "id": int64(1), "active": true,
	} {
		require.Equal(t, want, c.After[column], column)
	}
}

// withRegistry decodes an update whose column c has the given JSON value and Avro type.
func withRegistry(avro, value string) (*connector.Change, error) {
	row := `{"type":"record","name":"Value","fields":[{"name":"id","type":"long"},{"name":"c","type":` + avro + `}],"connect.name":"s.Value"}`
	data := `{"key":{"type":"record","name":"Key","namespace":"s","fields":[{"name":"id","type":"long"}]},"value":{"type":"record",` +
		`"name":"Envelope","namespace":"s","fields":[{"name":"before","type":["null",` + row + `]},{"name":"after","type":["null","Value"]}]}}`
	s, err := connector.ParseSchema("KEY_VALUE", []byte(data))
	if err != nil {
		return nil, err
	}
	return connector.Decode(connector.Record{
		Key: `{"id":1}`, Payload: []byte(`{"op":"u","before":{"id":1,"c":` + value + `},"after":{"id":1,"c":` + value + `},` + source + `}`),
		Schema: func() (*connector.Schema, error) { return s, nil },
	})
}

func TestAvroTypes(t *testing.T) {
	t.Parallel()
	date := `{"type":"int","connect.version":1,"connect.name":"io.debezium.time.Date"}`
	variable := `{"type":"record","name":"VariableScaleDecimal","namespace":"io.debezium.data","connect.name":"io.debezium.data.VariableScaleDecimal",` +
		`"fields":[{"name":"scale","type":"int"},{"name":"value","type":"bytes"}]}`
	for name, c := range map[string]struct {
		avro, value string
		want        any
	}{
		"plain":                     {`"string"`, `"x"`, "x"},
		"optional":                  {`["null",` + date + `]`, `20455`, "2026-01-02"},
		"optional with a default":   {`[` + date + `,"null"]`, `20455`, "2026-01-02"},
		"null":                      {`["null",` + date + `]`, `null`, nil},
		"decimal":                   {`{"type":"bytes","scale":2,"connect.parameters":{"scale":"2"},"connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal"}`, `"Ix4="`, "89.90"},
		"decimal of Avro":           {`{"type":"bytes","scale":2,"precision":10,"logicalType":"decimal"}`, `"Ix4="`, "89.90"},
		"decimal of Avro, no scale": {`{"type":"bytes","precision":10,"logicalType":"decimal"}`, `"Ix4="`, "8990"},
		"date of Avro":              {`{"type":"int","logicalType":"date"}`, `-1`, "1969-12-31"},
		"timestamp of Avro":         {`{"type":"long","logicalType":"timestamp-millis"}`, `1767323045678`, "2026-01-02T03:04:05.678"},
		"type within type":          {`{"type":` + date + `}`, `0`, "1970-01-01"},
		"array":                     {`{"type":"array","items":["null",` + date + `]}`, `[0,null]`, []any{"1970-01-01", nil}},
		"map":                       {`{"type":"map","values":["null","double"]}`, `{"a":1}`, map[string]any{"a": 1.0}},
		"float":                     {`["null","float"]`, `2`, 2.0},
		"named type, repeated": {
			`{"type":"record","name":"Pair","fields":[{"name":"a","type":` + variable + `},{"name":"b","type":["null","io.debezium.data.VariableScaleDecimal"]}]}`,
			`{"a":{"scale":1,"value":"DA=="},"b":{"scale":2,"value":"DA=="}}`,
			map[string]any{"a": "1.2", "b": "0.12"},
		},
		"type that refers to itself": {
			`{"type":"record","name":"Node","fields":[{"name":"n","type":"double"},{"name":"next","type":["null","Node"]}]}`,
			`{"n":1,"next":{"n":2,"next":null}}`,
			map[string]any{"n": 1.0, "next": map[string]any{"n": 2.0, "next": nil}},
		},
		"enum":            {`{"type":"enum","name":"E","symbols":["a"]}`, `"a"`, "a"},
		"unknown type":    {`"Elsewhere"`, `5`, int64(5)},
		"not a type":      {`7`, `5`, int64(5)},
		"only null":       {`["null"]`, `null`, nil},
		"fields no list":  {`{"type":"record","name":"R","fields":3}`, `{"a":1}`, map[string]any{"a": int64(1)}},
		"unknown to Avro": {`{"type":"int","connect.name":"com.example.Celsius"}`, `20`, int64(20)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			decoded, err := withRegistry(c.avro, c.value)
			require.NoError(t, err)
			require.Equal(t, c.want, decoded.After["c"])
			require.Equal(t, c.want, decoded.Before["c"], "before has the type written out, after refers to it")
		})
	}
}

func TestSchemasThatSpeakOfNoRow(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"STRING", "BYTES", "PROTOBUF_NATIVE", ""} {
		s, err := connector.ParseSchema(kind, nil)
		require.NoError(t, err)
		require.Nil(t, s)
	}
	for _, data := range []string{``, `[]`, `{}`, `{"key":"","value":""}`, `{"value":{"type":"record"}}`, `{"value":{"type":"string"}}`} {
		_, err := connector.ParseSchema("KEY_VALUE", []byte(data))
		require.Equal(t, connector.ReasonBadSchema, poison(t, err).Reason(), data)
	}
	_, err := connector.ParseSchema("JSON", []byte(`{"type":"record","name":"Envelope","fields":[]}`))
	require.NoError(t, err)
}

// The registry is asked only where its answer is needed, and its error is the caller's own.
func TestRegistryIsAskedOnlyWhenNeeded(t *testing.T) {
	t.Parallel()
	asked := 0
	failing := errors.New("the registry is away")
	ask := func() (*connector.Schema, error) { asked++; return nil, failing }
	for name, file := range map[string]string{"heartbeats, transactions, signals": stringDecimals, "own schemas": server, "frames": schemaEnvelope} {
		for i, r := range capture(t, file) {
			r.Schema = ask
			want, wantErr := connector.Decode(connector.Record{Topic: r.Topic, Key: r.Key, Payload: r.Payload, Properties: r.Properties})
			got, err := connector.Decode(r)
			if errors.Is(err, failing) {
				require.Equal(t, stringDecimals, file, "%s: line %d", name, i+1)
				require.NotNil(t, want, "a change of a row without a schema")
				continue
			}
			require.Equal(t, line(want, wantErr), line(got, err)) // as text, in which NaN equals itself
			require.Equal(t, wantErr, err)
		}
	}
	require.Positive(t, asked)
	asked = 0
	_, err := connector.Decode(connector.Record{Payload: []byte(`{"op":"t",` + source + `}`), Schema: ask})
	require.NoError(t, err)
	require.Zero(t, asked, "a truncate has no row")
}

// A key is converted by the registry's key schema, in a delete without a row, too.
func TestRegistryConvertsKeys(t *testing.T) {
	t.Parallel()
	for _, line := range []int{7, 8} {
		r := capture(t, moreTypes)[line-1]
		r.Schema = registered(t, r.Topic)
		c, err := connector.Decode(r)
		require.NoError(t, err)
		require.Equal(t, columns("day", "2026-01-02", "region", "eu"), c.Key)
	}
	r := connector.Record{Key: `{"day":20455,"region":"eu"}`, Payload: []byte(`{"op":"d","before":null,` + source + `}`)}
	r.Schema = registered(t, "store.app.daily")
	c, err := connector.Decode(r)
	require.NoError(t, err)
	require.Equal(t, columns("day", "2026-01-02", "region", "eu"), c.Key)
}
