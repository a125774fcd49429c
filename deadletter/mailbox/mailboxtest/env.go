// Package mailboxtest checks a mailbox against a broker: the double in unit tests, a real one in the end-to-end tests. What the broker
// lets an operator's program do (acknowledge by id, look at acknowledged ranges, tell the chunks of a message) is nowhere promised.
package mailboxtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deadletter"
	"github.com/rowvec/rowvec/deadletter/mailbox"
	"github.com/rowvec/rowvec/function/admin"
)

// Broker is what is checked.
type Broker struct {
	Client    pulsar.Client
	Admin     mailbox.Asker
	Prefix    string                        // of the names of topics that nobody else uses
	Partition func(topic string, n int)     // makes a partitioned topic
	Delete    func(topic string)            // by force
	Left      func(topic, sub string) int64 // entries that are not acknowledged
}

const (
	subscription = "shop"
	patience     = 30 * time.Second
)

// env is a broker, and a dead-letter topic and its source topic of a test's own.
type env struct {
	*testing.T
	Broker
	letters, source string
	box             *mailbox.Mailbox
}

func newEnv(t *testing.T, b Broker, name string) *env {
	t.Helper()
	base := "persistent://public/default/" + b.Prefix + name
	e := &env{T: t, Broker: b, letters: base + "-dlq", source: base + "-source"}
	box, err := mailbox.New(mailbox.Config{Topic: e.letters, Subscription: subscription, Client: b.Client, Admin: b.Admin})
	require.NoError(t, err)
	t.Cleanup(box.Close)
	e.box = box
	return e
}

// subscribeAs attaches as the function does, by key, or as an operator, to the letters.
func (e *env) subscribeAs(topic, name string, kind pulsar.SubscriptionType) pulsar.Consumer {
	e.Helper()
	c, err := e.Client.Subscribe(pulsar.ConsumerOptions{
		Topic: topic, SubscriptionName: name, Type: kind, SubscriptionInitialPosition: pulsar.SubscriptionPositionEarliest,
	})
	require.NoError(e, err)
	return c
}

// keep makes the durable subscriptions, as the function does.
func (e *env) keep() {
	e.Helper()
	e.subscribe(e.letters, deadletter.Subscription).Close()
	e.subscribe(e.source, subscription).Close()
}

func (e *env) subscribe(topic, name string) pulsar.Consumer {
	e.Helper()
	return e.subscribeAs(topic, name, pulsar.Shared)
}

// letter is what the function publishes, with a reason; more are further properties.
func (e *env) letter(key, reason string, more ...string) *pulsar.ProducerMessage {
	properties := map[string]string{
		"own": "kept", deadletter.PropReason: reason, deadletter.PropSourceTopic: e.source, deadletter.PropTable: "app.articles",
		deadletter.PropRow: key, deadletter.PropMessageID: "1:2:0:-1", deadletter.PropTime: deadletter.Timestamp(time.Now()),
	}
	for i := 0; i+1 < len(more); i += 2 {
		properties[more[i]] = more[i+1]
	}
	return &pulsar.ProducerMessage{
		Key: key, OrderingKey: "order " + key, Payload: []byte("body of " + key), EventTime: time.UnixMilli(1700000000123), Properties: properties,
	}
}

// publish publishes letters as the function does: each by itself.
func (e *env) publish(letters ...*pulsar.ProducerMessage) {
	e.Helper()
	p, err := e.Client.CreateProducer(pulsar.ProducerOptions{
		Topic: e.letters, DisableBatching: true, EnableChunking: true, CompressionType: pulsar.LZ4,
		MessageRouter: func(m *pulsar.ProducerMessage, _ pulsar.TopicMetadata) int { return int(m.Key[0]) % 2 },
	})
	require.NoError(e, err)
	defer p.Close()
	for _, m := range letters {
		_, err := p.Send(e.Context(), m)
		require.NoError(e, err)
	}
}

func (e *env) survey() *mailbox.Survey {
	e.Helper()
	s, err := e.box.Survey(e.Context())
	require.NoError(e, err)
	return s
}

// keys are those of the letters that stand in the topic.
func (e *env) keys() []string {
	e.Helper()
	keys := []string{}
	require.NoError(e, e.survey().Read(e.Context(), nil, func(l *mailbox.Letter) error {
		keys = append(keys, l.Key)
		return nil
	}))
	return keys
}

// arrived takes the next n messages of the source topic, by key, as the function does.
func (e *env) arrived(topic string, n int) map[string]pulsar.Message {
	e.Helper()
	c := e.subscribeAs(topic, subscription, pulsar.KeyShared)
	defer c.Close()
	ctx, cancel := context.WithTimeout(e.Context(), patience)
	defer cancel()
	got := map[string]pulsar.Message{}
	for range n {
		m, err := c.Receive(ctx)
		require.NoError(e, err, "%d came: %v", len(got), got)
		require.NoError(e, c.Ack(m))
		got[m.Key()] = m
	}
	return got
}

// left waits until so many entries of the letters are not acknowledged.
func (e *env) left(topic string, want int64) {
	e.Helper()
	require.Eventually(e, func() bool { return e.Left(topic, deadletter.Subscription) == want }, patience, 20*time.Millisecond)
}

// noise is a payload that does not compress.
func noise(bytesWanted int) []byte {
	out := make([]byte, bytesWanted)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(out)
	return out
}

// same tells whether a message is the letter, sent again.
func (e *env) same(want *pulsar.ProducerMessage, got pulsar.Message) {
	e.Helper()
	require.NotNil(e, got, want.Key)
	require.True(e, bytes.Equal(want.Payload, got.Payload()), "payload of %s", want.Key)
	require.Equal(e, want.OrderingKey, got.OrderingKey())
	require.Equal(e, want.EventTime.UnixMilli(), got.EventTime().UnixMilli())
	require.True(e, maps.Equal(want.Properties, got.Properties()), "%v, not %v", got.Properties(), want.Properties)
}

// missing tells whether the broker has no such topic.
func (e *env) missing(topic string) bool {
	e.Helper()
	err := e.Admin.Read(e.Context(), new(any), "admin", "v2", "persistent", "public", "default", topic[len("persistent://public/default/"):], "stats")
	var status *admin.StatusError
	if errors.As(err, &status) && status.Missing() {
		return true
	}
	require.NoError(e, err)
	return false
}

func partition(topic string, n int) string { return fmt.Sprint(topic, "-partition-", strconv.Itoa(n)) }
