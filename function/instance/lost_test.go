package instance

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/instance/pulsartest"
)

// The client gives a consumer up without a word when its topic is not found, and does not come back to it.
func TestAConsumerThatCannotSayWhereItsTopicEndsIsReplaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.broker.Script("last "+articles, pulsartest.Fault{Err: errBroker}, pulsartest.Fault{})
		f.broker.Script("last "+articles, slices.Repeat([]pulsartest.Fault{{Err: errBroker}}, 2)...)
		f.start()
		f.pass(silence + 2*watchPeriod)
		require.Equal(t, 3, f.broker.Count("fault last"))
		require.Equal(t, 1, f.broker.Count("subscribe "+articles), "one failure is no more than a broker's restart")
		f.pass(watchPeriod + retryFirst)
		require.Equal(t, 1, f.broker.Count("close "+articles))
		require.Equal(t, 2, f.broker.Count("subscribe "+articles))
		require.Contains(t, f.seen.snapshot().faults[0], "cannot say where its topic ends: broker persistence error")
		f.publish(articles, "a")
		require.Equal(t, 1, f.broker.Count("ack "+articles+" a"))
		f.pass(24 * time.Hour)
		require.Equal(t, 2, f.broker.Count("subscribe "+articles))
		f.end()
	})
}

func TestAConsumerIsNotGivenUpWhileItsTopicCannotBeLookedUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.start()
		f.pass(silence - time.Second)
		f.broker.Script("last "+articles, slices.Repeat([]pulsartest.Fault{{Err: errBroker}}, 2)...)
		f.broker.Script("partitions "+articles, pulsartest.Fault{}, pulsartest.Fault{Err: errBroker})
		f.pass(time.Hour)
		require.Equal(t, 2, f.broker.Count("fault last"))
		require.Equal(t, 1, f.broker.Count("subscribe "+articles))
		f.end()
	})
}

func TestAConsumerThatDoesNotAnswerIsReplaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		never := make(chan struct{})
		f.broker.Script("last "+articles, pulsartest.Fault{Block: never})
		f.start()
		f.pass(silence + endTimeout - time.Nanosecond)
		require.Equal(t, 1, f.broker.Count("subscribe "+articles))
		f.pass(time.Nanosecond + retryFirst)
		require.Equal(t, 2, f.broker.Count("subscribe "+articles))
		require.Contains(t, f.seen.snapshot().faults[0], "no answer in 30s")
		close(never)
		f.end()
	})
}

// What the consumer before it was given is no proof: what was not acknowledged comes again.
func TestAConsumerThatIsSilentFromItsStartIsReplaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.worker.handle = func(_ context.Context, d *Delivery) { d.Settle(Settlement{Verdict: Abandon}) }
		begin := make(chan struct{})
		f.broker.Script("receive "+articles, pulsartest.Fault{}, pulsartest.Fault{Err: pulsartest.ErrClosed}, pulsartest.Fault{Block: begin})
		f.start()
		f.publish(articles, "a")
		f.pass(retryFirst)
		f.broker.Mute(articles)
		close(begin)
		f.pass(silence)
		require.Equal(t, 2, f.broker.Count("subscribe "+articles))
		require.Len(t, f.worker.deliveries(), 1)
		f.pass(2*watchPeriod + retryMost)
		require.Equal(t, 3, f.broker.Count("subscribe "+articles))
		require.Len(t, f.worker.deliveries(), 2)
		f.end()
	})
}
