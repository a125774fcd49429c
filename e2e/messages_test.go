//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	pulsarlog "github.com/apache/pulsar-client-go/pulsar/log"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/deadletter"
)

// newClient is a Pulsar client as an operator's own program has one.
func newClient(t *testing.T) pulsar.Client {
	t.Helper()
	client, err := pulsar.NewClient(pulsar.ClientOptions{URL: world.env.PulsarURL, Logger: pulsarlog.NewLoggerWithSlog(slog.New(slog.DiscardHandler))})
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

// keep makes a subscription of the test's own on the function's topic, so that what comes through it can be read again later.
func (d *deployment) keep(t *testing.T, client pulsar.Client) pulsar.Consumer {
	t.Helper()
	consumer, err := client.Subscribe(pulsar.ConsumerOptions{
		Topic: "persistent://" + d.topic(), SubscriptionName: "kept", SubscriptionInitialPosition: pulsar.SubscriptionPositionEarliest,
	})
	require.NoError(t, err)
	t.Cleanup(consumer.Close)
	return consumer
}

// receive takes the next n messages.
func receive(t *testing.T, consumer pulsar.Consumer, n int) []pulsar.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	messages := make([]pulsar.Message, n)
	for i := range messages {
		var err error
		messages[i], err = consumer.Receive(ctx)
		require.NoError(t, err, "%d messages so far, not %d", i, n)
	}
	return messages
}

// sendAgain publishes messages to the function's topic once more, as the README says that letters are sent again: payload, keys,
// properties and event time.
func (d *deployment) sendAgain(t *testing.T, client pulsar.Client, messages ...pulsar.Message) {
	t.Helper()
	producer, err := client.CreateProducer(pulsar.ProducerOptions{Topic: "persistent://" + d.topic(), DisableBatching: true})
	require.NoError(t, err)
	defer producer.Close()
	for _, m := range messages {
		_, err := producer.Send(t.Context(), &pulsar.ProducerMessage{
			Payload: m.Payload(), Key: m.Key(), OrderingKey: m.OrderingKey(), Properties: m.Properties(), EventTime: m.EventTime(),
		})
		require.NoError(t, err)
	}
}

// letters takes the next n dead letters from the durable subscription that the function made. They are not acknowledged: they come again
// to the next who asks.
func (d *deployment) letters(t *testing.T, client pulsar.Client, n int) []pulsar.Message {
	t.Helper()
	eventually(t, time.Minute, func(ctx context.Context) error {
		have, err := d.deadLetters(ctx)
		if err == nil && have < int64(n) {
			err = fmt.Errorf("%d dead letters, not %d", have, n)
		}
		return err
	})
	consumer, err := client.Subscribe(pulsar.ConsumerOptions{
		Topic: "persistent://public/default/" + d.name + "-dlq", SubscriptionName: deadletter.Subscription, Type: pulsar.Shared,
	})
	require.NoError(t, err)
	defer consumer.Close()
	return receive(t, consumer, n)
}

// outcomes counts the records that the function's instances have settled since they started.
func (d *deployment) outcomes(ctx context.Context) (map[string]int, error) {
	s, err := world.pulsar.FunctionStats(ctx, d.name)
	if err != nil {
		return nil, err
	}
	counts := make(map[string]int)
	for _, i := range s.Instances {
		for series, v := range i.Metrics.UserMetrics {
			if labels, ok := strings.CutPrefix(series, "rowvec_records_total{outcome="); ok && v > 0 {
				outcome, _, _ := strings.Cut(labels, ",")
				counts[outcome] += int(v)
			}
		}
	}
	return counts, nil
}

// settles waits until the function's instances have settled this many records since they started, and says what became of them.
func (d *deployment) settles(t *testing.T, records int) map[string]int {
	t.Helper()
	var counts map[string]int
	eventually(t, time.Minute, func(ctx context.Context) (err error) {
		if counts, err = d.outcomes(ctx); err == nil && total(counts) != records {
			err = fmt.Errorf("%d records are settled, not %d: %v", total(counts), records, counts)
		}
		return err
	})
	return counts
}

// settlesAll is settles for many messages that two instances read: a broker gives them some of a backlog twice (DESIGN.md, section 10). It waits until none is
// left, so that one that came twice does not stand for another.
func (d *deployment) settlesAll(t *testing.T, records int) map[string]int {
	t.Helper()
	var counts map[string]int
	eventually(t, time.Minute, func(ctx context.Context) error {
		s, err := world.pulsar.TopicStats(ctx, d.topic())
		if err != nil {
			return err
		}
		left := s.Subscriptions[d.name].Backlog
		if counts, err = d.outcomes(ctx); err == nil && (left > 0 || total(counts) < records) {
			err = fmt.Errorf("%d records are settled, of %d and what comes again, and %d are left: %v", total(counts), records, left, counts)
		}
		return err
	})
	return counts
}

func total(counts map[string]int) (sum int) {
	for n := range maps.Values(counts) {
		sum += n
	}
	return sum
}

// startsAnew waits until other processes run the function than before: they have been given nothing yet.
func (d *deployment) startsAnew(t *testing.T, instances int) {
	t.Helper()
	eventually(t, time.Minute, func(ctx context.Context) error {
		s, err := world.pulsar.FunctionStatus(ctx, d.name)
		if err == nil && s.Running != instances {
			err = fmt.Errorf("%d instances run, not %d", s.Running, instances)
		}
		for i := 0; err == nil && i < instances; i++ {
			if n := s.Instances[i].Status.Received; n != 0 {
				err = fmt.Errorf("instance %d has received %d messages: it is the one from before", i, n)
			}
		}
		return err
	})
	d.subscribed(t, instances)
}

// contents is everything that a collection and its tombstones hold, down to rowvec's own marks.
func contents(t *testing.T, collection string) map[string]chroma.Match {
	t.Helper()
	all, err := records(t.Context(), collection)
	require.NoError(t, err)
	tombstones, err := records(t.Context(), collection+"--tombstones")
	require.NoError(t, err)
	for id, m := range tombstones {
		all["tombstone of "+id] = m
	}
	return all
}
