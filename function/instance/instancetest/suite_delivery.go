package instancetest

import (
	"context"
	"strconv"
	"sync"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/instance"
)

func partitionedTopic(e *env) {
	topic := e.topic("parts")
	e.partitions(topic, 3)
	node := e.start(options{inputs: []string{topic}})
	for n := range 3 {
		e.consumers(topic+"-partition-"+strconv.Itoa(n), 1)
	}
	keys := make([]string, 0, 60)
	for n := range cap(keys) {
		keys = append(keys, "k"+strconv.Itoa(n))
	}
	e.publish(topic, keys...)
	e.until(func() bool { return node.count() == len(keys) })
	node.end()
	ids := map[string]bool{}
	for _, d := range node.deliveries() {
		require.Equal(e, topic, d.Topic, "the partition is not part of the name")
		ids[d.ID] = true
	}
	require.Len(e, ids, len(keys), "ids are unique across partitions")
	for n := range 3 {
		e.backlog(topic+"-partition-"+strconv.Itoa(n), 0)
	}
}

// prefetchIsSmall has the handler stand still: what the broker has sent is in memory, whatever its size.
func prefetchIsSmall(e *env) {
	topic := e.topic("backlog")
	const parts = 4
	e.partitions(topic, parts)
	for n := range parts {
		e.subscribe(topic+"-partition-"+strconv.Itoa(n), subscriptionName).Close()
		keys := make([]string, 100)
		for i := range keys {
			keys[i] = "k" + strconv.Itoa(i)
		}
		e.publish(topic+"-partition-"+strconv.Itoa(n), keys...)
	}
	node := e.start(options{inputs: []string{topic}, subscription: "shared", handle: func(ctx context.Context, d *instance.Delivery) {
		<-ctx.Done()
		d.Settle(instance.Settlement{Verdict: instance.Abandon})
	}})
	sent := func() (n float64) {
		for i := range parts {
			for _, c := range e.stats(topic + "-partition-" + strconv.Itoa(i)).Subscriptions[subscriptionName].Consumers {
				unacked, _ := c["unackedMessages"].(float64)
				n += unacked
			}
		}
		return n
	}
	// With the one that the handler has: the client asks for more only when half of a partition's are taken.
	e.until(func() bool { return sent() == instance.DefaultPrefetch })
	for range 20 {
		require.LessOrEqual(e, sent(), float64(instance.DefaultPrefetch))
	}
	node.end()
}

func grownTopic(e *env) {
	topic := e.topic("grown")
	e.partitions(topic, 2)
	node := e.start(options{inputs: []string{topic}})
	e.consumers(topic+"-partition-1", 1)
	e.publish(topic, "before")
	e.until(func() bool { return node.count() == 1 })
	e.grow(topic, 4)
	for n := range 4 { // the new ones hold what comes, since the broker gives them the topic's subscriptions
		e.publish(topic+"-partition-"+strconv.Itoa(n), "after"+strconv.Itoa(n))
	}
	e.until(func() bool { return node.count() == 5 })
	node.end()
	for n := range 4 {
		e.backlog(topic+"-partition-"+strconv.Itoa(n), 0)
	}
}

func topicsPattern(e *env) {
	name := e.name("pat")
	tables := []string{name + ".app.articles", name + ".app.products"}
	others := []string{name + ".transaction", name + ".rowvec.signal", "old-" + tables[0], tables[0] + "-DLQ"}
	for _, topic := range append(append([]string{}, tables...), others...) {
		e.subscribe(full(topic), "keep").Close() // the topics exist, and keep their messages
	}
	node := e.start(options{inputs: []string{full(name + `\..*`)}, pattern: true})
	e.consumers(full(tables[1]), 1)
	e.consumers(full(others[0]), 1)
	for _, topic := range append(append([]string{}, others...), tables...) {
		e.publish(full(topic), topic)
	}
	e.until(func() bool { return node.count() == len(tables) })

	later := full(name + ".app.orders")
	e.subscribe(later, "keep").Close()
	e.publish(later, "later")
	e.until(func() bool { return node.count() == len(tables)+1 })
	e.backlog(full(others[0]), 0) // ignored, not left behind
	node.end()
	seen := map[string]bool{}
	for _, d := range node.deliveries() {
		require.True(e, d.Pattern)
		seen[d.Topic] = true
	}
	require.Equal(e, map[string]bool{full(tables[0]): true, full(tables[1]): true, later: true}, seen)
	require.EqualValues(e, 3, node.Stats().Total.Received)
	require.NotContains(e, e.subscriptions(full("old-"+tables[0])), node.Conf().Subscription.Name, "the pattern matches whole names")
}

func abandonedComesAgain(e *env) {
	topic := e.topic("abandoned")
	node := e.start(options{inputs: []string{topic}, handle: func(_ context.Context, d *instance.Delivery) {
		verdict := instance.Ack
		if d.Key == "b" {
			verdict = instance.Abandon
		}
		d.Settle(instance.Settlement{Verdict: verdict})
	}})
	e.consumers(topic, 1)
	e.publish(topic, "a", "b", "c")
	e.until(func() bool { return node.count() == 3 })
	node.end()
	e.backlog(topic, 1)

	again := e.start(options{inputs: []string{topic}})
	e.until(func() bool { return again.count() > 0 })
	e.publish(topic, "d")
	e.until(func() bool { return again.count() > 1 })
	again.end()
	require.Equal(e, []string{"b", "d"}, again.keys(), "the acknowledged ones do not come again")
	e.backlog(topic, 0)
}

// reconnect unloads the topic while messages are in flight: the broker closes its consumers, the client subscribes again, and what
// was not acknowledged comes twice.
func reconnect(e *env) {
	topic := e.topic("unloaded")
	var mu sync.Mutex
	var held []*instance.Delivery
	node := e.start(options{inputs: []string{topic}, handle: func(_ context.Context, d *instance.Delivery) {
		mu.Lock()
		defer mu.Unlock()
		held = append(held, d)
	}})
	e.consumers(topic, 1)
	e.publish(topic, "a", "b", "c")
	e.until(func() bool { return node.count() == 3 })
	e.unload(topic)
	e.until(func() bool { return node.count() >= 6 })
	e.publish(topic, "d")
	e.until(func() bool { return node.keys()[node.count()-1] == "d" })
	mu.Lock()
	for _, d := range held {
		d.Settle(instance.Settlement{Verdict: instance.Ack})
	}
	mu.Unlock()
	e.backlog(topic, 0)
	require.Empty(e, node.Stats().Conditions)
	node.end()
}

// mixedBatch acknowledges some messages of a batch, dead-letters one and abandons one: the broker keeps the whole batch, and gives
// all of it to the next instance (contract §6.3).
func mixedBatch(e *env) {
	topic := e.topic("batch")
	node := e.start(options{inputs: []string{topic}, handle: func(_ context.Context, d *instance.Delivery) {
		verdict := map[string]instance.Verdict{"1": instance.Abandon, "2": instance.DeadLetter}[string(d.Payload)]
		if verdict == 0 {
			verdict = instance.Ack
		}
		d.Settle(instance.Settlement{Verdict: verdict, Reason: "malformed"})
	}})
	e.consumers(topic, 1)
	producer := e.producer(pulsar.ProducerOptions{Topic: topic, BatchingMaxMessages: 4, BatchingMaxPublishDelay: 60e9})
	for n := range 4 {
		producer.SendAsync(e.Context(), &pulsar.ProducerMessage{Key: "one", Payload: []byte(strconv.Itoa(n))},
			func(pulsar.MessageID, *pulsar.ProducerMessage, error) {})
	}
	require.NoError(e, producer.FlushWithCtx(e.Context()))
	e.until(func() bool { return node.count() == 4 && node.Stats().Total.Exceptions[instance.UserException] == 1 })
	node.end()
	e.backlog(topic, 1) // entries, not messages

	again := e.start(options{inputs: []string{topic}})
	e.until(func() bool { return again.count() == 4 })
	e.backlog(topic, 0)
	again.end()
}
