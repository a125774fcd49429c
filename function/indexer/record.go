package indexer

import (
	"time"

	"github.com/rowvec/rowvec/connector"
)

// Record is one change on its way into the index. Settle is called exactly once, from any goroutine, and must not block for long.
type Record struct {
	Change   *connector.Change
	Bytes    int // payload size, for the memory bound
	Received time.Time
	Settle   func(Outcome)
	Repair   *Repair // of a change that mends what is stored; nil: of any other
}

// Kind is what became of a record: a closed set, used as metric label.
type Kind string

// The outcomes of a record.
const (
	Indexed      Kind = "indexed"       // text embedded, record written
	MetadataOnly Kind = "metadata_only" // same text: metadata written, nothing embedded
	Deleted      Kind = "deleted"       // the row's records are gone
	Truncated    Kind = "truncated"     // a truncate: the table's rows that are older are gone
	Stale        Kind = "stale"         // older than what the index holds, or the same change again: nothing to do
	Superseded   Kind = "superseded"    // a newer change of the row is durable, or waits beside the others for an endpoint that fails on its text
	Ignored      Kind = "ignored"       // not a row change that concerns the index
	Poison       Kind = "poison"        // can never succeed: goes to the dead-letter topic
	Interrupted  Kind = "interrupted"   // shut down before it was durable: left unacknowledged, comes again
)

// Outcome tells a record's fate. Err and Stage are set for Poison.
type Outcome struct {
	Kind     Kind
	RowID    string
	OldRowID string    // the row's id before the change, where it moved the row from one to another
	At       time.Time // when it was settled; of a durable kind, when the index held the change
	Reason   string    // machine word, e.g. "bad_request", "key_mismatch"
	Stage    string    // decode, plan, embed, write
	Err      error
	Attempts int
	Chunks   int // records that the index has of the row now; set for Indexed and MetadataOnly
	Texts    int // embedded for this record. A text that several rows of a batch share counts for the first of them
}
