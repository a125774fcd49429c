// Package event is the contract of rowvec's outcome events: one small JSON object for each record that the function has settled,
// published to the function's output topic. It is the audit stream of an index and what a monitor reads. It knows neither Pulsar nor
// the function, so that any reader can import it.
package event

import "time"

// Version is the contract's version. Within it fields and words of the open sets may be added, and readers pass over those that they do
// not know; what would mislead such a reader gets another version.
const Version = 1

// Event says what became of one record. A field whose value is not known, or that has no meaning for the outcome, is absent from the
// JSON; the zero value stands for it here. It holds keys and machine words, never a row's text, a metadata value, a message of the
// endpoint, or a secret.
type Event struct {
	Version  int    `json:"version" doc:"version of this contract"`
	Function string `json:"function" doc:"tenant/namespace/name of the function"`
	Instance int    `json:"instance" doc:"instance of the function that settled the record"`

	Table     string    `json:"table,omitempty" doc:"schema.table; absent when the message does not tell"`
	Row       string    `json:"row,omitempty" doc:"row id, which is the id of the row's first record in Chroma"`
	OldRow    string    `json:"oldRow,omitempty" doc:"row id before the change, where it moved the row to another"`
	Operation Operation `json:"operation,omitempty" doc:"what happened to the row in Postgres"`

	Outcome Outcome `json:"outcome" doc:"what became of the record"`
	Reason  string  `json:"reason,omitempty" doc:"machine word that says why, of dead letters and of what is ignored"`
	Stage   string  `json:"stage,omitempty" doc:"of dead letters: decode, plan, embed or write"`

	LSN         string    `json:"lsn,omitempty" doc:"position in the write-ahead log, a whole number in decimal: it may exceed 2^53"`
	CommittedAt time.Time `json:"committedAt,omitzero" doc:"commit in Postgres; of a row read by a snapshot, the time of reading"`
	ReceivedAt  time.Time `json:"receivedAt,omitzero" doc:"when the function took the message"`
	SettledAt   time.Time `json:"settledAt" doc:"when the outcome was certain"`
	DurableAt   time.Time `json:"durableAt,omitzero" doc:"when Chroma held the change; of indexed, metadata_only, deleted and truncated"`
	FreshnessMs *int64    `json:"freshnessMs,omitempty" doc:"from committedAt to durableAt, in milliseconds, at least 0"`

	Chunks   int `json:"chunks" doc:"records that the row has in Chroma now; 0 where this record did not decide it"`
	Texts    int `json:"texts" doc:"texts embedded for this record; a text that several rows of a batch share counts for one"`
	Attempts int `json:"attempts,omitempty" doc:"requests for embeddings and writes that it took"`

	Topic       string `json:"topic,omitempty" doc:"topic that the message came from"`
	MessageID   string `json:"messageId,omitempty" doc:"ledger:entry:partition:batch of the message in its topic"`
	Redelivered int    `json:"redelivered,omitempty" doc:"how often the broker had delivered the message before"`
}

// Operation is what happened to a row. The set is open.
type Operation string

// The operations. Read is a row seen by a snapshot: it says what the row is, not that it changed.
const (
	Insert   Operation = "insert"
	Update   Operation = "update"
	Delete   Operation = "delete"
	Read     Operation = "read"
	Truncate Operation = "truncate"
)

// Outcome is what became of a record, in the words of the label outcome of rowvec_records_total. The set is open.
type Outcome string

// The outcomes.
const (
	Indexed      Outcome = "indexed"       // text embedded, records written
	MetadataOnly Outcome = "metadata_only" // same text: metadata written, nothing embedded
	Deleted      Outcome = "deleted"       // the row's records are gone
	Stale        Outcome = "stale"         // older than what the index holds, or the same change again
	Superseded   Outcome = "superseded"    // a newer change of the row is durable, or waits beside the others for an endpoint that fails on its text
	Truncated    Outcome = "truncated"     // the table's rows that are older than the truncate are gone
	Ignored      Outcome = "ignored"       // a change of a configured table that asks nothing of the index
	Poison       Outcome = "poison"        // can never succeed: goes to the dead-letter topic
)

// Durable reports whether the outcome stands for a change that Chroma now holds because of this record.
func (o Outcome) Durable() bool {
	return o == Indexed || o == MetadataOnly || o == Deleted || o == Truncated
}

// Key is what the event is keyed by in its topic, so that a row's events stay in order: the table and the row id, or, of a message that
// does not tell them, empty.
func (e *Event) Key() string {
	if e.Table == "" || e.Row == "" {
		return ""
	}
	return e.Table + "/" + e.Row
}

// Freshness is the time from the commit until Chroma held the change; ok is false where it is not known.
func (e *Event) Freshness() (d time.Duration, ok bool) {
	if e.CommittedAt.IsZero() || e.DurableAt.IsZero() {
		return 0, false
	}
	return max(0, e.DurableAt.Sub(e.CommittedAt)), true
}
