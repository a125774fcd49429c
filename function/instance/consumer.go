package instance

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"

	"github.com/rowvec/rowvec/brokercall"
)

// slowSubscribe is when a subscribe that has not answered shows in the status.
const slowSubscribe = 2 * time.Second

// feed is one input: its consumer, its goroutine, its back-pressure (design §1, 9).
type feed struct {
	in       Input
	c        *consumption
	acks     *queue[receipt]
	gate     gate
	room     portion // of the instance's intake
	idle     idle
	reach    reach           // of the consumer that there is
	patience time.Duration   // with a consumer that may be behind; owned by watch
	noted    map[string]bool // internal topics that were logged
}

func newFeed(in Input, c *consumption) *feed {
	return &feed{
		in: in, c: c, acks: newQueue[receipt](), room: portion{intake: c.intake}, patience: silence, noted: map[string]bool{},
	}
}

// run subscribes and delivers until ctx ends. A consumer that is gone is replaced.
func (f *feed) run(ctx context.Context) {
	delay := newRetryDelay()
	for {
		consumer, partitions, err := f.subscribe(ctx)
		if err != nil {
			return
		}
		received, err := f.watched(ctx, consumer, partitions)
		if ctx.Err() != nil {
			return // shutdown closes the consumer, after the acknowledgements
		}
		f.c.consumers.close(consumer)
		f.lament(ctx, err)
		if received {
			delay.Reset()
		}
		if delay.sleep(ctx) != nil {
			return
		}
	}
}

// lament tells why a consumer is replaced.
func (f *feed) lament(ctx context.Context, err error) {
	if errors.Is(err, errPerhaps) {
		f.c.log.InfoContext(ctx, "subscribing again, to be sure", "topic", f.in.Topic, "reason", err)
		return
	}
	f.c.observer.fault(SourceException, fmt.Errorf("consumer of %s: %w", f.in.Topic, err))
	f.c.log.WarnContext(ctx, "the consumer is gone; subscribing again", "topic", f.in.Topic, "error", err)
}

// watched is receive with somebody who looks after the consumer, and whose word ends it.
func (f *feed) watched(ctx context.Context, consumer pulsar.Consumer, partitions int) (received bool, err error) {
	if f.in.Pattern {
		return f.receive(ctx, ctx, consumer)
	}
	f.reach.begin()
	receiving, stale := context.WithCancelCause(ctx)
	ended := background(func() { stale(f.watch(receiving, consumer, partitions)) })
	defer func() { stale(nil); <-ended }()
	if received, err = f.receive(ctx, receiving, consumer); receiving.Err() != nil {
		err = context.Cause(receiving)
	}
	return received, err
}

// subscribe tries until it succeeds; while it does not, the status says which input and why. Its error is that of ctx.
func (f *feed) subscribe(ctx context.Context) (consumer pulsar.Consumer, partitions int, err error) {
	delay := newRetryDelay()
	silent := slowSubscribe
	for {
		began := time.Now()
		consumer, partitions, err = f.trySubscribe(ctx, silent)
		if err == nil {
			f.condition("")
			f.c.log.InfoContext(ctx, "subscribed", "topic", f.in.Topic, "subscription", f.c.subscription.Name,
				"type", f.c.settings.SubscriptionType)
			return consumer, partitions, nil
		}
		if ctx.Err() != nil {
			return nil, 0, ctx.Err()
		}
		err = f.c.reason.Explain(err, began)
		f.c.observer.fault(SourceException, fmt.Errorf("subscribe to %s: %w", f.in.Topic, err))
		f.condition(fmt.Sprintf("cannot subscribe at %s: %s; trying again", f.c.server, oneLine(err)))
		silent = 0 // from now on the status has a better text
		if err := delay.sleep(ctx); err != nil {
			return nil, 0, err
		}
	}
}

// trySubscribe makes one attempt. If silent is not zero and the attempt takes longer, the status says that it is under way.
func (f *feed) trySubscribe(ctx context.Context, silent time.Duration) (consumer pulsar.Consumer, partitions int, err error) {
	if silent == 0 {
		return f.attach(ctx)
	}
	slowly(silent, func() { consumer, partitions, err = f.attach(ctx) }, func() { f.condition("not subscribed yet at " + f.c.server) })
	return consumer, partitions, err
}

func (f *feed) attach(ctx context.Context) (consumer pulsar.Consumer, partitions int, err error) {
	made, err := brokercall.Await(ctx, &f.c.calls, func() (subscribed, error) {
		options, partitions, err := f.options()
		if err != nil {
			return subscribed{}, err
		}
		consumer, err := f.c.client.Subscribe(options)
		return subscribed{consumer, partitions}, err
	}, func(late subscribed) { late.consumer.Close() })
	if err != nil {
		return nil, 0, err
	}
	f.c.consumers.add(made.consumer)
	return made.consumer, made.partitions, nil
}

// subscribed is a consumer, and how many partitions its topic had.
type subscribed struct {
	consumer   pulsar.Consumer
	partitions int
}

func (f *feed) condition(text string) { f.c.observer.condition("input "+f.in.Topic, text) }

// options say everything that matters: the client's defaults are Exclusive and Latest (contract §6.1). No schema, since a nil one
// subscribes without a compatibility check; no batch index acknowledgement (contract §6.3); acknowledgements grouped, since losing
// one costs only a redelivery.
func (f *feed) options() (options pulsar.ConsumerOptions, partitions int, err error) {
	s := f.c.settings
	options = pulsar.ConsumerOptions{
		SubscriptionName:               f.c.subscription.Name,
		Type:                           subscriptionTypes[s.SubscriptionType],
		SubscriptionInitialPosition:    f.c.subscription.Position.pulsar(),
		SubscriptionMode:               pulsar.Durable,
		Name:                           f.c.identity.consumerName(),
		Properties:                     f.in.consumerProperties(f.c.identity),
		BackOffPolicyFunc:              newReconnectPolicy,
		EnableBatchIndexAcknowledgment: false,
		AckWithResponse:                false,
		AckGroupingOptions:             &pulsar.AckGroupingOptions{MaxSize: ackGroup, MaxTime: ackDelay},
	}
	partitions = 1
	if f.in.Pattern {
		options.TopicsPattern, err = anchored(f.in.Topic)
		options.AutoDiscoveryPeriod = discoveryPeriod
	} else {
		options.Topic = f.in.Topic
		options.AutoDiscoveryPeriod = noDiscovery
		var names []string
		names, err = f.c.client.TopicPartitions(f.in.Topic)
		partitions = len(names)
	}
	options.ReceiverQueueSize = f.in.queueSize(s.Prefetch, len(f.c.inputs), partitions)
	// Without a buffer: what the client hands over no longer counts in its queue, and it asks for more.
	options.MessageChannel = make(chan pulsar.ConsumerMessage)
	return options, partitions, err
}

// receive hands the messages of a consumer to the handler, with ctx, until the consumer is gone or receiving has ended, and tells whether
// there was one.
func (f *feed) receive(ctx, receiving context.Context, consumer pulsar.Consumer) (received bool, err error) {
	defer f.idle.end()
	for {
		f.gate.wait(receiving)
		f.room.wait(receiving)
		f.idle.begin()
		msg, err := consumer.Receive(receiving)
		f.idle.end()
		if ctx.Err() != nil { // receiving ends with it, but a moment later
			return received, ctx.Err()
		}
		if receiving.Err() != nil {
			return received, receiving.Err() // a message that came together with the end is not taken: it comes again
		}
		if err != nil {
			return received, err
		}
		if msg == nil {
			return received, errors.New("the client gave no message")
		}
		received = true
		if !f.in.Pattern { // whose consumer is not watched
			f.reach.note(msg)
		}
		if f.internal(ctx, msg.Topic()) {
			f.acks.add(receipt{consumer, msg.ID()})
			continue
		}
		f.c.handler.Handle(ctx, f.c.settler.deliver(f, consumer, msg))
	}
}

// internal tells whether a message that a pattern brought comes from a topic that is none of a table. Go's regular expressions
// cannot leave such topics out of the pattern, so their messages are acknowledged here, uncounted.
func (f *feed) internal(ctx context.Context, topic string) bool {
	if !f.in.Pattern || !f.c.internalTopic(topic) {
		return false
	}
	if name := withoutPartition(topic); !f.noted[name] {
		f.noted[name] = true
		f.c.log.InfoContext(ctx, "the topics pattern matches an internal topic: its messages are ignored", "topic", name)
	}
	return true
}

// consumers are the ones that are open.
type consumers struct {
	mu    sync.Mutex
	open  map[pulsar.Consumer]struct{}
	calls *brokercall.Calls
}

func (c *consumers) add(consumer pulsar.Consumer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == nil {
		c.open = map[pulsar.Consumer]struct{}{}
	}
	c.open[consumer] = struct{}{}
}

// close starts to close a consumer: the client's Close blocks while it is disconnected.
func (c *consumers) close(consumer pulsar.Consumer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, consumer)
	c.calls.Start(consumer.Close)
}

func (c *consumers) closeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for consumer := range c.open {
		c.calls.Start(consumer.Close)
	}
	c.open = nil
}
