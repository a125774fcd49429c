package instance

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/prometheus/client_golang/prometheus"
)

// Output publishes to the function's output topic while Consume runs. Sending never waits for it and never fails because of it: what
// does not fit in its buffer is dropped and counted. What does fit is tried until the topic takes it, so that messages of one key stay in
// order. The topic and its producer are made for the first message. It is for one Consume.
type Output struct {
	topic     string
	published prometheus.Counter
	dropped   prometheus.Counter
	queue     *queue[envelope]
	count     atomic.Int64 // messages in the queue and under way
	bytes     atomic.Int64 // of them
	lost      atomic.Int64 // messages dropped so far

	// Owned by run.
	sender
	observer observer
	identity identity
	told     int64 // of lost, in the status
}

// envelope is a message for the output topic.
type envelope struct {
	key     string
	payload []byte
}

const (
	outputMessages = 16 << 10 // that wait or are under way
	outputBytes    = 8 << 20
	outputRound    = 1000 // the client's own bound of what is under way
	outputDelay    = 20 * time.Millisecond
	outputGrace    = 2 * time.Second // for what waits at the end, within the time of the drain
	outputSource   = "output topic"
)

// NewOutput makes the publisher of a topic. The counters get the messages that the broker has stored, and those that were dropped.
func NewOutput(topic string, published, dropped prometheus.Counter) *Output {
	return &Output{topic: topic, published: published, dropped: dropped, queue: newQueue[envelope]()}
}

// Send puts a message in the buffer. It never blocks. The payload belongs to the Output from then on.
func (o *Output) Send(key string, payload []byte) {
	e := envelope{key, payload}
	if full := o.hold(e); full || !o.queue.add(e) {
		o.release(e)
		o.lose(1)
	}
}

func (o *Output) hold(e envelope) (full bool) {
	count, bytes := o.count.Add(1), o.bytes.Add(e.size())
	return count > outputMessages || bytes > outputBytes
}

func (o *Output) release(e envelope) {
	o.count.Add(-1)
	o.bytes.Add(-e.size())
}

func (e envelope) size() int64 { return int64(len(e.key) + len(e.payload)) }

func (o *Output) lose(n int) {
	o.lost.Add(int64(n))
	o.dropped.Add(float64(n))
}

// finish ends the buffer: what is in it is still published, what comes later is dropped.
func (o *Output) finish() {
	if o != nil {
		o.queue.finish()
	}
}

// run publishes until the buffer is finished and empty, or ctx has ended; what is left then is lost.
func (o *Output) run(ctx context.Context, c *consumption) {
	if o == nil {
		return
	}
	o.client, o.calls, o.observer, o.identity = c.client, &c.calls, c.observer, c.identity
	left := 0
	for {
		round := o.queue.take(ctx, outputRound)
		if len(round) == 0 {
			break
		}
		left += o.deliver(ctx, round)
	}
	o.discard()
	o.queue.finish()
	if left += o.queue.len(); left > 0 {
		o.lose(left)
		c.log.LogAttrs(ctx, slog.LevelWarn, "the output topic did not get every event", slog.String("topic", o.topic), slog.Int("left", left))
	}
}

// deliver publishes a round, trying again for as long as ctx lasts, and returns how many messages were left.
func (o *Output) deliver(ctx context.Context, round []envelope) (left int) {
	delay := newRetryDelay()
	for {
		var err error
		round, err = o.publish(ctx, round)
		if err == nil {
			o.tell()
			return 0
		}
		o.discard()
		if ctx.Err() != nil {
			return len(round)
		}
		o.observer.fault(SinkException, fmt.Errorf("publish to the output topic %s: %w", o.topic, err))
		o.observer.condition(outputSource, fmt.Sprintf(
			"cannot publish to %s (output): %s; events wait and the newest are dropped when %d wait; no record is held up; trying again",
			o.topic, oneLine(err), outputMessages))
		if delay.sleep(ctx) != nil {
			return len(round)
		}
	}
}

// tell says that messages were dropped, until the topic has caught up.
func (o *Output) tell() {
	lost := o.lost.Load()
	switch {
	case lost > o.told:
		o.told = lost
		o.observer.condition(outputSource, fmt.Sprintf(
			"events were dropped (rowvec_events_dropped_total): %s (output) could not be reached, or takes them more slowly than records are settled", o.topic))
	case o.queue.len() == 0:
		o.observer.condition(outputSource, "")
	}
}

func (o *Output) publish(ctx context.Context, round []envelope) ([]envelope, error) {
	var producer pulsar.Producer
	var err error
	slowly(slowProducer, func() { producer, err = o.open(ctx) }, func() {
		o.observer.condition(outputSource, fmt.Sprintf("no answer to the producer for %s (output): is the topic over its quota? No record is held up", o.topic))
	})
	if err != nil {
		return round, err
	}
	message := func(e envelope) *pulsar.ProducerMessage {
		return &pulsar.ProducerMessage{Key: e.key, Payload: e.payload}
	}
	return publishRound(ctx, producer, round, message, func(e envelope) {
		o.release(e)
		o.published.Inc()
	})
}

func (o *Output) open(ctx context.Context) (pulsar.Producer, error) {
	return o.ensure(ctx, pulsar.ProducerOptions{
		Topic:                   o.topic,
		Properties:              o.identity.properties(),
		CompressionType:         pulsar.LZ4,
		BatchingMaxPublishDelay: outputDelay,
		BatchingMaxMessages:     outputRound,
		MaxPendingMessages:      outputRound,
		SendTimeout:             sendTimeout,
		DisableBlockIfQueueFull: true,
		BackOffPolicyFunc:       newReconnectPolicy,
	})
}
