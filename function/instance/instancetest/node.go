package instancetest

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/instance"
)

const subscriptionName = "it-function"

// options of a node.
type options struct {
	inputs       []string
	pattern      bool
	id           int
	subscription string
	logTopic     string
	handle       func(context.Context, *instance.Delivery) // nil: acknowledge
}

// node is a running instance.
type node struct {
	*instance.Instance
	e           *env
	log         *slog.Logger
	out         *lockedBuffer
	deadLetters string
	handle      func(context.Context, *instance.Delivery)
	stop        context.CancelFunc
	stopped     chan error

	mu   sync.Mutex
	seen []*instance.Delivery
}

// start runs an instance as the functions worker would have configured it.
func (e *env) start(o options) *node {
	e.Helper()
	conf, err := instance.ParseConf([]string{"-instance-conf", e.conf(o)}, func(string) string { return "" })
	require.NoError(e, err)
	n := &node{
		e: e, handle: o.handle, stopped: make(chan error, 1), out: &lockedBuffer{},
		deadLetters: full(e.name(strings.ReplaceAll(e.Name(), "/", "-") + "-dlq")),
	}
	topic := instance.NewLogTopic(slog.NewTextHandler(n.out, nil), conf.LogTopic, slog.LevelInfo)
	n.log = slog.New(topic.Handler())
	n.Instance, err = instance.Open(conf, instance.Options{Log: n.log})
	require.NoError(e, err)
	ctx, cancel := context.WithCancel(context.Background())
	n.stop = cancel
	settings := instance.Settings{SubscriptionType: o.subscription, DeadLetterTopic: n.deadLetters, LogTopic: topic}
	go func() { n.stopped <- n.Consume(ctx, settings, n) }()
	e.Cleanup(n.end)
	return n
}

// conf is the JSON that the worker passes (contract §1.4).
func (e *env) conf(o options) string {
	e.Helper()
	specs := map[string]any{}
	for _, topic := range o.inputs {
		specs[topic] = map[string]any{"isRegexPattern": o.pattern}
	}
	details, err := jsonText(map[string]any{
		"tenant": "public", "namespace": "default", "name": "it", "runtime": "GO", "parallelism": 2, "logTopic": o.logTopic,
		"source": map[string]any{
			"inputSpecs": specs, "subscriptionName": subscriptionName, "subscriptionPosition": "EARLIEST",
		},
	})
	require.NoError(e, err)
	text, err := jsonText(map[string]any{
		"pulsarServiceURL": e.serviceURL, "instanceID": o.id, "clusterName": "standalone", "port": freePort(e.T),
		"metricsPort": freePort(e.T), "functionDetails": details,
	})
	require.NoError(e, err)
	return text
}

// Handle remembers the delivery and does what the test asked for.
func (n *node) Handle(ctx context.Context, d *instance.Delivery) {
	n.mu.Lock()
	n.seen = append(n.seen, d)
	n.mu.Unlock()
	if n.handle != nil {
		n.handle(ctx, d)
		return
	}
	d.Settle(instance.Settlement{Verdict: instance.Ack})
}

// Drain has nothing to finish.
func (*node) Drain(context.Context) {}

func (n *node) deliveries() []*instance.Delivery {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.seen)
}

func (n *node) count() int { return len(n.deliveries()) }

func (n *node) keys() []string {
	seen := n.deliveries()
	keys := make([]string, 0, len(seen))
	for _, d := range seen {
		keys = append(keys, d.Key)
	}
	return keys
}

// end stops the instance as SIGTERM does. Later calls do nothing.
func (n *node) end() {
	n.e.Helper()
	if n.stop == nil {
		return
	}
	n.stop()
	n.stop = nil
	select {
	case err := <-n.stopped:
		require.NoError(n.e, err)
	case <-time.After(10 * time.Second):
		n.e.Error("the instance did not stop within 10 s")
	}
	require.NoError(n.e, n.Close(context.Background()))
	if n.e.Failed() {
		n.e.Logf("log of the instance:\n%s", n.out)
	}
}

// lockedBuffer takes the log of several goroutines.
type lockedBuffer struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.String()
}
