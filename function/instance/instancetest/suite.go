// Package instancetest checks what function/instance does with messages against a real broker: what no double can be trusted with.
// It needs the instance and the Pulsar client alone, no functions worker.
package instancetest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deadletter"
	"github.com/rowvec/rowvec/function/instance"
)

// Suite runs the checks. serviceURL is pulsar://host:port, adminURL http://host:port, both of one broker with the namespace
// public/default and automatic creation of topics. Every run uses topics of its own and leaves them.
func Suite(t *testing.T, serviceURL, adminURL string) {
	t.Helper()
	e := newEnv(t, serviceURL, adminURL)
	for _, test := range []struct {
		name string
		run  func(*env)
	}{
		{"key_shared keeps the order of each key", keySharedKeepsOrder},
		{"failover gives the topic to one instance", failoverHandsOver},
		{"dead letter", deadLetter},
		{"dead letter that is too large for one message", largeDeadLetter},
		{"dead letters outlast their subscription and their topic", lettersOutlast},
		{"partitioned topic", partitionedTopic},
		{"topic that gets more partitions", grownTopic},
		{"messages on their way are few", prefetchIsSmall},
		{"topics pattern", topicsPattern},
		{"abandoned message comes again", abandonedComesAgain},
		{"held messages survive a reconnect", reconnect},
		{"batch whose messages end differently", mixedBatch},
		{"log topic", logTopic},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(e.for_(t)) })
	}
}

func keySharedKeepsOrder(e *env) {
	topic := e.topic("ordered")
	const keys, each = 40, 25
	first := e.start(options{inputs: []string{topic}, id: 0})
	second := e.start(options{inputs: []string{topic}, id: 1})
	e.consumers(topic, 2)
	producer := e.producer(pulsar.ProducerOptions{Topic: topic, BatcherBuilderType: pulsar.KeyBasedBatchBuilder})
	for n := range each {
		for key := range keys {
			producer.SendAsync(e.Context(), &pulsar.ProducerMessage{Key: "key" + strconv.Itoa(key), Payload: []byte(strconv.Itoa(n))},
				func(_ pulsar.MessageID, _ *pulsar.ProducerMessage, err error) {
					if err != nil {
						e.Errorf("send: %v", err)
					}
				})
		}
	}
	require.NoError(e, producer.FlushWithCtx(e.Context()))
	e.until(func() bool { return first.count()+second.count() >= keys*each })
	first.end()
	second.end()
	owner := map[string]int{}
	for instance, deliveries := range [][]*instance.Delivery{first.deliveries(), second.deliveries()} {
		require.NotEmpty(e, deliveries, "both instances got keys")
		next := map[string]int{}
		for _, d := range deliveries {
			require.Equal(e, strconv.Itoa(next[d.Key]), string(d.Payload), "order of %s", d.Key)
			next[d.Key]++
			if _, known := owner[d.Key]; !known {
				owner[d.Key] = instance
			}
			require.Equal(e, owner[d.Key], instance, "%s is at one instance", d.Key)
		}
	}
	require.Len(e, owner, keys)
	e.backlog(topic, 0)
}

func failoverHandsOver(e *env) {
	topic := e.topic("failover")
	first := e.start(options{inputs: []string{topic}, id: 0, subscription: "failover"})
	e.consumers(topic, 1)
	second := e.start(options{inputs: []string{topic}, id: 1, subscription: "failover"})
	e.consumers(topic, 2)
	e.publish(topic, "a", "b")
	e.until(func() bool { return first.count()+second.count() == 2 })
	active, idle := first, second
	if second.count() > 0 {
		active, idle = second, first
	}
	require.Zero(e, idle.count())
	active.end()
	e.publish(topic, "c")
	e.until(func() bool { return idle.count() == 1 })
	require.Zero(e, idle.deliveries()[0].Redelivered)
	idle.end()
}

func deadLetter(e *env) {
	topic := e.topic("poison")
	node := e.start(options{inputs: []string{topic}, handle: func(_ context.Context, d *instance.Delivery) {
		d.Settle(instance.Settlement{
			Verdict: instance.DeadLetter, Reason: "malformed", Stage: "decode", Message: "unexpected end of JSON input",
			Table: "app.articles", RowID: "7", Version: "4711@1700000000000", Attempts: 2,
		})
	}})
	e.consumers(topic, 1)
	require.False(e, e.exists(node.deadLetters), "no dead letter, no topic")
	event := time.UnixMilli(1700000000123)
	id, err := e.producer(pulsar.ProducerOptions{Topic: topic}).Send(e.Context(), &pulsar.ProducerMessage{
		Key: "eyJpZCI6N30=", OrderingKey: "o", Payload: []byte(`{"before":`), EventTime: event, Properties: map[string]string{"own": "kept"},
	})
	require.NoError(e, err)
	e.until(func() bool { return node.Stats().Total.Exceptions[instance.UserException] == 1 })
	total := node.Stats().Total
	require.EqualValues(e, 1, total.Received)
	require.Zero(e, total.Processed)
	node.end()
	e.backlog(topic, 0)
	require.Contains(e, e.subscriptions(node.deadLetters), deadletter.Subscription, "durable: nobody is attached")

	m := e.receive(node.deadLetters, deadletter.Subscription, anyMessage)
	require.Equal(e, `{"before":`, string(m.Payload()))
	require.Equal(e, "eyJpZCI6N30=", m.Key())
	require.Equal(e, "o", m.OrderingKey())
	require.Equal(e, event.UnixMilli(), m.EventTime().UnixMilli())
	want := map[string]string{
		"own": "kept", deadletter.PropClass: deadletter.Class, deadletter.PropReason: "malformed", deadletter.PropStage: "decode", deadletter.PropMessage: "unexpected end of JSON input",
		deadletter.PropTable: "app.articles", deadletter.PropRow: "7", deadletter.PropVersion: "4711@1700000000000", deadletter.PropAttempts: "2",
		deadletter.PropSourceTopic: topic, deadletter.PropKey: "eyJpZCI6N30=", deadletter.PropInstance: "0", deadletter.PropFunction: node.Conf().FQFN(),
		deadletter.PropMessageID: fmt.Sprintf("%d:%d:%d:%d", id.LedgerID(), id.EntryID(), 0, 0),
	}
	got := m.Properties()
	for _, name := range []string{deadletter.PropPublishTime, deadletter.PropTime, deadletter.PropFirstAttempt, deadletter.PropLastAttempt} {
		at, err := time.Parse(time.RFC3339Nano, got[name])
		require.NoError(e, err)
		require.WithinDuration(e, time.Now(), at, 5*time.Minute)
		delete(got, name)
	}
	// Whether a lone message counts as a batch is the producer's business.
	if strings.HasSuffix(got[deadletter.PropMessageID], ":-1") {
		want[deadletter.PropMessageID] = strings.TrimSuffix(want[deadletter.PropMessageID], ":0") + ":-1"
	}
	require.Equal(e, want, got)
}

// largeDeadLetter has as many bytes as the broker takes, and more with the properties that say why.
func largeDeadLetter(e *env) {
	topic := e.topic("large")
	node := e.start(options{inputs: []string{topic}, handle: func(_ context.Context, d *instance.Delivery) {
		d.Settle(instance.Settlement{Verdict: instance.DeadLetter, Reason: "too_large", Message: strings.Repeat("x", 4000)})
	}})
	e.consumers(topic, 1)
	payload := noise(5<<20 - 200)
	_, err := e.producer(pulsar.ProducerOptions{Topic: topic, DisableBatching: true}).Send(e.Context(), &pulsar.ProducerMessage{Payload: payload})
	require.NoError(e, err)
	e.until(func() bool { return node.Stats().Total.Exceptions[instance.UserException] == 1 })
	node.end()
	require.Equal(e, payload, e.receive(node.deadLetters, deadletter.Subscription, anyMessage).Payload())
}

func logTopic(e *env) {
	topic, logs := e.topic("logged"), e.topic("logs")
	e.subscribe(logs, "reader").Close()
	node := e.start(options{inputs: []string{topic}, logTopic: logs})
	e.consumers(topic, 1)
	node.log.Info("hello from the function", "table", "app.articles")
	node.end()
	e.receive(logs, "reader", func(m pulsar.Message) bool {
		require.Equal(e, node.Conf().FQFN(), m.Properties()["function"])
		return strings.Contains(string(m.Payload()), `"msg":"hello from the function","table":"app.articles"`)
	})
}
