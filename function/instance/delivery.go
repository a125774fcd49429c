package instance

import (
	"context"
	"sync/atomic"
	"time"
)

// Handler does the work. Handle is called by one goroutine per input and may block: that is the back-pressure of that input alone.
// The delivery is settled later, from any goroutine. Drain is called once after the last Handle has returned; it finishes what is
// in flight until ctx ends and then settles the rest as Abandon.
type Handler interface {
	Handle(ctx context.Context, d *Delivery)
	Drain(ctx context.Context)
}

// Delivery is one message received from an input topic.
type Delivery struct {
	Topic         string // without a -partition-n suffix
	Pattern       bool   // the input is a topics pattern, not a topic that the operator listed
	Key           string // exactly as the client gives it; base64 text for the connector's topics
	Payload       []byte
	Properties    map[string]string
	SchemaVersion []byte // as the broker assigned it, of a redriven message that of the original; empty when it has none
	ID            string // ledger:entry:partition:batch
	PublishTime   time.Time
	EventTime     time.Time // zero when unset
	Redelivered   int       // broker's count; always 0 for failover and exclusive
	Received      time.Time

	settled atomic.Bool
	settle  func(Settlement)
}

// Settle ends the delivery and reports whether it did. The first call counts; later calls do nothing. It never blocks on the network.
func (d *Delivery) Settle(s Settlement) (first bool) {
	if first = d.settled.CompareAndSwap(false, true); first && d.settle != nil {
		d.settle(s)
	}
	return first
}

// OnSettle sets what the first Settle calls, and returns the delivery. The consumer calls it before it hands the delivery out;
// a handler's test calls it on a delivery of its own.
func (d *Delivery) OnSettle(f func(Settlement)) *Delivery {
	d.settle = f
	return d
}

// Verdict is what happens to a message.
type Verdict uint8

// The verdicts. Abandon leaves a message unacknowledged: it comes again, is not counted as failed, and is never dead-lettered.
const (
	Ack Verdict = iota + 1
	DeadLetter
	Abandon
)

// Settlement is a verdict and, for DeadLetter, why. Every text in it must be free of secrets.
type Settlement struct {
	Verdict  Verdict
	Reason   string // machine word
	Stage    string
	Message  string
	Table    string
	RowID    string
	Version  string // "lsn@commit-ms", empty when unknown
	Attempts int
	// OrderingKey is that of the dead letter where the message has none; empty for none. The client hides part of what the broker orders a
	// message by.
	OrderingKey string
}
