package broker

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/apache/pulsar-client-go/pulsar/backoff"
	pulsarlog "github.com/apache/pulsar-client-go/pulsar/log"
	"github.com/prometheus/client_golang/prometheus"
)

// keepAlive is how soon a connection is asked whether the broker is still there; the next time without an answer ends it.
const keepAlive = 10 * time.Second

// operationTimeout bounds the client's blocking calls, which take no context; a stop waits no longer than that.
const operationTimeout = 5 * time.Second

// Tail opens a reader of what a topic gets from now on.
func Tail(serviceURL, token, topic string, log *slog.Logger) func() (Reader, error) {
	options := pulsar.ClientOptions{
		URL: serviceURL, OperationTimeout: operationTimeout, ConnectionTimeout: operationTimeout,
		Logger:             pulsarlog.NewLoggerWithSlog(log.With("component", "pulsar_client")),
		KeepAliveInterval:  keepAlive,
		MetricsRegisterer:  prometheus.NewRegistry(),
		MetricsCardinality: pulsar.MetricsCardinalityNone,
		Description:        "rowvec serve",
	}
	if token != "" {
		options.Authentication = pulsar.NewAuthenticationToken(token)
	}
	return func() (Reader, error) {
		client, err := pulsar.NewClient(options)
		if err != nil {
			return nil, fmt.Errorf("make the Pulsar client: %w", err)
		}
		l := &link{}
		reader, err := client.CreateReader(pulsar.ReaderOptions{
			Topic: topic, StartMessageID: pulsar.LatestMessageID(), Name: "rowvec-serve", ReceiverQueueSize: 1_000, BackoffPolicyFunc: l.reconnect,
		})
		if err != nil {
			client.Close()
			return nil, fmt.Errorf("open a reader: %w", err)
		}
		return &tail{client, reader, l}, nil
	}
}

// tail owns its client: a broken one is not used again.
type tail struct {
	client pulsar.Client
	reader pulsar.Reader
	link   *link
}

func (t *tail) Next(ctx context.Context) ([]byte, error) {
	m, err := t.reader.Next(ctx)
	if err != nil {
		return nil, err
	}
	return m.Payload(), nil
}

func (t *tail) Connected() bool { return t.link.lost.Load() == 0 }

func (t *tail) Close() {
	t.reader.Close()
	t.client.Close()
}

// link counts the connections that are lost, one of each partition. The client reconnects without end and tells nobody; but it takes a new
// back-off when it begins (reconnectToBroker in pulsar-client-go v0.19), and resets it when it has succeeded.
type link struct{ lost atomic.Int64 }

func (l *link) reconnect() backoff.Policy {
	l.lost.Add(1)
	return &reconnection{Policy: backoff.NewDefaultBackoff(), link: l}
}

type reconnection struct {
	backoff.Policy

	link *link
	once sync.Once
}

// Reset is called on success.
func (r *reconnection) Reset() {
	r.Policy.Reset()
	r.once.Do(func() { r.link.lost.Add(-1) })
}
