package connector

import "fmt"

// The reasons a record cannot be decoded: the closed set that MalformedError.Reason draws from.
const (
	ReasonBadKey           = "bad_key"           // the key is neither a JSON object nor base64 of one
	ReasonBadPayload       = "bad_payload"       // the payload is not one JSON object
	ReasonBadEnvelope      = "bad_envelope"      // broken framing, or JSON that is not a change event
	ReasonBadSource        = "bad_source"        // the source block lacks table, position or commit time, or they do not parse
	ReasonMissingSource    = "missing_source"    // there is no source block
	ReasonMissingRow       = "missing_row"       // an insert, update or read without its after image
	ReasonUnknownOperation = "unknown_operation" // op is none of c, u, d, r, t, m
	ReasonBadValue         = "bad_value"         // a value does not fit the type that the schema gives it
	ReasonKeyMismatch      = "key_mismatch"      // the key's columns are not those of the row
	ReasonBadSchema        = "bad_schema"        // the registry's schema is not one of change events
	ReasonTooLarge         = "too_large"         // key or payload beyond what a source can have sent
	ReasonTooDeep          = "too_deep"          // nested beyond what a row can be
)

// maxDetail bounds the parts of a message that come from the record, so that no error carries a payload along.
const maxDetail = 120

// MalformedError says that a record is not what a Debezium source emits, so no retry can cure it. Its text names what was expected
// and what was found, never the payload itself.
type MalformedError struct {
	reason   string
	expected string
	found    string
	err      error
}

func malformed(reason, expected, found string) *MalformedError {
	return &MalformedError{reason: reason, expected: expected, found: found}
}

// malformedBy is malformed with the error that told so; found then comes from it.
func malformedBy(err error, reason, expected string) *MalformedError {
	return &MalformedError{reason: reason, expected: expected, found: err.Error(), err: err}
}

// Error returns at most a few hundred characters.
func (e *MalformedError) Error() string {
	return fmt.Sprintf("decode record: %s: expected %s, found %s", e.reason, clip(e.expected), clip(e.found))
}

// Class returns "poison": the record can never succeed.
func (e *MalformedError) Class() string { return "poison" }

// Reason returns one of the Reason constants, for metrics and dead-letter properties.
func (e *MalformedError) Reason() string { return e.reason }

// Unwrap returns the error of the JSON, base64 or number decoder, if one of them found the fault.
func (e *MalformedError) Unwrap() error { return e.err }

// SchemaError says that a schema, the record's own or the registry's, tells too little of a column: no record with it can be read, so that
// something has to be set otherwise and no record is at fault.
type SchemaError struct{ column, why string }

// Error names the column, what is wrong, and what to do.
func (e *SchemaError) Error() string {
	return fmt.Sprintf("the schema of column %q cannot be used: %s; set decimal.handling.mode: string in the source, or, for records that "+
		"are there already, take the column out of the table's settings", e.column, e.why)
}

// Class returns "halt": every record with the schema is concerned.
func (e *SchemaError) Class() string { return "halt" }

// Reason returns ReasonBadSchema.
func (e *SchemaError) Reason() string { return ReasonBadSchema }

// The kinds of record that carry no row: the closed set that ControlError.Kind draws from.
const (
	KindHeartbeat   = "heartbeat"   // Debezium's heartbeat topic, or a change of the heartbeat table
	KindTransaction = "transaction" // begin and end of a transaction (provide.transaction.metadata)
	KindSignal      = "signal"      // a change of the signal table
	KindTombstone   = "tombstone"   // a key without a value, sent after a delete for compaction
	KindMessage     = "message"     // pg_logical_emit_message
)

// ControlError says that a record is well formed but speaks of the connector and not of a row: it is ignored and counted.
type ControlError struct {
	Kind string
}

// Error names the kind.
func (e *ControlError) Error() string { return "no row change: " + e.Kind + " record" }

// clip bounds s to maxDetail bytes on a rune's bound.
func clip(s string) string {
	if len(s) <= maxDetail {
		return s
	}
	cut := maxDetail
	for cut > 0 && s[cut]&0xC0 == 0x80 {
		cut--
	}
	return s[:cut] + "…"
}
