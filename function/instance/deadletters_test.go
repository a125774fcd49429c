package instance

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deadletter"
	"github.com/rowvec/rowvec/function/instance/pulsartest"
)

var errBroker = errors.New("broker persistence error")

// dlqLog are the events that concern the dead letters of the articles.
func dlqLog(f *fixture) []string {
	return slices.DeleteFunc(f.broker.Log(), func(line string) bool {
		return !strings.Contains(line, deadTopic) && !strings.HasPrefix(line, "ack ")
	})
}

func TestADeadLetterFindsItsSubscriptionAndIsConfirmedBeforeTheAcknowledgement(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.worker.handle = settleAs(poison("malformed"))
		f.start()
		require.Empty(t, dlqLog(f), "without a dead letter there is no topic")
		confirm := make(chan struct{})
		f.broker.Script("send "+deadTopic, pulsartest.Fault{Block: confirm})
		f.publish(articles, "k")
		require.Equal(t, []string{
			"subscribe " + deadTopic + " rowvec-dlq",
			"close " + deadTopic + " rowvec-dlq",
			"producer " + deadTopic,
			"fault send " + deadTopic,
		}, dlqLog(f))
		require.Empty(t, f.seen.snapshot().rejections)
		f.pass(time.Second)
		close(confirm)
		synctest.Wait()
		require.Equal(t, []string{"publish " + deadTopic + " k", "ack " + articles + " k"}, dlqLog(f)[4:])
		require.Equal(t, []string{"rowvec-dlq"}, f.broker.Subscriptions(deadTopic))

		stored := f.broker.Stored(deadTopic)
		require.Len(t, stored, 1)
		require.Equal(t, []byte("body of k"), stored[0].Body)
		require.Equal(t, "malformed", stored[0].Props[deadletter.PropReason])
		got := f.seen.snapshot()
		require.Equal(t, []string{"app.articles row 7 dead-lettered: malformed: cannot be read"}, got.rejections)
		require.Equal(t, got.taken, got.acked+len(got.rejections))

		f.publish(articles, "l")
		require.Equal(t, 1, f.broker.Count("producer"), "the producer is used again")
		f.end()
		require.Equal(t, 1, f.broker.Count("close producer "+deadTopic))
	})
}

func TestDeadLettersWaitUntilTheTopicTakesThem(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"subscribe ", "producer ", "send "} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				f.worker.handle = settleAs(poison("malformed"))
				f.broker.Script(operation+deadTopic, slices.Repeat([]pulsartest.Fault{{Err: errBroker}}, 3)...)
				f.start()
				f.publish(articles, "k")
				require.Zero(t, f.broker.Count("ack"))
				condition := f.seen.snapshot().conditions[deadLetterSource]
				require.Contains(t, condition, deadTopic)
				require.Contains(t, condition, "broker persistence error")
				require.Contains(t, condition, "userConfig.deadLetterTopic")
				f.pass(500 * time.Millisecond)
				require.Zero(t, f.broker.Count("ack"), "the second attempt failed, the third is due after 0.48 to 0.6 s")
				f.pass(enoughSteps)
				require.Equal(t, []string{"k"}, f.published(deadTopic))
				require.Equal(t, 1, f.broker.Count("ack "+articles))
				got := f.seen.snapshot()
				require.Empty(t, got.conditions)
				require.Len(t, got.faults, 3)
				require.Contains(t, got.faults[0], "sink: publish to the dead-letter topic")
				f.end()
			})
		})
	}
}

// The client waits without end for a producer that the broker has queued.
func TestAProducerThatIsNotMadeShowsInTheStatus(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.worker.handle = settleAs(poison("malformed"))
		answer := make(chan struct{})
		f.broker.Script("producer "+deadTopic, pulsartest.Fault{Block: answer})
		f.start()
		f.publish(articles, "k")
		f.pass(slowProducer - time.Millisecond)
		require.Empty(t, f.seen.snapshot().conditions)
		f.pass(time.Millisecond)
		require.Contains(t, f.seen.snapshot().conditions[deadLetterSource], "no answer to the producer for "+deadTopic)
		f.pass(time.Hour)
		require.Zero(t, f.broker.Count("producer "), "one call waits, however long it takes")
		close(answer)
		synctest.Wait()
		require.Empty(t, f.seen.snapshot().conditions)
		require.Equal(t, []string{"k"}, f.published(deadTopic))
		f.end()
	})
}

func TestOnlyTheLettersThatFailedAreSentAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.worker.handle = settleAs(poison("malformed"))
		hold := make(chan struct{})
		f.broker.Script("subscribe "+deadTopic, pulsartest.Fault{Block: hold})
		f.broker.Script("send "+deadTopic, pulsartest.Fault{}, pulsartest.Fault{Err: errBroker}, pulsartest.Fault{})
		f.start()
		f.publish(articles, "a") // a round by itself, which is held up so that the others make one
		f.publish(articles, "b", "c", "d")
		close(hold)
		f.pass(enoughSteps)
		require.ElementsMatch(t, []string{"a", "b", "c", "d"}, f.published(deadTopic))
		require.Equal(t, 4, f.broker.Count("ack "+articles))
		require.Equal(t, 3, f.broker.Count("subscribe "+deadTopic), "made sure of for each round, and again after the failure")
		require.Len(t, f.seen.snapshot().rejections, 4)
		f.end()
	})
}

func TestDeadLettersKeepTheirOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.worker.handle = settleAs(poison("malformed"))
		f.start()
		var keys []string
		for n := range 3 * lettersPerRound {
			keys = append(keys, strconv.Itoa(n))
		}
		f.publish(articles, keys...)
		require.Equal(t, keys, f.published(deadTopic))
		require.Less(t, strings.Count(f.log.String(), "msg=dead-lettered"), 30, "a flood is not logged line by line")
		f.end()
	})
}

func TestWaitingDeadLettersHoldBackTheirOwnInputAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, Input{Topic: articles}, Input{Topic: products})
		f.worker.handle = func(_ context.Context, d *Delivery) {
			if d.Topic == articles {
				d.Settle(poison("malformed"))
				return
			}
			d.Settle(Settlement{Verdict: Ack})
		}
		unreachable := make(chan struct{})
		f.broker.Script("producer "+deadTopic, pulsartest.Fault{Block: unreachable})
		f.start()
		for n := range 2 * gateLetters {
			f.broker.Publish(articles, &pulsartest.Message{K: strconv.Itoa(n)})
		}
		synctest.Wait()
		require.Len(t, f.worker.deliveries(), gateLetters)
		f.publish(products, "p")
		require.Equal(t, 1, f.broker.Count("ack "+products+" p"))
		close(unreachable)
		synctest.Wait()
		require.Len(t, f.published(deadTopic), 2*gateLetters)
		require.Equal(t, 2*gateLetters, f.broker.Count("ack "+articles))
		f.end()
	})
}

func TestAStopLeavesUnconfirmedDeadLettersUnacknowledged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.worker.handle = settleAs(poison("malformed"))
		never := make(chan struct{})
		f.broker.Script("send "+deadTopic, pulsartest.Fault{Block: never, Err: errBroker})
		f.start()
		f.publish(articles, "k")
		require.Equal(t, letterGrace, f.end(), "what the broker does not confirm in this time is left")
		require.Zero(t, f.broker.Count("ack"))
		require.Empty(t, f.seen.snapshot().rejections)
		require.Contains(t, f.log.String(), "dead_letters_left=1")
		require.Contains(t, f.log.String(), "left_unacknowledged=1")
		close(never)
	})
}

func TestAStopWaitsForDeadLettersUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.worker.handle = settleAs(poison("malformed"))
		confirm := make(chan struct{})
		f.broker.Script("send "+deadTopic, pulsartest.Fault{Block: confirm})
		f.start()
		f.publish(articles, "k")
		time.AfterFunc(letterGrace/2, func() { close(confirm) })
		require.Equal(t, letterGrace/2, f.end())
		require.Equal(t, 1, f.broker.Count("ack "+articles+" k"))
		require.Len(t, f.seen.snapshot().rejections, 1)
		require.Contains(t, f.log.String(), "left_unacknowledged=0")
	})
}
