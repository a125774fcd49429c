package connector_test

import (
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

// FuzzDecode holds what every caller relies on: no panic, an error of one of the two kinds with a reason of the closed set and bounded
// text, or a change whose values are of the documented types and hold no placeholder.
func FuzzDecode(f *testing.F) {
	for _, name := range []string{defaults, stringDecimals, schemaEnvelope} {
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
		if c.After != nil {
			require.Contains(t, c.After, column.Name)
		}
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
