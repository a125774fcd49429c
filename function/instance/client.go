package instance

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/apache/pulsar-client-go/pulsar/backoff"
	pulsarlog "github.com/apache/pulsar-client-go/pulsar/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/rowvec/rowvec/brokerlog"
)

const (
	// operationTimeout bounds one lookup or subscribe inside the client, which retries any error, a refused connection too, until
	// then. The client's 30 s would keep the reason out of the status for that long.
	operationTimeout  = 10 * time.Second
	connectionTimeout = 5 * time.Second

	retryFirst = 200 * time.Millisecond
	retryMost  = 5 * time.Second // the client's own cap is 60 s: too late after a broker's restart
)

// newClient makes the client, waiting and trying again for as long as that fails; it does not connect. It returns an error only
// when ctx has ended.
func (c *consumption) newClient(ctx context.Context) (pulsar.Client, error) {
	const source = "pulsar"
	delay := newRetryDelay()
	for {
		client, err := c.tryClient()
		if err == nil {
			c.observer.condition(source, "")
			return client, nil
		}
		c.observer.fault(SystemException, fmt.Errorf("make the Pulsar client: %w", err))
		c.observer.condition(source, fmt.Sprintf("cannot make the client: %v; trying again", err))
		if err := delay.sleep(ctx); err != nil {
			return nil, err
		}
	}
}

func (c *consumption) tryClient() (pulsar.Client, error) {
	options, err := c.clientOptions()
	if err != nil {
		return nil, err
	}
	options.OperationTimeout = operationTimeout
	options.ConnectionTimeout = connectionTimeout
	// What its producers hold is bounded by us: letters by the intake, events and log lines by their buffers. The client's own count never
	// gives back what a producer that closed itself had not sent, and would block the others in the end.
	options.MemoryLimitBytes = -1
	options.Logger = clientLogger(c.localLog(), &c.reason)
	// Its pulsar_client_* series would collide between functions on the metrics port (contract §3.2).
	options.MetricsRegisterer = prometheus.NewRegistry()
	options.MetricsCardinality = pulsar.MetricsCardinalityNone
	return c.settings.NewClient(options)
}

// clientLogger gives the client's warnings and errors to log, and the last to reason. Its info lines tell of every connection and consumer.
func clientLogger(log *slog.Logger, reason *brokerlog.Reason) pulsarlog.Logger {
	return pulsarlog.NewLoggerWithSlog(slog.New(reason.Handler(atLeast{log.Handler(), slog.LevelWarn})).With("component", "pulsar_client"))
}

// atLeast is a handler that leaves out what is below a level, unless the handler below it is at debug.
type atLeast struct {
	slog.Handler
	level slog.Level
}

func (h atLeast) Enabled(ctx context.Context, level slog.Level) bool {
	return h.Handler.Enabled(ctx, level) && (level >= h.level || h.Handler.Enabled(ctx, slog.LevelDebug))
}

func (h atLeast) WithAttrs(attrs []slog.Attr) slog.Handler {
	return atLeast{h.Handler.WithAttrs(attrs), h.level}
}

func (h atLeast) WithGroup(name string) slog.Handler {
	return atLeast{h.Handler.WithGroup(name), h.level}
}

// slowly runs work, which cannot be given up, and calls tell once if it takes longer than patience.
func slowly(patience time.Duration, work, tell func()) {
	ended := make(chan struct{})
	watched := background(func() {
		if !within(patience, ended) {
			tell()
		}
	})
	work()
	close(ended)
	<-watched
}

// oneLine is the text of an error whose parts the client has put on lines of their own.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", ": ") }

// done waits for ch to be closed, or for the end of ctx.
func done(ctx context.Context, ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	case <-ctx.Done():
		return false
	}
}

// retryDelay is an exponential back-off with a cap and jitter. It is a backoff.Policy, so that the client's reconnects follow it.
type retryDelay struct{ next time.Duration }

var _ backoff.Policy = (*retryDelay)(nil)

func newRetryDelay() *retryDelay { return &retryDelay{next: retryFirst} }

func newReconnectPolicy() backoff.Policy { return newRetryDelay() }

// Next returns the next delay: between 80 and 100 % of 200 ms, 400 ms, ... 5 s.
func (d *retryDelay) Next() time.Duration {
	delay := d.next
	d.next = min(2*d.next, retryMost)
	return delay - rand.N(delay/5) //nolint:gosec // jitter is no secret
}

// IsMaxBackoffReached tells whether the cap is reached.
func (d *retryDelay) IsMaxBackoffReached() bool { return d.next == retryMost }

// Reset starts again at the first delay.
func (d *retryDelay) Reset() { d.next = retryFirst }

// sleep waits for the next delay; its error is that of ctx.
func (d *retryDelay) sleep(ctx context.Context) error {
	timer := time.NewTimer(d.Next())
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
