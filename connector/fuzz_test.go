package connector_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

// FuzzDecode holds what every caller relies on: no panic, an error of one of the two kinds with a reason of the closed set and bounded
// text, or a change whose values are of the documented types and hold no placeholder.
func FuzzDecode(f *testing.F) {
	for _, name := range []string{defaults, stringDecimals, schemaEnvelope, server, connectModes, server2, connectModes2} {
		for i, r := range capture(f, name) {
			if len(r.Payload) < 10_000 && (i < 40 || i > 84) {
				f.Add(r.Key, r.Payload)
			}
		}
	}
	f.Add(`{"id":1}`, []byte{})
	f.Add("", frame(nil, nil))
	f.Add(b64(`{"id":1}`), []byte(`{"op":"u","before":{"id":1,"c":"old"},"after":{"id":1,"c":["__debezium_unavailable_value"]},`+source+`}`))
	f.Add(`{"id":1}`, []byte(`{"schema":{"fields":[{"field":"after","fields":[{"field":"c","name":"io.debezium.data.VariableScaleDecimal"}]}]},`+
		`"payload":{"op":"c","after":{"id":1,"c":{"scale":-1000,"value":"/w=="}},`+source+`}}`))
	f.Fuzz(func(t *testing.T, key string, payload []byte) {
		c, err := connector.Decode(connector.Record{Key: key, Payload: payload})
		if err != nil {
			require.Nil(t, c)
			checkError(t, err)
			return
		}
		checkChange(t, c)
	})
}

func checkError(t *testing.T, err error) {
	t.Helper()
	require.Less(t, len(err.Error()), 500)
	require.True(t, utf8.ValidString(err.Error()))
	var m *connector.MalformedError
	if errors.As(err, &m) {
		require.Contains(t, []string{
			connector.ReasonBadKey, connector.ReasonBadPayload, connector.ReasonBadEnvelope, connector.ReasonBadSource,
			connector.ReasonMissingSource, connector.ReasonMissingRow, connector.ReasonUnknownOperation, connector.ReasonBadValue,
			connector.ReasonKeyMismatch, connector.ReasonTooLarge, connector.ReasonTooDeep,
		}, m.Reason())
		return
	}
	var s *connector.SchemaError
	if errors.As(err, &s) {
		require.Contains(t, s.Error(), "decimal.handling.mode", "the setting to change")
		return
	}
	require.Contains(t, []string{
		connector.KindHeartbeat, connector.KindTransaction, connector.KindSignal, connector.KindTombstone, connector.KindMessage,
	}, control(err))
}

func checkChange(t *testing.T, c *connector.Change) {
	t.Helper()
	require.NotEqual(t, "unknown", c.Op.String())
	require.NotEmpty(t, c.Table.Schema)
	require.NotEmpty(t, c.Table.Name)
	if c.Op == connector.Delete || c.Op == connector.Truncate {
		require.Nil(t, c.After)
	} else {
		require.NotNil(t, c.After)
	}
	for _, column := range c.Key {
		checkValue(t, column.Value)
		require.NotEqual(t, connector.Unavailable{}, c.After[column.Name])
	}
	for _, row := range []connector.Row{c.Before, c.After} {
		for _, v := range row {
			require.NotEqual(t, "__debezium_unavailable_value", v)
			if v != (connector.Unavailable{}) {
				checkValue(t, v)
			}
		}
	}
}

func checkValue(t *testing.T, v any) {
	t.Helper()
	switch v := v.(type) {
	case nil, bool, int64, float64:
	case string:
		require.True(t, utf8.ValidString(v))
	case json.Number:
		_, err := v.Int64()
		require.Error(t, err, "fits int64")
	case []any:
		for i := range v {
			checkValue(t, v[i])
		}
	case map[string]any:
		for i := range v {
			checkValue(t, v[i])
		}
	default:
		t.Fatalf("a %T", v)
	}
}

// FuzzTypes holds that no type and no value of it, however odd, does more than fail as poison: no panic, no value of another kind, and
// the record's own schema and the registry's mean the same where both can say it.
func FuzzTypes(f *testing.F) {
	for _, name := range []string{
		"org.apache.kafka.connect.data.Decimal", "io.debezium.data.VariableScaleDecimal", "io.debezium.time.Date", "io.debezium.time.MicroTime",
		"io.debezium.time.Timestamp", "io.debezium.time.NanoTimestamp", "io.debezium.time.MicroDuration", "io.debezium.time.ZonedTimestamp",
		"io.debezium.data.Bits", "io.debezium.data.geometry.Point", "io.debezium.data.geometry.Geometry", "", "com.example.Unknown",
	} {
		for _, value := range []string{
			`null`, `20455`, `"Ix4="`, `{"scale":2,"value":"Ix4="}`, `-9223372036832400000`, `"2026-01-02T03:04:05.000Z"`, `[1,"x",null]`,
			`{"x":1,"y":-0.5,"srid":4326,"wkb":"AQ=="}`, `1e400`, `"__debezium_unavailable_value"`, `86400000000001`,
		} {
			f.Add(name, "bytes", "2", value)
		}
	}
	f.Fuzz(func(t *testing.T, name, kind, parameter, value string) {
		if !json.Valid([]byte(value)) || !utf8.ValidString(value) || strings.ContainsRune(kind, '.') {
			return
		}
		text := func(s string) string { quoted, _ := json.Marshal(s); return string(quoted) }
		parameters := `{"scale":` + text(parameter) + `,"length":` + text(parameter) + `}`
		own, ownErr := decodeTyped(`"type":`+text(kind)+`,"name":`+text(name)+`,"parameters":`+parameters, value)
		theirs, err := withRegistry(`{"type":`+text(kind)+`,"connect.name":`+text(name)+`,"connect.parameters":`+parameters+`}`, value)
		for _, e := range []error{ownErr, err} {
			if e != nil {
				checkError(t, e)
			}
		}
		require.Equal(t, ownErr == nil, err == nil, "%v and %v", ownErr, err)
		if err == nil {
			checkChange(t, own)
			if _, renamed := map[string]bool{"int": true, "long": true, "record": true, "enum": true, "fixed": true, "struct": true}[kind]; !renamed {
				require.Equal(t, own.After["c"], theirs.After["c"])
			}
		}
	})
}

// FuzzParseSchema holds that whatever a registry answers is a schema or an error of the documented kind.
func FuzzParseSchema(f *testing.F) {
	for _, table := range []string{"articles", "types", "nokey"} {
		text, err := os.ReadFile("testdata/schema-1.9-" + table + ".json")
		require.NoError(f, err)
		var answer struct{ Data string }
		require.NoError(f, json.Unmarshal(text, &answer))
		f.Add("KEY_VALUE", []byte(answer.Data))
	}
	f.Add("JSON", []byte(`{"type":"record","name":"E","fields":[{"name":"after","type":{"type":"record","name":"E","fields":[]}}]}`))
	f.Add("STRING", []byte{})
	row := capture(f, defaults)[0]
	f.Fuzz(func(t *testing.T, kind string, data []byte) {
		s, err := connector.ParseSchema(kind, data)
		if err != nil {
			require.Nil(t, s)
			require.Contains(t, []string{connector.ReasonBadSchema, connector.ReasonTooDeep}, poison(t, err).Reason())
			return
		}
		with := row
		with.Schema = func() (*connector.Schema, error) { return s, nil }
		if c, err := connector.Decode(with); err != nil {
			checkError(t, err)
		} else {
			checkChange(t, c)
		}
	})
}
