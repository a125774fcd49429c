package mailbox

import (
	"context"
	"fmt"

	"github.com/rowvec/rowvec/deadletter"
)

// Survey is what stood in the topic at one moment. What comes later, such as a letter that is redriven and fails again, is not in it.
type Survey struct {
	Entries int // about how many entries it takes to read all letters
	box     *Mailbox
	places  []*place
}

// place is the topic, or one of its partitions.
type place struct {
	topic     topicName
	partition int // -1: the topic has none
	mark      position
	gone      []span // acknowledged beyond mark, in order
	last      position
	entries   int // after mark
}

// Survey asks what stands in the topic. A topic that is not there has no letters: the function makes it with the first one.
func (m *Mailbox) Survey(ctx context.Context) (*Survey, error) {
	var parts struct {
		Partitions int `json:"partitions"`
	}
	if _, err := m.ask(ctx, m.topic, "partitions", &parts); err != nil {
		return nil, err
	}
	s := &Survey{box: m}
	first, after := -1, 0
	if parts.Partitions > 0 {
		first, after = 0, parts.Partitions
	}
	for n := first; n < after; n++ {
		p, err := m.place(ctx, n)
		if err != nil {
			return nil, err
		}
		if p != nil && p.last.compare(p.mark) > 0 {
			s.places = append(s.places, p)
			s.Entries += p.entries
		}
	}
	return s, nil
}

// place returns nil where there is no topic, or no subscription that would keep letters.
func (m *Mailbox) place(ctx context.Context, partition int) (*place, error) {
	p := &place{topic: m.topic.partition(partition), partition: partition}
	var state internals
	found, err := m.ask(ctx, p.topic, "internalStats", &state)
	if err != nil || !found {
		return nil, err
	}
	cursor, found := state.Cursors[deadletter.Subscription]
	if !found {
		return nil, nil //nolint:nilnil // documented
	}
	if p.last, err = parsePosition(state.Last); err == nil {
		if p.mark, err = parsePosition(cursor.Mark); err == nil {
			p.gone, err = parseSpans(cursor.Deleted)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("ask Pulsar for %s, internalStats: read its answer: %w", p.topic.full(), err)
	}
	p.entries = state.between(p.mark, p.last)
	return p, nil
}

// between counts the entries after one position up to the last one, which may be in the open ledger.
func (i *internals) between(after, last position) int {
	n := last.entry + 1
	for _, l := range i.Ledgers {
		if l.ID >= after.ledger && l.ID < last.ledger {
			n += l.Entries
		}
	}
	for _, l := range i.Ledgers {
		if l.ID == after.ledger {
			n -= after.entry + 1
		}
	}
	return int(max(0, n))
}

// acknowledged tells whether the durable subscription has done with an entry.
func (p *place) acknowledged(q position) bool {
	if q.compare(p.mark) <= 0 {
		return true
	}
	low, high := 0, len(p.gone) // the first span that ends at or after q is in [low, high]
	for low < high {
		middle := (low + high) / 2
		if p.gone[middle].upto.compare(q) < 0 {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low < len(p.gone) && q.compare(p.gone[low].after) > 0
}
