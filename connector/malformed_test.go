package connector_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

// with replaces the source block of an update.
func with(block string) string { return strings.Replace(updated, source, `"source":`+block, 1) }

func TestMalformedRecords(t *testing.T) {
	t.Parallel()
	id := `{"id":1}`
	for name, c := range map[string]struct{ key, value, reason, says string }{
		"key of another kind":     {"17", updated, "bad_key", "a JSON object"},
		"key not base64":          {"{id}", updated, "bad_key", "a JSON object"},
		"key neither":             {"a b", updated, "bad_key", "base64 of one"},
		"key base64 of an array":  {b64(`[1]`), updated, "bad_key", "a JSON object"},
		"key base64 of no UTF-8":  {b64("{\"\xff\":1}"), updated, "bad_key", "UTF-8"},
		"key cut off":             {`{"id":`, updated, "bad_key", "JSON object"},
		"key with more behind":    {`{"id":1} {}`, updated, "bad_key", "more text"},
		"key without columns":     {`{}`, updated, "bad_key", "at least one key column"},
		"key column twice":        {`{"id":1,"id":2}`, updated, "bad_key", `"id" twice`},
		"key is a placeholder":    {`{"id":"__debezium_unavailable_value"}`, updated, "bad_key", "placeholder"},
		"bad key of a tombstone":  {"a b", "", "bad_key", "base64 of one"},
		"no key, no payload":      {"", "", "bad_payload", "an empty payload"},
		"not JSON":                {id, "hello", "bad_payload", "JSON"},
		"JSON cut off":            {id, updated[:40], "bad_payload", "JSON"},
		"JSON with more behind":   {id, updated + "}", "bad_payload", "more text"},
		"JSON of another kind":    {id, `["u"]`, "bad_payload", "an array of 1"},
		"not UTF-8":               {id, "{\"op\":\"\xff\"}", "bad_payload", "UTF-8"},
		"Avro":                    {id, "\x02\x08abc", "bad_payload", "JSON"},
		"topic of another schema": {id, `{"id":1,"title":"x"}`, "bad_envelope", "2 members without op"},
		"empty object":            {id, `{}`, "bad_envelope", "0 members"},
		"schema is text":          {id, `{"schema":"s","payload":` + updated + `}`, "bad_envelope", "schema"},
		"payload is text":         {id, `{"schema":null,"payload":"x"}`, "bad_envelope", "payload"},
		"after is a list":         {id, `{"op":"u","after":[1],` + source + `}`, "bad_envelope", "after"},
		"before is text":          {id, `{"op":"u","before":"x","after":{"id":1},` + source + `}`, "bad_envelope", "before"},
		"unknown operation":       {id, `{"op":"x",` + source + `}`, "unknown_operation", `"x"`},
		"operation of another type": {
			id, `{"op":7,` + source + `}`, "unknown_operation", "7",
		},
		"no source":             {id, `{"op":"u","after":{"id":1}}`, "missing_source", "a source block"},
		"source is text":        {id, with(`"x"`), "missing_source", "a string of 1 bytes"},
		"no table":              {id, with(`{"schema":"app","lsn":1,"ts_ms":1}`), "bad_source", "source.table"},
		"no schema":             {id, with(`{"table":"articles","lsn":1,"ts_ms":1}`), "bad_source", "source.schema"},
		"no position":           {id, with(`{"schema":"a","table":"b","ts_ms":1}`), "bad_source", "source.lsn"},
		"position not a number": {id, with(`{"schema":"a","table":"b","lsn":1.5,"ts_ms":1}`), "bad_source", "position"},
		"negative position":     {id, with(`{"schema":"a","table":"b","lsn":-1,"ts_ms":1}`), "bad_source", `"-1"`},
		"sequence not text":     {id, with(`{"schema":"a","table":"b","sequence":[1],"lsn":1,"ts_ms":1}`), "bad_source", "sequence"},
		"sequence not JSON":     {id, with(`{"schema":"a","table":"b","sequence":"1,2","lsn":1,"ts_ms":1}`), "bad_source", "sequence"},
		"no commit time":        {id, with(`{"schema":"a","table":"b","lsn":1}`), "bad_source", "source.ts_ms"},
		"commit time as text":   {id, with(`{"schema":"a","table":"b","lsn":1,"ts_ms":"1"}`), "bad_source", "source.ts_ms"},
		"update without a row":  {id, `{"op":"u","before":{"id":1},"after":null,` + source + `}`, "missing_row", "update with an after image"},
		"key of another row":    {`{"id":2}`, updated, "key_mismatch", `key column "id"`},
		"deleted row, other key": {
			id, `{"op":"d","before":{"id":2},"after":null,` + source + `}`, "key_mismatch", `key column "id"`,
		},
		"number beyond float64": {id, `{"op":"u","after":{"id":1,"w":1e999},` + source + `}`, "bad_value", `in column "w"`},
		"too deep": {
			id, `{"op":"u","after":{"id":1,"a":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `},` + source + `}`, "too_deep", "65",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := decode(c.key, c.value)
			m := poison(t, err)
			require.Equal(t, c.reason, m.Reason(), "%v", err)
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestMalformedFrames(t *testing.T) {
	t.Parallel()
	whole := frame([]byte(`{"id":1}`), []byte(updated))
	for name, c := range map[string]struct {
		payload []byte
		says    string
	}{
		"only two zeros":       {[]byte{0, 0}, "4 bytes with the length of the key"},
		"key longer than rest": {[]byte{0, 0, 1, 0, '{'}, "a key of 256 bytes, found 1 bytes"},
		"negative length":      {[]byte{0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 0}, "a key of -2 bytes"},
		"no value length":      {whole[:4+8+3], "4 bytes with the length of the value"},
		"value cut off":        {whole[:len(whole)-1], "a value of"},
		"bytes after it":       {append(bytes.Clone(whole), 'x'), "1 bytes after it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := connector.Decode(connector.Record{Payload: c.payload})
			require.Equal(t, connector.ReasonBadEnvelope, poison(t, err).Reason())
			require.ErrorContains(t, err, c.says)
		})
	}
}

// The deepest row that is accepted, and an oversized record.
func TestBounds(t *testing.T) {
	t.Parallel()
	after(t, `"a":`+strings.Repeat("[", 62)+strings.Repeat("]", 62))
	after(t, `"text":"`+strings.Repeat(`[{\"`, 1000)+`"`)
	_, err := connector.Decode(connector.Record{Key: `{"id":1}`, Payload: make([]byte, 128<<20)})
	require.Equal(t, connector.ReasonTooLarge, poison(t, err).Reason())
}

// A key has at most as many columns as a table.
func TestKeyColumnsAreBounded(t *testing.T) {
	t.Parallel()
	object := func(n int) string {
		var text strings.Builder
		for i := range n {
			fmt.Fprintf(&text, `,"c%d":%d`, i, i)
		}
		return "{" + text.String()[1:] + "}"
	}
	c, err := decode(object(1600), `{"op":"c","after":`+object(1600)+`,`+source+`}`)
	require.NoError(t, err)
	require.Len(t, c.Key, 1600)
	_, err = decode(object(1601), `{"op":"c","after":`+object(1601)+`,`+source+`}`)
	require.Equal(t, connector.ReasonBadKey, poison(t, err).Reason())
}

// An error names columns and lengths, and neither repeats the row nor grows with it.
func TestErrorsDoNotCarryTheRow(t *testing.T) {
	t.Parallel()
	secret := "hunter2"
	long := strings.Repeat("ä", 5000)
	for name, c := range map[string]struct{ key, value string }{
		"payload cut off":  {`{"id":1}`, `{"op":"u","after":{"id":1,"p":"` + secret + long},
		"key mismatch":     {`{"` + long + `":"` + secret + `"}`, strings.Replace(updated, `"id"`, `"`+long+`"`, 1)},
		"other key value":  {`{"id":"` + secret + long + `"}`, strings.Replace(updated, `"id":1`, `"id":"`+secret+`"`, 1)},
		"operation":        {`{"id":1}`, `{"op":"` + long + `",` + source + `}`},
		"position":         {`{"id":1}`, with(`{"schema":"a","table":"b","sequence":"[\"` + long + `\"]","ts_ms":1}`)},
		"source is secret": {`{"id":1}`, with(`"` + secret + `"`)},
		"column name":      {`{"id":1}`, `{"op":"u","after":{"id":1,"` + long + `":1e999},` + source + `}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := decode(c.key, c.value)
			require.NotEmpty(t, poison(t, err).Reason())
			require.NotContains(t, err.Error(), secret)
			require.Less(t, len(err.Error()), 400)
			require.True(t, json.Valid([]byte(`"`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(err.Error())+`"`)), "no broken rune")
		})
	}
}

func TestMalformedErrorUnwraps(t *testing.T) {
	t.Parallel()
	_, err := decode(`{"id":1}`, `{"op":x}`)
	var syntax *json.SyntaxError
	require.ErrorAs(t, err, &syntax)
}
