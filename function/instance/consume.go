package instance

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"

	"github.com/rowvec/rowvec/brokercall"
	"github.com/rowvec/rowvec/brokerlog"
)

// Settings say how Consume consumes, beyond what the worker's configuration says.
type Settings struct {
	// SubscriptionType is key_shared, failover, shared or exclusive. Empty: failover where the function retains ordering, else
	// key_shared.
	SubscriptionType string
	// DeadLetterTopic is a full topic name. Empty: tenant/namespace/name-dlq.
	DeadLetterTopic string
	// Prefetch is how many messages the client holds on their way to the handler, over all inputs whose own receiverQueueSize is not
	// set; at least one for each partition, and two for each topic of a pattern. 0: 16.
	Prefetch int
	// Intake bounds the bytes of the messages that the handler has and that are neither settled nor stored as dead letters, over all
	// inputs; each input may go over it by one message. 0: 32 MiB.
	Intake int
	// DrainTimeout bounds how long Handler.Drain may take. 0: 8 s. What follows takes up to 1.5 s more, within the 10 s that the
	// worker waits before it kills (contract §1.1).
	DrainTimeout time.Duration
	// LogTopic is nil, or the log that is to be sent to the function's logTopic while Consume runs.
	LogTopic *LogTopic
	// Output is nil, or what publishes to the function's output topic while Consume runs.
	Output *Output
	// Access is how to reach Pulsar; the zero value is the worker's way.
	Access Access
	// NewClient makes the Pulsar client. nil: pulsar.NewClient. Tests give a double.
	NewClient func(pulsar.ClientOptions) (pulsar.Client, error)
}

const (
	drainTimeout = 8 * time.Second
	drainGrace   = 250 * time.Millisecond // for a Drain that returns a little late
	letterGrace  = 500 * time.Millisecond // for dead letters that nothing confirmed during the drain
	closeTimeout = 800 * time.Millisecond // for acknowledgements and closing, the broker being there
)

// withDefaults fills in what is not set.
func (s Settings) withDefaults(conf *Conf) (Settings, error) {
	if s.SubscriptionType == "" {
		s.SubscriptionType = "key_shared"
		if conf.Subscription.Type == Failover {
			s.SubscriptionType = "failover"
		}
	}
	if _, ok := subscriptionTypes[s.SubscriptionType]; !ok {
		return s, fmt.Errorf("subscription %q: expected key_shared, failover, shared or exclusive", s.SubscriptionType)
	}
	s.DeadLetterTopic = first(s.DeadLetterTopic, "persistent://"+conf.FQFN()+"-dlq")
	for _, in := range conf.Inputs {
		if !in.Pattern && sameTopic(in.Topic, s.DeadLetterTopic) {
			return s, fmt.Errorf("deadLetterTopic %s: it is among the function's inputs, so that a dead letter would come back for ever; set another", s.DeadLetterTopic)
		}
	}
	if conf.LogTopic != "" && sameTopic(conf.LogTopic, s.DeadLetterTopic) {
		return s, fmt.Errorf("deadLetterTopic %s: it is the function's logTopic; set another", s.DeadLetterTopic)
	}
	if err := checkOutput(conf, s.DeadLetterTopic); err != nil {
		return s, err
	}
	s.Prefetch = first(s.Prefetch, DefaultPrefetch)
	s.Intake = first(s.Intake, defaultIntake)
	s.DrainTimeout = first(s.DrainTimeout, drainTimeout)
	if s.NewClient == nil {
		s.NewClient = pulsar.NewClient
	}
	return s, nil
}

// checkOutput refuses an output topic that something else is read from or written to.
func checkOutput(conf *Conf, deadLetterTopic string) error {
	for _, in := range conf.Inputs {
		if !in.Pattern && sameTopic(conf.Output, in.Topic) {
			return fmt.Errorf("output %s: it is among the function's inputs, so that each event would come back as a record; set another", conf.Output)
		}
	}
	if sameTopic(conf.Output, deadLetterTopic) {
		return fmt.Errorf("output %s: it is the dead-letter topic, where only messages to be sent again may be; set another", conf.Output)
	}
	if sameTopic(conf.Output, conf.LogTopic) {
		return fmt.Errorf("output %s: it is the function's logTopic; set another", conf.Output)
	}
	return nil
}

// observer is told of what happens to messages. It must not block.
type observer interface {
	received()
	processed(latency time.Duration)     // acknowledged
	rejected(err error)                  // dead-lettered, and the broker has the letter
	fault(kind ExceptionKind, err error) // something between us and Pulsar failed and is tried again
	condition(source, text string)       // what is wrong now; "" when it is no longer
}

// Consume subscribes to every input and gives what arrives to the handler until ctx ends; then it stops taking, lets the handler drain
// within Settings.DrainTimeout, acknowledges, and closes (contract §6.9). Whatever keeps it from Pulsar, it waits and tries again, and
// the status says why; it returns an error, and returns before ctx ends, only for a setting that is wrong. It has returned 10 s after
// the end of ctx even if Pulsar does not answer; what is left unacknowledged comes again. Call it once at a time.
func (i *Instance) Consume(ctx context.Context, s Settings, h Handler) error {
	s, err := s.withDefaults(i.conf)
	if err != nil {
		return err
	}
	c := &consumption{
		settings: s, subscription: i.conf.Subscription, inputs: i.conf.Inputs, logTopicName: i.conf.LogTopic,
		outputName: i.conf.Output, server: s.Access.server(i.conf),
		identity: newIdentity(i.conf), clientOptions: func() (pulsar.ClientOptions, error) { return s.Access.options(i.conf) },
		handler: h, observer: reporter{i}, log: i.log,
	}
	c.run(ctx)
	return nil
}

// reporter tells the instance's statistics and status.
type reporter struct{ i *Instance }

func (r reporter) received()                           { r.i.stats.received() }
func (r reporter) processed(latency time.Duration)     { r.i.stats.processed(latency) }
func (r reporter) rejected(err error)                  { r.i.RecordException(UserException, err) }
func (r reporter) fault(kind ExceptionKind, err error) { r.i.RecordException(kind, err) }
func (r reporter) condition(source, text string)       { r.i.SetCondition(source, text) }

// consumption is one run of Consume.
type consumption struct {
	settings      Settings
	subscription  Subscription
	inputs        []Input
	logTopicName  string
	outputName    string
	server        string // for the status
	identity      identity
	clientOptions func() (pulsar.ClientOptions, error)
	reason        brokerlog.Reason // why the client does not connect
	handler       Handler
	observer      observer
	log           *slog.Logger

	client    pulsar.Client
	settler   *settler
	letters   *deadLetters
	intake    *intake
	feeds     []*feed
	calls     brokercall.Calls
	consumers consumers
}

// run consumes until ctx ends and then shuts down in order.
func (c *consumption) run(ctx context.Context) {
	c.prepare()
	client, err := c.newClient(ctx)
	if err != nil {
		limit, cancel := c.drainLimit(ctx)
		defer cancel()
		c.stop(limit, background(func() {})) // nothing was delivered, but the handler may hold things of its own
		return                               // the error is that of ctx: a stop before the start is no failure
	}
	c.client, c.letters.client = client, client

	// What runs on while the handler drains ends with its queues, or at the very end.
	tail, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	letters := background(func() { c.letters.run(tail) })
	acks := background(c.each(func(f *feed) { c.settler.acknowledge(tail, f.acks) }))
	logged, endLog := context.WithCancel(tail)
	defer endLog()
	logs := background(func() { c.settings.LogTopic.run(tail, logged, client, &c.calls, c.identity) })
	output := background(func() { c.settings.Output.run(tail, c) })
	feeds := background(c.each(func(f *feed) { f.run(ctx) }))

	<-ctx.Done()
	c.log.InfoContext(ctx, "stopping", "open", c.settler.open.Load())
	limit, cancel := c.drainLimit(ctx)
	defer cancel()
	c.stop(limit, feeds)
	c.letters.queue.finish()
	c.settings.Output.finish()
	within(letterGrace, letters)
	for _, f := range c.feeds {
		f.acks.finish()
	}
	c.flush(limit, output)
	endLog()
	c.close(ctx, cut, letters, acks, logs, output)
}

// drainLimit begins the time in which everything in flight has to end.
func (c *consumption) drainLimit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), c.settings.DrainTimeout)
}

func (c *consumption) prepare() {
	c.consumers.calls = &c.calls
	c.letters = newDeadLetters(c.settings.DeadLetterTopic, c.identity, &c.calls, c.observer, c.log)
	c.settler = newSettler(c.observer, c.letters, c.log)
	c.intake = newIntake(c.settings.Intake, len(c.inputs))
	for _, in := range c.inputs {
		c.feeds = append(c.feeds, newFeed(in, c))
	}
}

// stop waits for the inputs and lets the handler finish what is in flight: limit is for both.
func (c *consumption) stop(limit context.Context, feeds <-chan struct{}) {
	if !done(limit, feeds) {
		c.log.ErrorContext(limit, "the handler did not return; it is not drained")
		return
	}
	c.drain(limit)
}

// drain waits a little longer than the handler may take.
func (c *consumption) drain(limit context.Context) {
	drained := background(func() { c.handler.Drain(limit) })
	if !done(limit, drained) && !within(drainGrace, drained) {
		c.log.ErrorContext(limit, "the handler did not finish draining in time")
	}
}

// flush waits for the events of what was drained, in what is left of the drain's time.
func (c *consumption) flush(limit context.Context, output <-chan struct{}) {
	limit, cancel := context.WithTimeout(limit, outputGrace)
	defer cancel()
	done(limit, output)
}

// close ends everything that is still open, within closeTimeout, and tells what was left.
func (c *consumption) close(ctx context.Context, cut context.CancelFunc, letters, acks, logs, output <-chan struct{}) {
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	done(limit, acks)
	done(limit, logs)
	cut()
	done(limit, letters)
	done(limit, output)
	c.consumers.closeAll()
	clean := c.calls.Wait(limit)
	c.calls.Start(c.client.Close)
	clean = c.calls.Wait(limit) && clean
	if !clean { // a lookup that nobody answers cannot be cut short; the end of the process ends it
		c.log.WarnContext(ctx, "the Pulsar client did not close in time", "limit", closeTimeout)
	}
	c.log.InfoContext(ctx, "stopped", "left_unacknowledged", c.settler.open.Load(), "dead_letters_left", c.letters.pending())
}

func (c *consumption) each(work func(*feed)) func() {
	return func() {
		var all sync.WaitGroup
		for _, f := range c.feeds {
			all.Go(func() { work(f) })
		}
		all.Wait()
	}
}

// background runs work in a goroutine and closes the channel when it has returned.
func background(work func()) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		work()
	}()
	return ended
}

// within waits for ch to be closed, for at most d.
func within(d time.Duration, ch <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ch:
		return true
	case <-timer.C:
		return false
	}
}

// internalTopic tells whether a topic that a pattern matches is none of a table, our dead-letter topic, log topic and output topic
// included: an event that came back as a record would make another.
func (c *consumption) internalTopic(topic string) bool {
	return internalTopic(topic) || sameTopic(topic, c.settings.DeadLetterTopic) || sameTopic(topic, c.logTopicName) ||
		sameTopic(topic, c.outputName)
}

// localLog is the log without the log topic: what the Pulsar client says about sending must not be sent.
func (c *consumption) localLog() *slog.Logger {
	if c.settings.LogTopic == nil {
		return c.log
	}
	return slog.New(c.settings.LogTopic.local)
}
