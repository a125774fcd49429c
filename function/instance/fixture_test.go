package instance

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/instance/pulsartest"
)

const (
	articles    = "persistent://public/default/store.app.articles"
	products    = "persistent://public/default/store.app.products"
	deadTopic   = "persistent://public/default/shop-dlq"
	subName     = "shop-sub"
	everyTopic  = "persistent://public/default/store\\.app\\..*"
	inSource    = "input " + articles
	enoughSteps = 10 * time.Second // more than any back-off
)

// recorder is an observer that remembers.
type recorder struct {
	mu               sync.Mutex
	taken, acked     int
	latencies        []time.Duration
	rejections       []string
	faults           []string
	conditions       map[string]string
	conditionHistory []string
}

func (r *recorder) received() { r.mu.Lock(); defer r.mu.Unlock(); r.taken++ }

func (r *recorder) processed(latency time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.acked++
	r.latencies = append(r.latencies, latency)
}

func (r *recorder) rejected(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rejections = append(r.rejections, err.Error())
}

func (r *recorder) fault(kind ExceptionKind, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = append(r.faults, kind.String()+": "+err.Error())
}

func (r *recorder) condition(source, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if text == "" {
		delete(r.conditions, source)
	} else {
		r.conditions[source] = text
		r.conditionHistory = append(r.conditionHistory, source+": "+text)
	}
}

func (r *recorder) snapshot() recorder {
	r.mu.Lock()
	defer r.mu.Unlock()
	return recorder{
		taken: r.taken, acked: r.acked, latencies: slices.Clone(r.latencies), rejections: slices.Clone(r.rejections),
		faults: slices.Clone(r.faults), conditions: maps.Clone(r.conditions), conditionHistory: slices.Clone(r.conditionHistory),
	}
}

// worker is a Handler whose functions a test sets.
type worker struct {
	mu     sync.Mutex
	seen   []*Delivery
	drains int
	handle func(context.Context, *Delivery) // nil: acknowledge
	drain  func(context.Context)            // nil: nothing
}

func (w *worker) Handle(ctx context.Context, d *Delivery) {
	w.mu.Lock()
	w.seen = append(w.seen, d)
	w.mu.Unlock()
	if w.handle == nil {
		d.Settle(Settlement{Verdict: Ack})
		return
	}
	w.handle(ctx, d)
}

func (w *worker) Drain(ctx context.Context) {
	w.mu.Lock()
	w.drains++
	w.mu.Unlock()
	if w.drain != nil {
		w.drain(ctx)
	}
}

func (w *worker) deliveries() []*Delivery {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.seen)
}

// fixture is a consumption over a double, in a synctest bubble.
type fixture struct {
	*testing.T
	broker  *pulsartest.Broker
	seen    *recorder
	worker  *worker
	c       *consumption
	log     *bytes.Buffer
	stop    context.CancelFunc
	stopped chan struct{}
}

func newFixture(t *testing.T, inputs ...Input) *fixture {
	t.Helper()
	f := &fixture{
		T: t, broker: pulsartest.New(), worker: &worker{}, log: &bytes.Buffer{}, stopped: make(chan struct{}),
		seen: &recorder{conditions: map[string]string{}},
	}
	if len(inputs) == 0 {
		inputs = []Input{{Topic: articles}}
	}
	conf := &Conf{
		Tenant: "public", Namespace: "default", Name: "shop", InstanceID: 3, Inputs: inputs, LogTopic: "logs",
		Subscription: Subscription{Name: subName, Position: Earliest},
	}
	settings, err := Settings{NewClient: f.broker.Client}.withDefaults(conf)
	require.NoError(t, err)
	f.c = &consumption{
		settings: settings, subscription: conf.Subscription, inputs: inputs, logTopicName: conf.LogTopic, server: "pulsar://x",
		identity:      identity{function: conf.FQFN(), name: conf.Name, instance: conf.InstanceID, host: "here", instances: 1},
		clientOptions: func() (pulsar.ClientOptions, error) { return pulsar.ClientOptions{URL: "pulsar://x"}, nil },
		handler:       f.worker, observer: f.seen,
		log: slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	return f
}

// start runs the consumption and waits until nothing moves.
func (f *fixture) start() *fixture {
	f.Helper()
	ctx, cancel := context.WithCancel(f.Context())
	f.stop = cancel
	go func() {
		defer close(f.stopped)
		f.c.run(ctx)
	}()
	f.Cleanup(cancel)
	synctest.Wait()
	return f
}

// end stops the consumption, waits for it, and returns how long that took.
func (f *fixture) end() time.Duration {
	f.Helper()
	start := time.Now()
	f.stop()
	<-f.stopped
	return time.Since(start)
}

// pass lets time pass, and what it sets off come to rest.
func (f *fixture) pass(d time.Duration) {
	f.Helper()
	<-time.After(d)
	synctest.Wait()
}

func (f *fixture) publish(topic string, keys ...string) {
	f.Helper()
	for _, key := range keys {
		f.broker.Publish(topic, &pulsartest.Message{K: key, Body: []byte("body of " + key)})
	}
	synctest.Wait()
}

func (f *fixture) published(topic string) []string {
	f.Helper()
	keys := []string{}
	for _, m := range f.broker.Stored(topic) {
		keys = append(keys, m.K)
	}
	return keys
}

func settleAs(s Settlement) func(context.Context, *Delivery) {
	return func(_ context.Context, d *Delivery) { d.Settle(s) }
}

func poison(reason string) Settlement {
	return Settlement{Verdict: DeadLetter, Reason: reason, Stage: "decode", Message: "cannot be read", Table: "app.articles", RowID: "7"}
}

var clientURL = pulsar.ClientOptions{URL: "pulsar://x"}

// keepAll are the options of a consumer whose subscription keeps what is published.
func keepAll(topic string) pulsar.ConsumerOptions {
	return pulsar.ConsumerOptions{Topic: topic, SubscriptionName: "keep", Type: pulsar.Shared}
}

// settleLater keeps deliveries for a drain.
func settleLater(held chan<- *Delivery) func(context.Context, *Delivery) {
	return func(_ context.Context, d *Delivery) { held <- d }
}

// settleAndSend is a drain that settles one delivery and makes ten events.
func settleAndSend(held <-chan *Delivery, o *Output) func(context.Context) {
	return func(context.Context) {
		(<-held).Settle(Settlement{Verdict: Ack})
		send(o, 0, 10)
	}
}

func drainFor(d time.Duration) func(context.Context) {
	return func(context.Context) { <-time.After(d) }
}
