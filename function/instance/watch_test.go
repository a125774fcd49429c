package instance

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/instance/pulsartest"
)

func TestNewPartitionsAreConsumed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.broker.Partitions(articles, 2)
		f.start()
		f.pass(time.Hour)
		require.Equal(t, 1, f.broker.Count("subscribe "+articles))
		f.broker.Script("partitions "+articles, pulsartest.Fault{Err: pulsartest.ErrClosed})
		f.broker.Partitions(articles, 3)
		f.pass(watchPeriod + retryFirst)
		require.Equal(t, 1, f.broker.Count("subscribe "+articles), "who cannot tell says nothing")
		f.pass(watchPeriod + retryFirst)
		require.Equal(t, 1, f.broker.Count("close "+articles))
		require.Equal(t, 2, f.broker.Count("subscribe "+articles))
		require.Contains(t, f.seen.snapshot().faults[0], "the topic has 3 partitions now, and had 2")
		f.publish(articles, "a")
		require.Equal(t, 1, f.broker.Count("ack "+articles+" a"))
		f.pass(time.Hour)
		require.Equal(t, 2, f.broker.Count("subscribe "+articles))
		f.end()
	})
}

func TestASilentConsumerIsReplaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.start()
		f.publish(articles, "a")
		f.broker.Mute(articles)
		f.pass(3 * time.Hour)
		require.Equal(t, 1, f.broker.Count("subscribe "+articles), "a topic in which nothing happens is rightly quiet")
		f.broker.Publish(articles, &pulsartest.Message{K: "b"})
		f.pass(watchPeriod + retryFirst)
		require.Equal(t, 2, f.broker.Count("subscribe "+articles))
		require.Equal(t, 1, f.broker.Count("ack "+articles+" b"))
		require.Contains(t, f.seen.snapshot().faults[0], "although the topic moved on")
		f.end()
	})
}

func TestAConsumerIsNotSilentWhileAMessageIsWorkedOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var i idle
		require.Zero(t, i.span())
		i.begin()
		<-time.After(time.Minute)
		require.Equal(t, time.Minute, i.span())
		i.end()
		<-time.After(time.Hour)
		require.Zero(t, i.span(), "back-pressure is not silence")
	})
}
