package mailbox

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	pulsarlog "github.com/apache/pulsar-client-go/pulsar/log"
	"github.com/prometheus/client_golang/prometheus"
)

// operationTimeout bounds the client's blocking calls; a stop waits no longer than that.
const operationTimeout = 10 * time.Second

// Dial makes a Pulsar client; nothing is reached yet. token may be empty.
func Dial(serviceURL, token string, log *slog.Logger) (pulsar.Client, error) {
	options := pulsar.ClientOptions{
		URL: serviceURL, OperationTimeout: operationTimeout, ConnectionTimeout: operationTimeout / 2,
		Logger:             pulsarlog.NewLoggerWithSlog(log),
		MetricsRegisterer:  prometheus.NewRegistry(),
		MetricsCardinality: pulsar.MetricsCardinalityNone,
		Description:        "rowvec dlq",
	}
	if token != "" {
		options.Authentication = pulsar.NewAuthenticationToken(token)
	}
	client, err := pulsar.NewClient(options)
	if err != nil {
		return nil, fmt.Errorf("make the Pulsar client: %w", err)
	}
	return client, nil
}
