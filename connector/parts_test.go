package connector

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		record     Record
		key, value string
	}{
		"the connector's":   {Record{Key: "eyJpZCI6N30=", Payload: []byte(`{"op":"d"}`)}, `{"id":7}`, `{"op":"d"}`},
		"Debezium Server's": {Record{Key: `{"id":7}`, Payload: []byte(`{"op":"d"}`)}, `{"id":7}`, `{"op":"d"}`},
		"a frame":           {Record{Key: "eyJpZCI6N30=", Payload: []byte("\x00\x00\x00\x02{}\x00\x00\x00\x03[1]")}, `{}`, `[1]`},
		"a null value":      {Record{Payload: []byte("\x00\x00\x00\x02{}\xff\xff\xff\xff")}, `{}`, ``},
		"a tombstone":       {Record{Key: `{"id":7}`, Payload: []byte(emptyCompressed)}, `{"id":7}`, emptyCompressed},
		"base64 of no key":  {Record{Key: "aGk=", Payload: []byte(`x`)}, `aGk=`, `x`},
		"nothing":           {Record{}, "", ""},
	} {
		key, value, err := c.record.Parts()
		require.NoError(t, err, name)
		require.Equal(t, c.key, string(key), name)
		require.Equal(t, c.value, string(value), name)
	}
	_, _, err := Record{Payload: []byte("\x00\x00\x00\x09{}")}.Parts()
	require.ErrorContains(t, err, "a key of 9 bytes")
}
