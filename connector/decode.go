package connector

import (
	"fmt"
	"strconv"
)

// Bounds of what is decoded. A source's row is nested a few levels deep, and a message larger than this cannot be one row: Pulsar's
// default limit is 5 MiB, Postgres' limit of one value is 1 GiB.
const (
	maxBytes = 128 << 20
	maxDepth = 64
)

// Decode reads one record of a Debezium source (1.9 inside Pulsar, or Debezium Server) in either form: value JSON with the row's key
// as message key, or key and value in one binary frame, each with or without its schema.
//
// Every value is decoded exactly. With a schema at hand, the record's own or else that of Record.Schema, its semantic type is applied
// (see convert); without one a value stays what its JSON is. A column that the source left out as unchanged is taken from the before
// image, else it is Unavailable.
//
// The error is a *MalformedError for a record that no source emits, a *SchemaError for a schema that tells too little, a *ControlError for one that speaks of no row, or the one that
// Record.Schema returned, as it is.
func Decode(r Record) (*Change, error) {
	if n := len(r.Key) + len(r.Payload); n > maxBytes {
		return nil, malformed(ReasonTooLarge, fmt.Sprintf("at most %d bytes of key and payload", maxBytes), strconv.Itoa(n))
	}
	k, value, err := sides(r)
	if err != nil {
		return nil, err
	}
	if value.object == nil {
		return nil, absentValue(k, r.Key)
	}
	return decodeValue(k, value, r)
}

// absentValue tells a tombstone, which has a key or says that there is none, from an empty message.
func absentValue(k key, text string) error {
	if len(k.columns) == 0 && text != nullKey {
		return malformed(ReasonBadPayload, "a change event", "an empty payload and no key")
	}
	return &ControlError{Kind: KindTombstone}
}

func decodeValue(k key, value side, r Record) (*Change, error) {
	op, err := operation(value.object)
	if err != nil {
		return nil, err
	}
	from, err := readSource(value.object)
	if err != nil {
		return nil, err
	}
	if kind := controlTable(from.table); kind != "" {
		return nil, &ControlError{Kind: kind}
	}
	c := &Change{Op: op, Table: from.table, Version: from.version, Snapshot: from.snapshot, TxID: from.txID}
	c.Writer.Connector = clip(from.release)
	if op == Truncate {
		return c, nil
	}
	if value.schema == nil && r.Schema != nil {
		if value.registered, err = r.Schema(); err != nil {
			return nil, err
		}
	}
	needs := func(string) bool { return true }
	if r.Needs != nil {
		needs = r.Needs(from.table)
	}
	if err := decodeRow(c, k, value, needs); err != nil {
		return nil, err
	}
	return c, nil
}

// operation reads the event's op, or tells which kind of control record an event without a row is.
func operation(event map[string]any) (Op, error) {
	found, ok := event["op"]
	if !ok {
		return 0, eventWithoutOp(event)
	}
	switch found {
	case "c":
		return Insert, nil
	case "u":
		return Update, nil
	case "d":
		return Delete, nil
	case "r":
		return Read, nil
	case "t":
		return Truncate, nil
	case "m":
		return 0, &ControlError{Kind: KindMessage}
	default:
		return 0, malformed(ReasonUnknownOperation, "op to be c, u, d, r, t or m", fmt.Sprintf("%q", found))
	}
}

// eventWithoutOp knows heartbeats and transaction bounds by their shape and not by their topic, which a user may rename and a table
// may resemble.
func eventWithoutOp(event map[string]any) error {
	_, hasTime := event["ts_ms"]
	if hasTime && len(event) == 1 {
		return &ControlError{Kind: KindHeartbeat}
	}
	_, hasCount := event["event_count"]
	if status := event["status"]; hasCount && (status == "BEGIN" || status == "END") {
		return &ControlError{Kind: KindTransaction}
	}
	return malformed(ReasonBadEnvelope, "a Debezium change event with op, source, before and after",
		fmt.Sprintf("a JSON object of %d members without op", len(event)))
}

// controlTable tells the kind of record that changes of the connector's own tables are, "" for a user's table: those of setup.sql,
// and the name that Debezium's documentation gives to a signal table.
func controlTable(t Table) string {
	switch {
	case t == Table{Schema: "rowvec", Name: "signal"}, t.Name == "debezium_signal":
		return KindSignal
	case t == Table{Schema: "rowvec", Name: "heartbeat"}:
		return KindHeartbeat
	default:
		return ""
	}
}
