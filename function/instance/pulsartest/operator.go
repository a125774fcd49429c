package pulsartest

import (
	"strconv"
)

// Partition gives a topic partitions, which are topics of their own, <topic>-partition-<n>. A producer of the topic needs a MessageRouter.
func (b *Broker) Partition(topicName string, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.parted[topicName] = n
	for i := range n {
		b.topic(partition(topicName, i))
	}
}

// DeleteTopic removes a topic by force, as an operator does: its messages and subscriptions are gone, its producers closed.
func (b *Broker) DeleteTopic(topicName string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.topics, topicName)
	b.note("delete %s", topicName)
}

// Unsubscribe removes a durable subscription by force.
func (b *Broker) Unsubscribe(topicName, subscriptionName string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.topic(topicName).subs, subscriptionName)
	b.note("unsubscribe %s %s", topicName, subscriptionName)
}

// Subscribe makes a durable subscription of what comes from now on.
func (b *Broker) Subscribe(topicName, subscriptionName string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.topic(topicName).subs[subscriptionName] = &subscription{name: subscriptionName, pending: map[int64]*Message{}}
}

// Interleave publishes messages whose chunks alternate, as those of two producers may.
func (b *Broker) Interleave(topicName string, messages ...*Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.topic(topicName)
	for _, m := range messages {
		m.topic, m.id = topicName, &id{}
	}
	for more := true; more; {
		more = false
		for _, m := range messages {
			if len(m.id.entries) < m.Chunks {
				m.id.entries = append(m.id.entries, t.next)
				t.next++
				more = true
			}
		}
	}
	for _, m := range messages {
		t.store(m)
	}
}

// Abandon publishes the first chunk of a message whose other chunks never come.
func (b *Broker) Abandon(topicName string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.topic(topicName)
	for _, s := range t.subs {
		s.pending[t.next] = &Message{Chunks: 2, topic: topicName, id: newID(t.next, 1)}
	}
	t.next++
}

// Left are the keys of the messages that nobody has acknowledged on a subscription, in their order.
func (b *Broker) Left(topicName, subscriptionName string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	keys := []string{}
	t := b.topic(topicName)
	for _, m := range t.stored {
		if s := t.subs[subscriptionName]; s != nil && s.pending[m.id.last()] == m {
			keys = append(keys, m.K)
		}
	}
	return keys
}

func partition(topicName string, n int) string { return topicName + "-partition-" + strconv.Itoa(n) }

// Backlog is how many entries nobody has acknowledged on a subscription.
func (b *Broker) Backlog(topicName, subscriptionName string) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.topic(topicName).subs[subscriptionName]
	if s == nil {
		return 0
	}
	return int64(len(s.pending))
}
