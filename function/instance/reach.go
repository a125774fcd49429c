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
	mu    sync.Mutex
	last  map[string]position
	most  map[string]position // of all consumers that the input has had
	fresh bool                // this one was given what none was before
}

// begin forgets what the consumer before was given: it is another one.
func (r *reach) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last, r.fresh = map[string]position{}, false
	if r.most == nil {
		r.most = map[string]position{}
	}
}

func (r *reach) note(m pulsar.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	topic, at := m.Topic(), positionOf(m.ID())
	r.last[topic] = at
	if most, ok := r.most[topic]; !ok || most.before(at) {
		r.most[topic], r.fresh = at, true
	}
}

// further tells whether the consumer was given something that none of the input was before.
func (r *reach) further() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fresh
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
