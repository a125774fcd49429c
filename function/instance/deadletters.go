package instance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"golang.org/x/time/rate"

	"github.com/rowvec/rowvec/brokercall"
	"github.com/rowvec/rowvec/deadletter"
)

// deadLetters publishes to the dead-letter topic, one round of letters at a time, until the broker has confirmed each. Its client
// is first used for the first letter: a function that never dead-letters makes no topic.
type deadLetters struct {
	topic     string
	identity  identity
	observer  observer
	log       *slog.Logger
	queue     *queue[letter]
	confirmed func(letter)

	sender               // owned by run
	room    int          // for a letter's metadata; owned by run
	waiting atomic.Int64 // letters of the round that are not confirmed
	notes   rate.Sometimes
}

const (
	lettersPerRound  = 100
	deadLetterSource = "dead-letter topic"

	// slowProducer is when a producer that is not made yet shows in the status: after the client's own limits for a lookup and an answer.
	slowProducer = 25 * time.Second
)

func newDeadLetters(topic string, id identity, calls *brokercall.Calls, o observer, log *slog.Logger) *deadLetters {
	return &deadLetters{
		topic: topic, identity: id, sender: sender{calls: calls}, observer: o, log: log, queue: newQueue[letter](), room: longMetadata,
		notes: rate.Sometimes{First: 20, Interval: 10 * time.Second},
	}
}

// run publishes until the queue is finished and empty, or ctx has ended.
func (d *deadLetters) run(ctx context.Context) {
	for {
		round := d.queue.take(ctx, lettersPerRound)
		if len(round) == 0 {
			break
		}
		d.deliver(ctx, round)
	}
	d.discard()
}

// pending is how many letters the broker has not confirmed.
func (d *deadLetters) pending() int { return d.queue.len() + int(d.waiting.Load()) }

// deliver publishes a round, trying again for as long as ctx lasts: nothing that waiting can cure loses a letter. Everything is
// made anew after a failure, the subscription too, since the topic may have been deleted meanwhile.
func (d *deadLetters) deliver(ctx context.Context, round []letter) {
	delay := newRetryDelay()
	for len(round) > 0 {
		d.waiting.Store(int64(len(round)))
		failed, err := d.publish(ctx, round)
		round = failed
		if err == nil {
			d.observer.condition(deadLetterSource, "")
			continue
		}
		d.discard()
		if ctx.Err() != nil {
			return
		}
		d.waiting.Store(int64(len(round)))
		d.complain(err)
		if errors.Is(err, pulsar.ErrMetaTooLarge) { // this broker's maxMessageSize is smaller than usual
			d.room = max(leastMetadata, d.room-d.room/4)
		}
		if delay.sleep(ctx) != nil {
			return
		}
	}
	d.waiting.Store(0)
}

// silent is what the status says of a broker that leaves the producer waiting, which it may do without end, for example while the topic is
// over its quota: the client sets no limit to that.
func (d *deadLetters) silent() string {
	return fmt.Sprintf("no answer to the producer for %s (userConfig.deadLetterTopic): is the topic over its quota? What should go there waits", d.topic)
}

func (d *deadLetters) complain(err error) {
	d.observer.fault(SinkException, fmt.Errorf("publish to the dead-letter topic %s: %w", d.topic, err))
	d.observer.condition(deadLetterSource, fmt.Sprintf(
		"cannot publish to %s (userConfig.deadLetterTopic): %s; what should go there waits, trying again", d.topic, oneLine(err)))
}

// publish sends a round in its order and returns the letters that were not confirmed, with the first error.
func (d *deadLetters) publish(ctx context.Context, round []letter) ([]letter, error) {
	var producer pulsar.Producer
	var err error
	slowly(slowProducer, func() { producer, err = d.open(ctx) }, func() { d.observer.condition(deadLetterSource, d.silent()) })
	if err != nil {
		return round, err
	}
	message := func(l letter) *pulsar.ProducerMessage { return fit(l.message(d.identity), d.room) }
	return publishRound(ctx, producer, round, message, func(l letter) {
		d.waiting.Add(-1)
		d.note(ctx, l)
		d.confirmed(l)
	})
}

// open makes sure of the durable subscription and only then makes the producer. It does so for every round: a producer does not notice
// that somebody has deleted the subscription, and the broker would confirm what it then discards.
func (d *deadLetters) open(ctx context.Context) (pulsar.Producer, error) {
	if err := d.subscribe(ctx); err != nil {
		return nil, fmt.Errorf("make the subscription %s: %w", deadletter.Subscription, err)
	}
	return d.ensure(ctx, pulsar.ProducerOptions{
		Topic:      d.topic,
		Properties: d.identity.properties(),
		// None: the client calls back for the last chunk alone, and would confirm a letter whose first chunk it gave up just before the
		// connection came back. publishRound gives up instead, and sends whole letters again.
		SendTimeout:     noTimeout,
		CompressionType: pulsar.LZ4,
		// Each letter by itself, so that one can be acknowledged alone, in chunks when the properties make it too large.
		DisableBatching:   true,
		EnableChunking:    true,
		BackOffPolicyFunc: newReconnectPolicy,
	})
}

// subscribe attaches a consumer for a moment: the subscription that this makes is durable and stays, from the earliest message on.
// The single message that the consumer may be given goes back when it closes.
func (d *deadLetters) subscribe(ctx context.Context) error {
	consumer, err := brokercall.Await(ctx, d.calls, func() (pulsar.Consumer, error) {
		return d.client.Subscribe(pulsar.ConsumerOptions{
			Topic:                       d.topic,
			SubscriptionName:            deadletter.Subscription,
			Type:                        pulsar.Shared,
			SubscriptionInitialPosition: pulsar.SubscriptionPositionEarliest,
			SubscriptionMode:            pulsar.Durable,
			ReceiverQueueSize:           1,
			Properties:                  d.identity.properties(),
		})
	}, pulsar.Consumer.Close)
	if err != nil {
		return err
	}
	_, err = brokercall.Await(ctx, d.calls, func() (struct{}, error) { consumer.Close(); return struct{}{}, nil }, func(struct{}) {})
	return err
}

func (d *deadLetters) note(ctx context.Context, l letter) {
	d.notes.Do(func() {
		d.log.WarnContext(ctx, "dead-lettered", "reason", l.Reason, "stage", l.Stage, "cause", l.Message, "table", l.Table,
			"row", l.RowID, "source_topic", l.Topic, "message_id", l.ID, "attempts", l.Attempts)
	})
}
