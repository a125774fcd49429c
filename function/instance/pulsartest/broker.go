// Package pulsartest is a double of the Pulsar client: a broker in memory with durable subscriptions, and faults that a test scripts.
// What it does that the real one does: a topic without a subscription loses what is published; what a closed consumer has not
// acknowledged goes to the next; acknowledging on a closed consumer fails; Close does not close Chan. It knows no batches and no ordering
// by key, and of partitions only their number: those are checked against a real broker.
package pulsartest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
)

// Broker is the double's state, shared by its clients. The zero value is not usable; see New.
type Broker struct {
	mu      sync.Mutex
	topics  map[string]*topic
	parted  map[string]int // partitions of a topic; see Partition
	log     []string
	faults  map[string][]Fault
	changed chan struct{} // closed and replaced at every change
	open    []*Consumer
}

// Fault is what one operation does instead of succeeding.
type Fault struct {
	Err   error         // returned; nil: succeed after Block
	Block chan struct{} // not nil: wait for it first
}

type topic struct {
	name   string
	subs   map[string]*subscription
	stored []*Message // what at least one subscription was there to keep
	next   int64
	parts  int // what TopicPartitions counts; 0 is 1
}

type subscription struct {
	name    string
	backlog []*Message         // not given to a consumer
	pending map[int64]*Message // not acknowledged, by entry
}

// acknowledge ends a message, whoever has it.
func (s *subscription) acknowledge(m *Message) {
	for _, entry := range m.id.entries {
		delete(s.pending, entry)
	}
	s.backlog = slices.DeleteFunc(s.backlog, func(other *Message) bool { return other == m })
}

// keep adds a message that the subscription has to give out.
func (s *subscription) keep(m *Message) {
	s.backlog = append(s.backlog, m)
	for _, entry := range m.id.entries {
		s.pending[entry] = m
	}
}

// New returns an empty broker.
func New() *Broker {
	return &Broker{topics: map[string]*topic{}, parted: map[string]int{}, faults: map[string][]Fault{}, changed: make(chan struct{})}
}

// Client is a pulsar.Client of this broker; it has the type of pulsar.NewClient.
func (b *Broker) Client(options pulsar.ClientOptions) (pulsar.Client, error) {
	if err := b.fault("client", options.URL); err != nil {
		return nil, err
	}
	return &client{broker: b}, nil
}

// Script makes the next operations fail, one fault each, in order. Operations are "client <url>", "subscribe <topic>",
// "producer <topic>", "send <topic>", "ack <topic>", "receive <topic>", "close <topic>", "reader <topic>", "read <topic>",
// "ack list <topic>", "admin <question>".
func (b *Broker) Script(operation string, faults ...Fault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults[operation] = append(b.faults[operation], faults...)
}

// Partitions sets how many partitions a topic has.
func (b *Broker) Partitions(topicName string, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.topic(topicName).parts = n
}

// Mute makes the consumers that a topic has now receive nothing any more, without an error, as the real client's may (contract §6.9).
func (b *Broker) Mute(topicName string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.open {
		c.muted = c.muted || c.name == topicName
	}
}

// Publish puts a message in a topic, as somebody else's producer, and returns it.
func (b *Broker) Publish(topicName string, m *Message) *Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.publish(topicName, m)
}

// Log is what happened, in order: "subscribe t sub", "send t key", "ack t key", "close t sub", "producer t", ...
func (b *Broker) Log() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.log)
}

// Count tells how many lines of the log start with prefix.
func (b *Broker) Count(prefix string) int {
	n := 0
	for _, line := range b.Log() {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}

// Changed is closed at the next change of the log.
func (b *Broker) Changed() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.changed
}

// Stored are the messages that a topic kept.
func (b *Broker) Stored(topicName string) []*Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.topic(topicName).stored)
}

// Subscriptions are the names of a topic's durable subscriptions.
func (b *Broker) Subscriptions(topicName string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Sorted(maps.Keys(b.topic(topicName).subs))
}

func (b *Broker) topic(name string) *topic {
	t, ok := b.topics[name]
	if !ok {
		t = &topic{name: name, subs: map[string]*subscription{}}
		b.topics[name] = t
	}
	return t
}

func (b *Broker) publish(name string, m *Message) *Message {
	t := b.topic(name)
	m.topic, m.id = name, newID(t.next, max(1, m.Chunks))
	t.next += int64(len(m.id.entries))
	t.store(m)
	b.note("publish %s %s", name, m.K)
	return m
}

func (t *topic) store(m *Message) {
	if m.Published.IsZero() {
		m.Published = time.Now()
	}
	if len(t.subs) > 0 {
		t.stored = append(t.stored, m)
	}
	for _, s := range t.subs {
		s.keep(m)
	}
}

// note records what happened and wakes whoever waits.
func (b *Broker) note(format string, args ...any) {
	b.log = append(b.log, fmt.Sprintf(format, args...))
	close(b.changed)
	b.changed = make(chan struct{})
}

// fault plays the next scripted fault of an operation.
func (b *Broker) fault(operation, name string) error {
	b.mu.Lock()
	key := operation + " " + name
	script := b.faults[key]
	if len(script) == 0 {
		b.mu.Unlock()
		return nil
	}
	next := script[0]
	b.faults[key] = script[1:]
	b.note("fault %s", key)
	b.mu.Unlock()
	if next.Block != nil {
		<-next.Block
	}
	return next.Err
}
