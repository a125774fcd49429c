package instance

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/instance/pulsartest"
)

func TestDeliveryTellsWhatTheMessageSays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t).start()
		event := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		f.broker.Publish(articles, &pulsartest.Message{
			K: "eyJpZCI6MX0=", Body: []byte("b"), Props: map[string]string{"a": "1"}, Event: event, Redelivered: 2, Schema: []byte("version"),
		})
		f.publish(articles, "plain")
		seen := f.worker.deliveries()
		require.Len(t, seen, 2)
		d := seen[0]
		require.Equal(t, articles, d.Topic)
		require.False(t, d.Pattern)
		require.Equal(t, "eyJpZCI6MX0=", d.Key)
		require.Equal(t, []byte("b"), d.Payload)
		require.Equal(t, map[string]string{"a": "1"}, d.Properties)
		require.Equal(t, "7:0:-1:-1", d.ID)
		require.Equal(t, event, d.EventTime)
		require.Equal(t, 2, d.Redelivered)
		require.Equal(t, []byte("version"), d.SchemaVersion)
		require.Empty(t, seen[1].SchemaVersion)
		require.Equal(t, time.Now(), d.Received)
		require.Equal(t, time.Now(), d.PublishTime)
		require.Zero(t, seen[1].EventTime, "the client shows 1970 for unset")
		f.end()
	})
}

func TestTheFirstSettlementCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.worker.handle = func(context.Context, *Delivery) {}
		f.start()
		f.publish(articles, "k")
		d := f.worker.deliveries()[0]
		f.pass(3 * time.Second)
		d.Settle(Settlement{Verdict: Ack})
		d.Settle(poison("again"))
		d.Settle(Settlement{Verdict: Ack})
		synctest.Wait()
		require.Equal(t, 1, f.broker.Count("ack "+articles))
		require.Zero(t, f.broker.Count("double ack"))
		require.Zero(t, f.broker.Count("producer"))
		got := f.seen.snapshot()
		require.Equal(t, 1, got.taken)
		require.Equal(t, []time.Duration{3 * time.Second}, got.latencies)
		f.end()
	})
}

func TestWhatIsNotAcknowledgedComesAgain(t *testing.T) {
	t.Parallel()
	for name, settlement := range map[string]Settlement{"abandon": {Verdict: Abandon}, "no verdict": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				f.worker.handle = settleAs(settlement)
				f.start()
				f.publish(articles, "k")
				f.end()
				require.Zero(t, f.broker.Count("ack"))
				require.Zero(t, f.broker.Count("nack"), "a nack would make the broker redeliver other messages too")
				got := f.seen.snapshot()
				require.Equal(t, 1, got.taken)
				require.Zero(t, got.acked)
				require.Empty(t, got.rejections)
				require.Contains(t, f.log.String(), "left_unacknowledged=1")

				again := newFixture(t)
				again.c.settings.NewClient = f.broker.Client
				again.start()
				require.Len(t, again.worker.deliveries(), 1)
				require.Equal(t, 1, again.worker.deliveries()[0].Redelivered)
				again.end()
			})
		})
	}
}

func TestSettleDoesNotWaitForABlockedAcknowledgement(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		reconnected := make(chan struct{})
		f.broker.Script("ack "+articles, pulsartest.Fault{Block: reconnected})
		f.start()
		f.publish(articles, "a", "b", "c")
		require.Len(t, f.worker.deliveries(), 3, "the input goes on")
		require.Zero(t, f.broker.Count("ack"))
		close(reconnected)
		synctest.Wait()
		require.Equal(t, 3, f.broker.Count("ack"))
		f.end()
	})
}

func TestAFailedAcknowledgementIsSaidOnceAndHarmless(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		closed := pulsartest.Fault{Err: errors.New("consumer state is closed")}
		f.broker.Script("ack "+articles, closed, closed)
		f.start()
		f.publish(articles, "a", "b", "c")
		require.Equal(t, 1, f.broker.Count("ack "+articles+" c"))
		require.Equal(t, 1, strings.Count(f.log.String(), "acknowledgement failed"))
		f.end()
	})
}

func TestASettlementAfterTheEndIsIgnored(t *testing.T) {
	t.Parallel()
	for _, verdict := range []Verdict{Ack, DeadLetter} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			f.worker.handle = func(context.Context, *Delivery) {}
			f.start()
			f.publish(articles, "k")
			f.end()
			f.worker.deliveries()[0].Settle(Settlement{Verdict: verdict})
			synctest.Wait()
			require.Zero(t, f.broker.Count("ack"))
			require.Zero(t, f.broker.Count("late ack"))
			require.Zero(t, f.seen.snapshot().acked)
			require.EqualValues(t, 1, f.c.settler.open.Load())
		})
	}
}

func TestWithoutPartition(t *testing.T) {
	t.Parallel()
	for topic, want := range map[string]string{
		articles + "-partition-0":             articles,
		articles + "-partition-12":            articles,
		articles:                              articles,
		articles + "-partition-":              articles + "-partition-",
		articles + "-partition-x":             articles + "-partition-x",
		articles + "-partition-1-dlq":         articles + "-partition-1-dlq",
		articles + "-partition-1-partition-2": articles + "-partition-1",
		"":                                    "",
	} {
		require.Equal(t, want, withoutPartition(topic), topic)
	}
}

func TestMessageID(t *testing.T) {
	t.Parallel()
	require.Equal(t, "5:6:2:9", messageID(pulsar.NewMessageID(5, 6, 9, 2)))
}
