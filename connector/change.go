package connector

// Op is what happened to a row.
type Op uint8

// The operations that a source reports. Read is a row seen by a snapshot: it says what the row is, not that it changed.
const (
	Insert Op = iota + 1
	Update
	Delete
	Read
	Truncate
)

// String returns the word used in logs, metrics and dead-letter properties.
func (o Op) String() string {
	switch o {
	case Insert:
		return "insert"
	case Update:
		return "update"
	case Delete:
		return "delete"
	case Read:
		return "read"
	case Truncate:
		return "truncate"
	default:
		return "unknown"
	}
}

// Snapshot tells which snapshot, if any, a change was read by.
type Snapshot uint8

// The kinds of snapshot: none (a streamed change), the initial one, and an incremental one asked for by a signal.
const (
	Streamed Snapshot = iota
	Initial
	Incremental
)

// Table names a Postgres table.
type Table struct {
	Schema string
	Name   string
}

// String returns "schema.table", the form that the configuration uses.
func (t Table) String() string { return t.Schema + "." + t.Name }

// Column is one column of a row's key, in the key's order.
type Column struct {
	Name  string
	Value any
}

// Row holds a row's columns by name. A value is nil, bool, int64, float64 (NaN and infinities among them), string, json.Number (an
// integer outside int64), []any, map[string]any of these, or Unavailable.
type Row map[string]any

// Unavailable stands for a column that the source did not send because the update left its TOASTed value as it was and
// neither the change's before image nor its key has it. It must never be stored or embedded.
type Unavailable struct{}

// Change is one committed change of one row.
type Change struct {
	Op       Op
	Table    Table
	Key      []Column // in key order; empty for a table without a primary key
	Before   Row      // nil when the source sent none; columns outside the key are made up unless REPLICA IDENTITY is FULL
	After    Row      // nil for Delete and Truncate
	Version  Version
	Snapshot Snapshot
	TxID     uint64 // of the transaction, as the source sends it: its low 32 bits. 0 when not told, and for rows of a snapshot
	Writer   Writer
}
