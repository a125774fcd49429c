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

// Access says where Pulsar is, and how it is reached.
type Access struct {
	ServiceURL     string // pulsar:// or pulsar+ssl://
	Token          string // empty: none
	TrustCertsFile string // authorities to trust, PEM; empty: the system's
}

// Dial makes a Pulsar client; nothing is reached yet.
func Dial(to Access, log *slog.Logger) (pulsar.Client, error) {
	options := pulsar.ClientOptions{
		URL: to.ServiceURL, TLSTrustCertsFilePath: to.TrustCertsFile, OperationTimeout: operationTimeout, ConnectionTimeout: operationTimeout / 2,
		Logger:             pulsarlog.NewLoggerWithSlog(log),
		MetricsRegisterer:  prometheus.NewRegistry(),
		MetricsCardinality: pulsar.MetricsCardinalityNone,
		Description:        "rowvec dlq",
	}
	if to.Token != "" {
		options.Authentication = pulsar.NewAuthenticationToken(to.Token)
	}
	client, err := pulsar.NewClient(options)
	if err != nil {
		return nil, fmt.Errorf("make the Pulsar client: %w", err)
	}
	return client, nil
}
