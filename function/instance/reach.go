package instance

import (
	"sync"

	"github.com/apache/pulsar-client-go/pulsar"
)

// position is where an entry is in a partition.
type position struct{ ledger, entry int64 }

func positionOf(id pulsar.MessageID) position { return position{id.LedgerID(), id.EntryID()} }

func (p position) before(other position) bool {
	return p.ledger < other.ledger || p.ledger == other.ledger && p.entry < other.entry
}

// reach is how far a consumer has come: the message that it was given last, by partition. Last, not furthest: after a reconnect
// the broker gives again what is not acknowledged, in its order, and a consumer may go silent in the midst of that.
type reach struct {
	mu   sync.Mutex
	last map[string]position
}

// begin forgets: it is another consumer.
func (r *reach) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = map[string]position{}
}

func (r *reach) note(m pulsar.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last[m.Topic()] = positionOf(m.ID())
}

// any tells whether the consumer was given anything at all.
func (r *reach) any() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.last) > 0
}

// behind tells whether a partition goes on after what the consumer was given last. Of an empty one the broker says that it ends at -1.
func (r *reach) behind(ends map[string]position) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for partition, end := range ends {
		if last, given := r.last[partition]; end.entry >= 0 && (!given || last.before(end)) {
			return true
		}
	}
	return false
}
