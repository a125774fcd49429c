package broker

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	pulsarlog "github.com/apache/pulsar-client-go/pulsar/log"
	"github.com/prometheus/client_golang/prometheus"
)

// operationTimeout bounds the client's blocking calls, which take no context; a stop waits no longer than that.
const operationTimeout = 5 * time.Second

// Tail opens a reader of what a topic gets from now on.
func Tail(serviceURL, token, topic string, log *slog.Logger) func() (Reader, error) {
	options := pulsar.ClientOptions{
		URL: serviceURL, OperationTimeout: operationTimeout, ConnectionTimeout: operationTimeout,
		Logger:             pulsarlog.NewLoggerWithSlog(log.With("component", "pulsar_client")),
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
		reader, err := client.CreateReader(pulsar.ReaderOptions{
			Topic: topic, StartMessageID: pulsar.LatestMessageID(), Name: "rowvec-serve", ReceiverQueueSize: 1_000,
		})
		if err != nil {
			client.Close()
			return nil, fmt.Errorf("open a reader: %w", err)
		}
		return &tail{client, reader}, nil
	}
}

// tail owns its client: a broken one is not used again.
type tail struct {
	client pulsar.Client
	reader pulsar.Reader
}

func (t *tail) Next(ctx context.Context) ([]byte, error) {
	m, err := t.reader.Next(ctx)
	if err != nil {
		return nil, err
	}
	return m.Payload(), nil
}

func (t *tail) Close() {
	t.reader.Close()
	t.client.Close()
}
