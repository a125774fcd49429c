package pulsartest

import (
	"context"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
)

// Consumer is the double of a consumer.
type Consumer struct {
	Options pulsar.ConsumerOptions

	broker  *Broker
	name    string
	subs    []*subscription
	closed  chan struct{}
	gone    bool // guarded by the broker, as are the next ones
	muted   bool
	unacked map[*Message]*subscription
}

var (
	_ pulsar.Consumer = (*Consumer)(nil)
	_ pulsar.Message  = (*Message)(nil)
)

// Receive waits for a message of any of the consumer's topics.
func (c *Consumer) Receive(ctx context.Context) (pulsar.Message, error) {
	if err := c.broker.fault("receive", c.name); err != nil {
		return nil, err
	}
	for {
		m, changed := c.next()
		if m != nil {
			return m, nil
		}
		select {
		case <-changed:
		case <-c.closed:
			return nil, ErrClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (c *Consumer) next() (pulsar.Message, <-chan struct{}) {
	c.broker.mu.Lock()
	defer c.broker.mu.Unlock()
	if c.gone || c.muted {
		return nil, c.broker.changed
	}
	for _, s := range c.subs {
		if len(s.backlog) > 0 {
			m := s.backlog[0]
			s.backlog = s.backlog[1:]
			c.unacked[m] = s
			return m, nil
		}
	}
	return nil, c.broker.changed
}

// AckID acknowledges a message that this consumer received.
func (c *Consumer) AckID(want pulsar.MessageID) error {
	if err := c.broker.fault("ack", c.name); err != nil {
		return err
	}
	c.broker.mu.Lock()
	defer c.broker.mu.Unlock()
	if c.gone {
		c.broker.note("late ack %s", c.name)
		return ErrClosed
	}
	for m, s := range c.unacked {
		if pulsar.MessageID(m.id) == want {
			delete(c.unacked, m)
			s.acknowledge(m)
			for _, entry := range m.id.entries {
				c.Options.Interceptors.OnAcknowledge(c, newID(entry, 1))
			}
			c.broker.note("ack %s %s", m.topic, m.K)
			return nil
		}
	}
	c.broker.note("double ack %s", c.name)
	return ErrUnsupported
}

// Ack is AckID of the message's id.
func (c *Consumer) Ack(m pulsar.Message) error { return c.AckID(m.ID()) }

// Close gives what is not acknowledged back to the subscription.
func (c *Consumer) Close() {
	_ = c.broker.fault("close", c.name)
	c.broker.mu.Lock()
	defer c.broker.mu.Unlock()
	if c.gone {
		return
	}
	c.gone = true
	close(c.closed)
	for m, s := range c.unacked {
		if s.pending[m.id.last()] == nil {
			continue // acknowledged through another consumer
		}
		m.Redelivered++
		s.backlog = append(s.backlog, m)
	}
	c.broker.note("close %s %s", c.name, c.Options.SubscriptionName)
}

// Subscription is the subscription's name.
func (c *Consumer) Subscription() string { return c.Options.SubscriptionName }

// Name is the consumer's name.
func (c *Consumer) Name() string { return c.Options.Name }

// What follows is not supported: nothing in this project may use it. A nack is recorded, so that a test sees it.

// Nack is recorded as "nack".
func (c *Consumer) Nack(m pulsar.Message) { c.NackID(m.ID()) }

// NackID is recorded as "nack".
func (c *Consumer) NackID(pulsar.MessageID) {
	c.broker.mu.Lock()
	defer c.broker.mu.Unlock()
	c.broker.note("nack %s", c.name)
}

// Chan is nil: receiving from it blocks.
func (*Consumer) Chan() <-chan pulsar.ConsumerMessage { return nil }

// Unsubscribe is not supported.
func (*Consumer) Unsubscribe() error { return ErrUnsupported }

// UnsubscribeForce is not supported.
func (*Consumer) UnsubscribeForce() error { return ErrUnsupported }

// GetLastMessageIDs tells where the consumer's topics end.
func (c *Consumer) GetLastMessageIDs() ([]pulsar.TopicMessageID, error) {
	if err := c.broker.fault("last", c.name); err != nil {
		return nil, err
	}
	c.broker.mu.Lock()
	defer c.broker.mu.Unlock()
	t := c.broker.topic(c.name)
	return []pulsar.TopicMessageID{lastID{pulsar.NewMessageID(ledger, t.next-1, 0, 0), t.name}}, nil
}

// lastID is where a topic ends.
type lastID struct {
	pulsar.MessageID
	topic string
}

// Topic is the topic's name.
func (id lastID) Topic() string { return id.topic }

// AckWithTxn is not supported.
func (*Consumer) AckWithTxn(pulsar.Message, pulsar.Transaction) error { return ErrUnsupported }

// AckCumulative is not supported.
func (*Consumer) AckCumulative(pulsar.Message) error { return ErrUnsupported }

// AckIDCumulative is not supported.
func (*Consumer) AckIDCumulative(pulsar.MessageID) error { return ErrUnsupported }

// ReconsumeLater does nothing.
func (*Consumer) ReconsumeLater(pulsar.Message, time.Duration) {}

// ReconsumeLaterWithCustomProperties does nothing.
func (*Consumer) ReconsumeLaterWithCustomProperties(pulsar.Message, map[string]string, time.Duration) {
}

// Seek is not supported.
func (*Consumer) Seek(pulsar.MessageID) error { return ErrUnsupported }

// SeekByTime is not supported.
func (*Consumer) SeekByTime(time.Time) error { return ErrUnsupported }
