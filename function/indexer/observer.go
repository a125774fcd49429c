package indexer

import "time"

// Observer is told what happens in the indexer, for metrics and status. Its methods are called from many goroutines, on the path of
// the records: they must not block. Calls of Condition for one table come one at a time and in order.
type Observer interface {
	// BatchTaken reports a batch of records that went into work.
	BatchTaken(table string, records int)
	// Settled reports a record's end. Freshness is the time from the source's commit until the index held the change; it is set only
	// when kind.Durable(). Latency is the time since the record was received.
	Settled(table string, kind Kind, freshness, latency time.Duration)
	// InFlight reports a change of the number of records that the table has taken and not yet settled.
	InFlight(table string, delta int)
	// TextsSaved reports texts that were not sent to the endpoint: equal to another of the batch, or unchanged in the index.
	TextsSaved(table string, texts int)
	// MetadataDropped reports metadata values of a row that the index cannot hold: NaN and infinities.
	MetadataDropped(table string, values int)
	// TextTruncated reports a row whose text was cut before it was embedded, because it has more tokens than the endpoint takes.
	TextTruncated(table string)
	// Condition reports that the table's condition changed.
	Condition(table string, c Condition)
}

// Durable reports whether the kind stands for a change that the index now holds because of this record.
func (k Kind) Durable() bool {
	return k == Indexed || k == MetadataOnly || k == Deleted || k == Truncated
}

// nobody observes nothing.
type nobody struct{}

func (nobody) BatchTaken(string, int)                             {}
func (nobody) Settled(string, Kind, time.Duration, time.Duration) {}
func (nobody) InFlight(string, int)                               {}
func (nobody) TextsSaved(string, int)                             {}
func (nobody) MetadataDropped(string, int)                        {}
func (nobody) TextTruncated(string)                               {}
func (nobody) Condition(string, Condition)                        {}
