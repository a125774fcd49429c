package connector_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

const (
	source  = `"source":{"schema":"app","table":"articles","sequence":"[\"90\",\"100\"]","lsn":90,"ts_ms":1700000000000,"snapshot":"false"}`
	updated = `{"op":"u","before":null,"after":{"id":1,"title":"x"},` + source + `}`
)

func b64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// decode decodes a plain key and value.
func decode(key, value string) (*connector.Change, error) {
	return connector.Decode(connector.Record{Topic: "t", Key: key, Payload: []byte(value)})
}

// after decodes an update whose row is id 1 and the given members.
func after(t *testing.T, members string) connector.Row {
	t.Helper()
	c, err := decode(`{"id":1}`, `{"op":"u","after":{"id":1,`+members+`},`+source+`}`)
	require.NoError(t, err)
	return c.After
}

// frame builds an INLINE payload; a nil side is null.
func frame(key, value []byte) []byte {
	var out []byte
	for _, text := range [][]byte{key, value} {
		n := int32(-1)
		if text != nil {
			n = int32(len(text))
		}
		out = binary.BigEndian.AppendUint32(out, uint32(n))
		out = append(out, text...)
	}
	return out
}

func TestDecodeEveryForm(t *testing.T) {
	t.Parallel()
	keySchema := `{"type":"struct","fields":[{"type":"int64","field":"id"}]}`
	wrap := func(schema, payload string) string { return `{"schema":` + schema + `,"payload":` + payload + `}` }
	valueSchema := `{"type":"struct","fields":[{"type":"struct","field":"after","fields":[{"type":"int64","field":"id"},{"type":"string","field":"title"}]}]}`
	forms := map[string]connector.Record{
		"base64 key":                      {Key: b64(`{"id":1}`), Payload: []byte(updated)},
		"plain key":                       {Key: `{"id":1}`, Payload: []byte(updated)},
		"plain key with space":            {Key: " \n{\"id\": 1} ", Payload: []byte("\n " + updated + "\n")},
		"key with its schema":             {Key: wrap(keySchema, `{"id":1}`), Payload: []byte(wrap(valueSchema, updated))},
		"base64 key with its schema":      {Key: b64(wrap(keySchema, `{"id":1}`)), Payload: []byte(wrap(valueSchema, updated))},
		"envelope without schema":         {Key: wrap("null", `{"id":1}`), Payload: []byte(wrap("null", updated))},
		"frame":                           {Key: "anything", Payload: frame([]byte(`{"id":1}`), []byte(updated))},
		"frame with schemas":              {Payload: frame([]byte(wrap(keySchema, `{"id":1}`)), []byte(wrap(valueSchema, updated)))},
		"plain key, value with schema":    {Key: `{"id":1}`, Payload: []byte(wrap(valueSchema, updated))},
		"members of no concern around it": {Key: `{"id":1}`, Payload: []byte(strings.Replace(updated, `{"op"`, `{"new":[{}],"op"`, 1))},
	}
	for name, r := range forms {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := connector.Decode(r)
			require.NoError(t, err)
			require.Equal(t, connector.Update, c.Op)
			require.Equal(t, columns("id", int64(1)), c.Key)
			require.Equal(t, connector.Row{"id": int64(1), "title": "x"}, c.After)
			require.Nil(t, c.Before)
			require.Equal(t, uint64(100), c.Version.LSN)
			require.Equal(t, connector.Streamed, c.Snapshot)
		})
	}
}

func TestRecordsWithoutKey(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]connector.Record{
		"no message key":               {Payload: []byte(updated)},
		"Debezium Server's null.key":   {Key: "default", Payload: []byte(updated)},
		"JSON null":                    {Key: b64("null"), Payload: []byte(updated)},
		"frame without key":            {Payload: frame(nil, []byte(updated))},
		"frame with empty key":         {Payload: frame([]byte{}, []byte(updated))},
		"envelope with a null payload": {Key: `{"schema":null,"payload":null}`, Payload: []byte(updated)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := connector.Decode(r)
			require.NoError(t, err)
			require.Nil(t, c.Key)
			require.Equal(t, "x", c.After["title"])
		})
	}
}

func TestTombstones(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]connector.Record{
		"empty payload":       {Key: `{"id":1}`},
		"null":                {Key: b64(`{"id":1}`), Payload: []byte("null")},
		"null in an envelope": {Key: `{"id":1}`, Payload: []byte(`{"schema":null,"payload":null}`)},
		"frame, null value":   {Payload: frame([]byte(`{"id":1}`), nil)},
		"frame, empty value":  {Payload: frame([]byte(`{"id":1}`), []byte{})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := connector.Decode(r)
			require.Equal(t, connector.KindTombstone, control(err), "%v", err)
		})
	}
}

func TestControlRecords(t *testing.T) {
	t.Parallel()
	in := func(schema, table string) string {
		return `{"op":"c","after":{"id":1},"source":{"schema":"` + schema + `","table":"` + table + `","lsn":1,"ts_ms":1}}`
	}
	for name, want := range map[string]struct{ value, kind string }{
		"heartbeat":       {`{"ts_ms":1795250052056}`, connector.KindHeartbeat},
		"heartbeat table": {in("rowvec", "heartbeat"), connector.KindHeartbeat},
		"begin":           {`{"status":"BEGIN","id":"760","event_count":null,"data_collections":null}`, connector.KindTransaction},
		"end in 2.x":      {`{"status":"END","id":"760:1","event_count":3,"data_collections":[],"ts_ms":5}`, connector.KindTransaction},
		"signal table":    {in("rowvec", "signal"), connector.KindSignal},
		"Debezium's name": {in("inventory", "debezium_signal"), connector.KindSignal},
		"logical message": {`{"op":"m","source":{},"message":{"prefix":"p","content":"AA=="}}`, connector.KindMessage},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := decode(`{"id":1}`, want.value)
			require.Equal(t, want.kind, control(err), "%v", err)
			require.Contains(t, err.Error(), want.kind)
		})
	}
}

// Tables of a user that resemble the connector's own are rows all the same.
func TestTablesThatResembleControl(t *testing.T) {
	t.Parallel()
	for _, table := range []connector.Table{{Schema: "app", Name: "signal"}, {Schema: "app", Name: "transaction"}, {Schema: "rowvec", Name: "articles"}} {
		c, err := decode(`{"id":1}`, strings.Replace(updated, `"schema":"app","table":"articles"`,
			`"schema":"`+table.Schema+`","table":"`+table.Name+`"`, 1))
		require.NoError(t, err)
		require.Equal(t, table, c.Table)
	}
}

func TestTruncate(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"", "default"} {
		c, err := decode(key, `{"op":"t","before":null,"after":null,`+source+`}`)
		require.NoError(t, err)
		require.Equal(t, connector.Truncate, c.Op)
		require.Equal(t, "app.articles", c.Table.String())
		require.Equal(t, uint64(100), c.Version.LSN)
		require.Nil(t, c.Key)
		require.Nil(t, c.After)
	}
}

// TestTruncateOfPulsarsOwnSource reads the form in which Debezium 1.9 sends one inside Pulsar with json-with-envelope: a frame whose key
// is null, under an empty message key. Pulsar 4.0.8 was seen to send such a frame for a truncate; what is in this one is built after the
// others, not captured.
func TestTruncateOfPulsarsOwnSource(t *testing.T) {
	t.Parallel()
	value := `{"schema":{"type":"struct","fields":[],"optional":false},"payload":{"before":null,"after":null,"op":"t",` + source + `}}`
	frame := binary.BigEndian.AppendUint32([]byte{0xff, 0xff, 0xff, 0xff}, uint32(len(value)))
	c, err := decode("", string(frame)+value)
	require.NoError(t, err)
	require.Equal(t, connector.Truncate, c.Op)
	require.Equal(t, "app.articles", c.Table.String())
}

func TestDeleteWithoutBefore(t *testing.T) {
	t.Parallel()
	c, err := decode(`{"id":1}`, `{"op":"d","before":null,"after":null,`+source+`}`)
	require.NoError(t, err)
	require.Equal(t, columns("id", int64(1)), c.Key)
	require.Nil(t, c.Before)
}

func TestNumbersAreExact(t *testing.T) {
	t.Parallel()
	row := after(t, `"min":-9223372036854775808,"max":9223372036854775807,"over":9223372036854775808,"half":0.5,"whole":2.0,
		"tiny":5e-324,"list":[1,2.5,null,[9223372036854775807]],"object":{"n":7},"zero":-0`)
	require.Equal(t, connector.Row{
		"id": int64(1), "min": int64(-9223372036854775808), "max": int64(9223372036854775807), "over": json.Number("9223372036854775808"),
		"half": 0.5, "whole": 2.0, "tiny": 5e-324, "list": []any{int64(1), 2.5, nil, []any{int64(9223372036854775807)}},
		"object": map[string]any{"n": int64(7)}, "zero": int64(0),
	}, row)
}
