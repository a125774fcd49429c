package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
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

// operationTimeout bounds the client's blocking calls, which take no context; a stop waits no longer than that, where a broker takes
// connections and does not answer.
const operationTimeout = 5 * time.Second

// Access says where Pulsar is, and how it is reached.
type Access struct {
	ServiceURL     string // pulsar:// or pulsar+ssl://
	Token          string // empty: none
	TrustCertsFile string // authorities to trust, PEM; empty: the system's
}

// Tail opens a reader of what a topic gets from now on.
func Tail(at Access, topic string, log *slog.Logger) func(ctx context.Context) (Reader, error) {
	options := pulsar.ClientOptions{
		URL: at.ServiceURL, TLSTrustCertsFilePath: at.TrustCertsFile, OperationTimeout: operationTimeout, ConnectionTimeout: operationTimeout,
		Logger:             pulsarlog.NewLoggerWithSlog(slog.New(warnings{log.Handler()}).With("component", "pulsar_client")),
		KeepAliveInterval:  keepAlive,
		MetricsRegisterer:  prometheus.NewRegistry(),
		MetricsCardinality: pulsar.MetricsCardinalityNone,
		Description:        "rowvec serve",
	}
	if at.Token != "" {
		options.Authentication = pulsar.NewAuthenticationToken(at.Token)
	}
	return func(ctx context.Context) (Reader, error) {
		if err := reach(ctx, at.ServiceURL); err != nil {
			return nil, err
		}
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

// reach connects to one of the hosts of a service URL and leaves again. The client would try for operationTimeout where nobody answers,
// and could not be told to stop.
func reach(ctx context.Context, serviceURL string) error {
	ctx, cancel := context.WithTimeout(ctx, operationTimeout)
	defer cancel()
	var failed []error
	for _, host := range hosts(serviceURL) {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
		if err == nil {
			return conn.Close() //nolint:wrapcheck // cannot fail but by what the next call will meet
		}
		failed = append(failed, err)
	}
	return fmt.Errorf("reach Pulsar: %w", errors.Join(failed...))
}

// hosts are those of pulsar://a:6650,b:6650, each with a port.
func hosts(serviceURL string) []string {
	scheme, rest, _ := strings.Cut(serviceURL, "://")
	port := "6650"
	if scheme == "pulsar+ssl" {
		port = "6651"
	}
	var out []string
	for host := range strings.SplitSeq(strings.TrimSuffix(rest, "/"), ",") {
		if u := (&url.URL{Host: host}); u.Port() == "" {
			host = net.JoinHostPort(u.Hostname(), port)
		}
		out = append(out, host)
	}
	return out
}

// warnings is a handler without the client's info lines, which tell of every connection and consumer, unless the one below is at debug.
type warnings struct{ slog.Handler }

func (h warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return h.Handler.Enabled(ctx, level) && (level >= slog.LevelWarn || h.Handler.Enabled(ctx, slog.LevelDebug))
}

func (h warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{h.Handler.WithAttrs(attrs)}
}

func (h warnings) WithGroup(name string) slog.Handler { return warnings{h.Handler.WithGroup(name)} }

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
