package pulsartest

import (
	"context"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
)

// Reader is the double of a reader: it is given all that a topic has kept from its start on, acknowledged or not.
type Reader struct {
	broker  *Broker
	options pulsar.ReaderOptions
	next    int // in what the topic has stored
	closed  chan struct{}
}

var _ pulsar.Reader = (*Reader)(nil)

// CreateReader starts after StartMessageID, or at it.
func (c *client) CreateReader(o pulsar.ReaderOptions) (pulsar.Reader, error) {
	if err := c.broker.fault("reader", o.Topic); err != nil {
		return nil, err
	}
	c.broker.mu.Lock()
	defer c.broker.mu.Unlock()
	c.broker.note("reader %s", o.Topic)
	return &Reader{broker: c.broker, options: o, closed: make(chan struct{})}, nil
}

// Next waits for the next message.
func (r *Reader) Next(ctx context.Context) (pulsar.Message, error) {
	if err := r.broker.fault("read", r.options.Topic); err != nil {
		return nil, err
	}
	for {
		m, changed := r.take()
		if m != nil {
			return m, nil
		}
		select {
		case <-changed:
		case <-r.closed:
			return nil, ErrClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (r *Reader) take() (pulsar.Message, <-chan struct{}) {
	r.broker.mu.Lock()
	defer r.broker.mu.Unlock()
	stored := r.broker.topic(r.options.Topic).stored
	for r.next < len(stored) {
		m := stored[r.next]
		r.next++
		if r.wanted(m.id.entries[0]) {
			return m, nil
		}
	}
	return nil, r.broker.changed
}

// wanted tells whether a message that begins with this entry comes: of one that began before, the real client drops the rest.
func (r *Reader) wanted(entry int64) bool {
	start := r.options.StartMessageID
	if start.LedgerID() != ledger {
		return start.LedgerID() < ledger
	}
	return entry > start.EntryID() || r.options.StartMessageIDInclusive && entry == start.EntryID()
}

// Close ends it.
func (r *Reader) Close() {
	r.broker.mu.Lock()
	defer r.broker.mu.Unlock()
	select {
	case <-r.closed:
	default:
		close(r.closed)
	}
	r.broker.note("close reader %s", r.options.Topic)
}

// Topic is the reader's topic.
func (r *Reader) Topic() string { return r.options.Topic }

// HasNext tells whether there is a message right now.
func (r *Reader) HasNext() bool {
	r.broker.mu.Lock()
	defer r.broker.mu.Unlock()
	return r.next < len(r.broker.topic(r.options.Topic).stored)
}

// Seek is not supported.
func (*Reader) Seek(pulsar.MessageID) error { return ErrUnsupported }

// SeekByTime is not supported.
func (*Reader) SeekByTime(time.Time) error { return ErrUnsupported }

// GetLastMessageID is not supported.
func (*Reader) GetLastMessageID() (pulsar.MessageID, error) { return nil, ErrUnsupported }

// AckIDList acknowledges entries of the consumer's subscription, whoever was given them, as the real broker lets a consumer with
// AckWithResponse do. Like the real client it takes ids of that client's own making, and passes over those of another partition.
func (c *Consumer) AckIDList(ids []pulsar.MessageID) error {
	if err := c.broker.fault("ack list", c.name); err != nil {
		return err
	}
	c.broker.mu.Lock()
	defer c.broker.mu.Unlock()
	if !c.Options.AckWithResponse || len(c.subs) != 1 {
		return ErrUnsupported
	}
	if c.gone {
		return ErrClosed
	}
	for _, i := range ids {
		if _, own := i.(*id); own || i.PartitionIdx() != indexOf(c.name) || i.LedgerID() != ledger {
			continue
		}
		s := c.subs[0]
		if m := s.pending[i.EntryID()]; m != nil {
			delete(s.pending, i.EntryID())
			if done(s, m) {
				s.acknowledge(m)
			}
			c.broker.note("ack list %s %d", c.name, i.EntryID())
		}
	}
	return nil
}

// passing is a subscription that leaves no trace: it has what the topic still keeps.
func passing(t *topic) *subscription {
	s := &subscription{pending: map[int64]*Message{}}
	for _, m := range t.stored {
		s.keep(m)
	}
	return s
}

func done(s *subscription, m *Message) bool {
	for _, entry := range m.id.entries {
		if s.pending[entry] != nil {
			return false
		}
	}
	return true
}
