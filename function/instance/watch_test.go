package instance

import (
	"context"
	"errors"
	"slices"
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

func TestASilentConsumerOfABusyTopicIsAFault(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.start()
		f.broker.Mute(articles)
		for range 100 {
			f.publish(articles, "a")
			f.pass(silence / 100)
		}
		f.pass(watchPeriod - time.Second)
		f.publish(articles, "a")
		f.pass(watchPeriod + retryFirst)
		require.Equal(t, 2, f.broker.Count("subscribe "+articles))
		require.Contains(t, f.seen.snapshot().faults[0], "although the topic moved on")
		f.end()
	})
}

func TestAConsumerThatGoesSilentInABacklogIsReplaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.start()
		f.publish(articles, "a")
		f.broker.Mute(articles)
		f.publish(articles, "b", "c")
		f.pass(silence - time.Second)
		require.Equal(t, 1, f.broker.Count("subscribe "+articles))
		f.pass(2*watchPeriod + retryFirst)
		require.Equal(t, 2, f.broker.Count("subscribe "+articles), "nothing new comes, but the topic goes on after what was given")
		require.Equal(t, 1, f.broker.Count("ack "+articles+" c"))
		f.pass(24 * time.Hour)
		require.Equal(t, 2, f.broker.Count("subscribe "+articles), "who was given the last message is in order")
		f.end()
	})
}

// What is acknowledged, or another instance's, cannot be told from a backlog that stands.
func TestAConsumerThatMayBeBehindIsReplacedEverLessOften(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.broker.Publish(articles, &pulsartest.Message{K: "before the subscription"})
		f.start()
		began := time.Now()
		for n, minutes := range []int{10, 30, 70, 150, 310, 550, 790, 1030} {
			after := time.Duration(minutes) * time.Minute
			f.pass(after - time.Second - time.Since(began))
			require.Equal(t, n+1, f.broker.Count("subscribe "+articles), after)
			f.pass(2 * watchPeriod * time.Duration(n+1))
			require.Equal(t, n+2, f.broker.Count("subscribe "+articles), after)
		}
		require.Empty(t, f.seen.snapshot().faults, "nothing is wrong for all that is known")
		require.NotContains(t, f.log.String(), "the consumer is gone")
		f.publish(articles, "a")
		f.broker.Mute(articles)
		f.publish(articles, "b")
		f.pass(silence + 2*watchPeriod + retryFirst)
		require.Equal(t, 1, f.broker.Count("ack "+articles+" b"), "a consumer that was given something is believed as before")
		f.end()
	})
}

// It is given again each time, and a dead letter that cannot be published yet is one more each time.
func TestWhatIsInHandIsNotFetchedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.worker.handle = func(_ context.Context, d *Delivery) {
			if d.Key == "b" {
				d.Settle(Settlement{Verdict: Ack})
			}
		}
		gone := make(chan struct{})
		f.broker.Script("receive "+articles, pulsartest.Fault{}, pulsartest.Fault{}, pulsartest.Fault{Err: pulsartest.ErrClosed, Block: gone})
		f.start()
		f.publish(articles, "a", "b")
		f.pass(time.Minute)
		close(gone) // the broker gives the first again, and only that
		f.pass(24 * time.Hour)
		require.Equal(t, 2, f.broker.Count("subscribe "+articles))
		require.Len(t, f.worker.deliveries(), 3)
		f.end()
	})
}

// With Key_Shared a topic goes on for one instance while nothing of it is another's.
func TestAnIdleInstanceAmongSeveralIsNoFault(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.c.identity.instances = 2
		f.start()
		f.broker.Mute(articles)
		const rounds = 24 * 60
		for range rounds {
			f.broker.Publish(articles, &pulsartest.Message{K: "another's"})
			f.pass(time.Minute)
			f.broker.Mute(articles)
		}
		require.Empty(t, f.seen.snapshot().faults)
		f.end()
	})
}

// The look falls into the reconnection after which the backlog comes.
func TestAConsumerThatWasJustGivenSomethingIsNotSilent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.start()
		f.publish(articles, "a")
		f.pass(silence + 2*watchPeriod)
		answer := make(chan struct{})
		f.broker.Script("last "+articles, pulsartest.Fault{Block: answer})
		f.pass(watchPeriod)
		f.publish(articles, "b")
		f.broker.Mute(articles)
		f.publish(articles, "c")
		close(answer)
		f.pass(enoughSteps)
		require.Equal(t, 1, f.broker.Count("subscribe "+articles))
		require.Empty(t, f.seen.snapshot().faults)
		f.end()
	})
}

func TestATopicThatCannotBeReachedShowsInTheStatus(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.start()
		f.broker.Script("partitions "+articles, pulsartest.Fault{Err: errBroker})
		f.pass(2 * watchPeriod)
		f.broker.Script("partitions "+articles, slices.Repeat([]pulsartest.Fault{{Err: errBroker}}, 3)...)
		f.pass(watchPeriod)
		require.Empty(t, f.seen.snapshot().conditionHistory, "one failure is no more than a broker's restart")
		f.pass(watchPeriod)
		require.Equal(t, "cannot reach the topic at pulsar://x: broker persistence error; trying again", f.seen.snapshot().conditions[inSource])
		answer := make(chan struct{}) // of the next look-up
		f.broker.Script("partitions "+articles, pulsartest.Fault{Err: errBroker, Block: answer})
		f.pass(2 * watchPeriod)
		clientLogger(f.c.log, &f.c.reason).WithError(errors.New("token\nexpired")).Error("Failed to authenticate.")
		close(answer)
		synctest.Wait()
		require.Equal(t, "cannot reach the topic at pulsar://x: broker persistence error: Failed to authenticate: token: expired; trying again",
			f.seen.snapshot().conditions[inSource])
		f.pass(watchPeriod)
		require.Empty(t, f.seen.snapshot().conditions)
		require.Equal(t, 1, f.broker.Count("subscribe "+articles), "the client connects its consumer again by itself")
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
