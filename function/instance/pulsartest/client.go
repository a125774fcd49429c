package pulsartest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
)

// ErrClosed is what a closed consumer or reader answers.
var ErrClosed = errors.New("closed")

// ErrUnsupported is what the double answers to what it does not do.
var ErrUnsupported = errors.New("the double does not do this")

type client struct{ broker *Broker }

func (c *client) Subscribe(o pulsar.ConsumerOptions) (pulsar.Consumer, error) {
	name := o.Topic
	if o.TopicsPattern != "" {
		name = o.TopicsPattern
	}
	if err := c.broker.fault("subscribe", name); err != nil {
		return nil, err
	}
	b := c.broker
	b.mu.Lock()
	defer b.mu.Unlock()
	consumer := &Consumer{broker: b, Options: o, name: name, closed: make(chan struct{}), unacked: map[*Message]*subscription{}}
	for _, t := range c.match(o) {
		if o.SubscriptionMode == pulsar.NonDurable {
			consumer.subs = append(consumer.subs, passing(t))
			continue
		}
		if t.subs[o.SubscriptionName] == nil {
			s := &subscription{name: o.SubscriptionName, pending: map[int64]*Message{}}
			if o.SubscriptionInitialPosition == pulsar.SubscriptionPositionEarliest {
				for _, m := range t.stored {
					s.keep(m)
				}
			}
			t.subs[o.SubscriptionName] = s
		}
		consumer.subs = append(consumer.subs, t.subs[o.SubscriptionName])
	}
	b.open = append(b.open, consumer)
	b.note("subscribe %s %s", name, o.SubscriptionName)
	return consumer, nil
}

func (c *client) match(o pulsar.ConsumerOptions) []*topic {
	if o.TopicsPattern == "" {
		return []*topic{c.broker.topic(o.Topic)}
	}
	pattern := regexp.MustCompile(strings.TrimPrefix(o.TopicsPattern, "persistent://"))
	var found []*topic
	for _, name := range slices.Sorted(maps.Keys(c.broker.topics)) {
		if pattern.MatchString(name) {
			found = append(found, c.broker.topics[name])
		}
	}
	return found
}

func (c *client) CreateProducer(o pulsar.ProducerOptions) (pulsar.Producer, error) {
	if err := c.broker.fault("producer", o.Topic); err != nil {
		return nil, err
	}
	c.broker.mu.Lock()
	defer c.broker.mu.Unlock()
	c.broker.note("producer %s", o.Topic)
	return &producer{broker: c.broker, options: o, topic: c.broker.topic(o.Topic)}, nil
}

func (c *client) TopicPartitions(topic string) ([]string, error) {
	if err := c.broker.fault("partitions", topic); err != nil {
		return nil, err
	}
	c.broker.mu.Lock()
	defer c.broker.mu.Unlock()
	names := []string{topic}
	for n := 1; n < c.broker.topic(topic).parts; n++ {
		names = append(names, fmt.Sprintf("%s-partition-%d", topic, n))
	}
	return names, nil
}

func (*client) CreateTableView(pulsar.TableViewOptions) (pulsar.TableView, error) {
	return nil, ErrUnsupported
}

func (*client) NewTransaction(time.Duration) (pulsar.Transaction, error) { return nil, ErrUnsupported }

func (c *client) Close() {
	c.broker.mu.Lock()
	defer c.broker.mu.Unlock()
	c.broker.note("close client")
}

type producer struct {
	broker  *Broker
	options pulsar.ProducerOptions
	topic   *topic // as it was made for: when that is deleted, the producer closes itself
	sending sync.WaitGroup
	closed  bool // guarded by the broker
}

func (p *producer) Topic() string         { return p.options.Topic }
func (p *producer) Name() string          { return p.options.Name }
func (p *producer) LastSequenceID() int64 { return -1 }
func (p *producer) Flush() error          { return p.FlushWithCtx(context.Background()) }

func (p *producer) Send(ctx context.Context, m *pulsar.ProducerMessage) (pulsar.MessageID, error) {
	type answer struct {
		id  pulsar.MessageID
		err error
	}
	answers := make(chan answer, 1)
	p.SendAsync(ctx, m, func(id pulsar.MessageID, _ *pulsar.ProducerMessage, err error) { answers <- answer{id, err} })
	select {
	case a := <-answers:
		return a.id, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// SendAsync publishes in the calling goroutine, unless a fault blocks it.
func (p *producer) SendAsync(
	_ context.Context, m *pulsar.ProducerMessage, callback func(pulsar.MessageID, *pulsar.ProducerMessage, error),
) {
	p.broker.mu.Lock()
	script := p.broker.faults["send "+p.options.Topic]
	blocks := len(script) > 0 && script[0].Block != nil
	p.broker.mu.Unlock()
	if blocks {
		p.sending.Go(func() { p.send(m, callback) })
		return
	}
	p.send(m, callback)
}

func (p *producer) send(m *pulsar.ProducerMessage, callback func(pulsar.MessageID, *pulsar.ProducerMessage, error)) {
	began := time.Now()
	if err := p.broker.fault("send", p.options.Topic); err != nil {
		callback(nil, m, err)
		return
	}
	p.broker.mu.Lock()
	if p.closed || p.broker.topic(p.options.Topic) != p.topic {
		p.broker.mu.Unlock()
		callback(nil, m, pulsar.ErrProducerClosed)
		return
	}
	stored := p.broker.publish(p.route(m), &Message{
		K: m.Key, Order: m.OrderingKey, Body: p.whole(m, time.Since(began)), Props: maps.Clone(m.Properties), Event: m.EventTime,
		Chunks: p.chunks(m),
	})
	p.broker.mu.Unlock()
	callback(stored.id, m, nil)
}

// whole is what the broker has of a message that took so long. Like the real client, which calls back for the last chunk alone, the producer
// confirms a message whose first chunks have timed out.
func (p *producer) whole(m *pulsar.ProducerMessage, took time.Duration) []byte {
	limit := cmp.Or(p.options.SendTimeout, usualTimeout)
	if n := p.chunks(m); n > 1 && limit > 0 && took >= limit {
		return m.Payload[(n-1)*largest:]
	}
	return m.Payload
}

// usualTimeout is the client's SendTimeout where none is set; a negative one is none at all.
const usualTimeout = 30 * time.Second

// largest is how much the broker takes in one entry, its default.
const largest = 5 << 20

// chunks is in how many entries a message comes.
func (p *producer) chunks(m *pulsar.ProducerMessage) int {
	if !p.options.EnableChunking {
		return 1
	}
	return len(m.Payload)/largest + 1
}

// route is the topic that a message goes to: a partition as the producer's own router says, where there are some.
func (p *producer) route(m *pulsar.ProducerMessage) string {
	n := p.broker.parted[p.options.Topic]
	if n == 0 || p.options.MessageRouter == nil {
		return p.options.Topic
	}
	return partition(p.options.Topic, p.options.MessageRouter(m, partitions(n)))
}

type partitions uint32

func (n partitions) NumPartitions() uint32 { return uint32(n) }

func (p *producer) FlushWithCtx(context.Context) error {
	p.sending.Wait()
	return nil
}

func (p *producer) Close() {
	p.broker.mu.Lock()
	defer p.broker.mu.Unlock()
	p.closed = true
	p.broker.note("close producer %s", p.options.Topic)
}
