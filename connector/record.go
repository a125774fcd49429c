package connector

import (
	"bytes"
	"encoding/base64"
)

// Record is one message of a source's topic as the consumer hands it over.
type Record struct {
	Topic      string            // full name; not needed to decode, the payload names the table
	Key        string            // the message key as the client returns it: base64 text, or plain JSON from Debezium Server
	Payload    []byte            // value JSON, or key and value in one binary frame (contract §6.7); empty in a tombstone
	Properties map[string]string // message properties; Pulsar's Debezium source sets none

	// Schema gives the schema that the broker has for the record, nil when it has none that speaks of a row (see ParseSchema). It is
	// asked at most once, and only for a change of a row whose payload does not carry its own schema. May be nil: values then stay
	// what their JSON is.
	Schema func() (*Schema, error)

	// Needs tells which columns of a table's rows are of use. A value of another column, unless it is of the key, is left out of the row
	// when it cannot be read, and the row is decoded all the same. May be nil: all are.
	Needs func(t Table) func(column string) bool
}

// OrderingKey returns what a record must have as its ordering key when it is published again, so that a Key_Shared subscription gives it to
// the consumer that has the row; empty where the message key alone does that. Pulsar's source marks its keys as base64, and the broker then
// goes by the bytes that they stand for. A client in Go can neither see the mark nor set it (contract §6.7), so these bytes have to be
// said. Keys inside a binary frame come without the mark.
func (r Record) OrderingKey() string {
	if framed(r.Payload) {
		return ""
	}
	plain, err := base64.StdEncoding.DecodeString(r.Key)
	if err != nil || !bytes.HasPrefix(bytes.TrimLeft(plain, whiteSpace), []byte("{")) {
		return ""
	}
	return string(plain)
}
