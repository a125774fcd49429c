package instancetest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	pulsarlog "github.com/apache/pulsar-client-go/pulsar/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

const (
	patience = time.Minute // for a broker on a busy machine
	pace     = 20 * time.Millisecond
)

// env is a broker and a test that uses it.
type env struct {
	*testing.T
	serviceURL, adminURL string
	client               pulsar.Client
	run                  string // makes the names of a run its own
}

func newEnv(t *testing.T, serviceURL, adminURL string) *env {
	t.Helper()
	client, err := pulsar.NewClient(pulsar.ClientOptions{
		URL: serviceURL, Logger: pulsarlog.DefaultNopLogger(), MetricsRegisterer: prometheus.NewRegistry(),
	})
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return &env{
		T: t, serviceURL: serviceURL, adminURL: strings.TrimSuffix(adminURL, "/"), client: client,
		run: strconv.FormatInt(time.Now().UnixMilli(), 36),
	}
}

func (e *env) for_(t *testing.T) *env { //nolint:revive // "for" is a keyword
	t.Helper()
	sub := *e
	sub.T = t
	return &sub
}

func (e *env) name(what string) string { return "it-" + e.run + "-" + what }

func (e *env) topic(what string) string { return full(e.name(what)) }

func full(local string) string { return "persistent://public/default/" + local }

// until waits for something to come true.
func (e *env) until(reached func() bool) {
	e.Helper()
	require.Eventually(e, reached, patience, pace)
}

func (e *env) producer(o pulsar.ProducerOptions) pulsar.Producer {
	e.Helper()
	producer, err := e.client.CreateProducer(o)
	require.NoError(e, err)
	e.Cleanup(producer.Close)
	return producer
}

// publish sends a message of each key, unbatched, in order.
func (e *env) publish(topic string, keys ...string) {
	e.Helper()
	producer := e.producer(pulsar.ProducerOptions{Topic: topic, DisableBatching: true})
	for _, key := range keys {
		_, err := producer.Send(e.Context(), &pulsar.ProducerMessage{Key: key, Payload: []byte(key)})
		require.NoError(e, err)
	}
}

func (e *env) subscribe(topic, name string) pulsar.Consumer {
	e.Helper()
	consumer, err := e.client.Subscribe(pulsar.ConsumerOptions{
		Topic: topic, SubscriptionName: name, Type: pulsar.Shared, SubscriptionInitialPosition: pulsar.SubscriptionPositionEarliest,
	})
	require.NoError(e, err)
	return consumer
}

// receive returns the first message of a subscription that is wanted, with one consumer: the messages of a batch are acknowledged
// together or come again.
func (e *env) receive(topic, subscription string, wanted func(pulsar.Message) bool) pulsar.Message {
	e.Helper()
	consumer := e.subscribe(topic, subscription)
	defer consumer.Close()
	ctx, cancel := context.WithTimeout(e.Context(), patience)
	defer cancel()
	for {
		m, err := consumer.Receive(ctx)
		require.NoError(e, err)
		require.NoError(e, consumer.Ack(m))
		if wanted(m) {
			return m
		}
	}
}

func anyMessage(pulsar.Message) bool { return true }

// admin calls the broker's REST API and reads the answer into out, if that is not nil.
func (e *env) admin(method, path string, body, out any) int {
	e.Helper()
	text, err := json.Marshal(body)
	require.NoError(e, err)
	request, err := http.NewRequestWithContext(e.Context(), method, e.adminURL+"/admin/v2/"+path, bytes.NewReader(text))
	require.NoError(e, err)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	require.NoError(e, err)
	defer func() { _ = response.Body.Close() }()
	if out != nil && response.StatusCode == http.StatusOK {
		require.NoError(e, json.NewDecoder(response.Body).Decode(out))
	}
	return response.StatusCode
}

func path(topic string) string { return strings.Replace(topic, "://", "/", 1) }

func (e *env) partitions(topic string, n int) {
	e.Helper()
	require.Equal(e, http.StatusNoContent, e.admin(http.MethodPut, path(topic)+"/partitions", n, nil))
}

func (e *env) grow(topic string, partitions int) {
	e.Helper()
	require.Equal(e, http.StatusNoContent, e.admin(http.MethodPost, path(topic)+"/partitions", partitions, nil))
}

func (e *env) unload(topic string) {
	e.Helper()
	require.Equal(e, http.StatusNoContent, e.admin(http.MethodPut, path(topic)+"/unload", nil, nil))
}

func (e *env) exists(topic string) bool {
	e.Helper()
	return e.admin(http.MethodGet, path(topic)+"/stats", nil, nil) == http.StatusOK
}

type topicStats struct {
	Subscriptions map[string]struct {
		MsgBacklog int              `json:"msgBacklog"`
		Consumers  []map[string]any `json:"consumers"`
	} `json:"subscriptions"`
}

func (e *env) stats(topic string) topicStats {
	e.Helper()
	var s topicStats
	e.admin(http.MethodGet, path(topic)+"/stats?getPreciseBacklog=true", nil, &s)
	return s
}

func (e *env) subscriptions(topic string) []string {
	e.Helper()
	return slices.Collect(maps.Keys(e.stats(topic).Subscriptions))
}

// consumers waits until so many instances are attached.
func (e *env) consumers(topic string, want int) {
	e.Helper()
	e.until(func() bool { return len(e.stats(topic).Subscriptions[subscriptionName].Consumers) == want })
}

// backlog waits until the function's subscription has so many messages that are not acknowledged.
func (e *env) backlog(topic string, want int) {
	e.Helper()
	var got int
	require.Eventually(e, func() bool {
		s, ok := e.stats(topic).Subscriptions[subscriptionName]
		got = s.MsgBacklog
		return ok && got == want
	}, patience, pace, "backlog of %s", topic)
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	n, err := strconv.Atoi(port)
	require.NoError(t, err)
	return n
}

// noise does not compress.
func noise(n int) []byte {
	source := rand.NewChaCha8([32]byte{1})
	all := make([]byte, n)
	if _, err := source.Read(all); err != nil {
		return nil
	}
	return all
}

func jsonText(v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("write the configuration: %w", err)
	}
	return string(text), nil
}
