package instance

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deadletter"
	"github.com/rowvec/rowvec/function/instance/pulsartest"
)

// The broker confirms what it discards for want of a subscription, so one that was deleted has to be there again before the next letter.
func TestASubscriptionThatWasDeletedIsMadeAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.worker.handle = settleAs(poison("malformed"))
		f.start()
		f.publish(articles, "a")
		f.broker.Unsubscribe(deadTopic, deadletter.Subscription)
		f.publish(articles, "b")
		require.Equal(t, []string{"a", "b"}, f.broker.Left(deadTopic, deadletter.Subscription), "what the topic still had comes back, too")
		require.Equal(t, 1, f.broker.Count("producer "+deadTopic))
		require.Equal(t, 2, f.broker.Count("ack "+articles))
		f.end()
	})
}

func TestALetterForATopicThatWasDeletedWaitsUntilItIsMadeAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.worker.handle = settleAs(poison("malformed"))
		f.start()
		f.publish(articles, "a")
		f.broker.DeleteTopic(deadTopic)
		f.publish(articles, "b")
		require.Equal(t, 1, f.broker.Count("ack "+articles), "the producer is closed: not confirmed, not acknowledged")
		require.Contains(t, f.seen.snapshot().conditions[deadLetterSource], deadTopic)
		f.pass(enoughSteps)
		require.Equal(t, []string{"b"}, f.broker.Left(deadTopic, deadletter.Subscription))
		require.Equal(t, 2, f.broker.Count("ack "+articles))
		require.Empty(t, f.seen.snapshot().conditions)
		f.end()
	})
}

// The client confirms a letter by its last chunk, whatever became of the first ones.
func TestALetterInChunksIsStoredWholeHoweverLongItTakes(t *testing.T) {
	t.Parallel()
	for _, took := range []time.Duration{sendTimeout, sendTimeout + answerGrace + time.Second} {
		t.Run(took.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				f.worker.handle = settleAs(poison("malformed"))
				f.start()
				connected := make(chan struct{})
				f.broker.Script("send "+deadTopic, pulsartest.Fault{Block: connected})
				body := bytes.Repeat([]byte("x"), 6<<20)
				f.broker.Publish(articles, &pulsartest.Message{K: "a", Body: body})
				f.pass(took)
				close(connected)
				f.pass(enoughSteps)
				require.NotEmpty(t, f.broker.Stored(deadTopic))
				for _, letter := range f.broker.Stored(deadTopic) {
					require.Len(t, letter.Body, len(body))
				}
				require.Equal(t, 1, f.broker.Count("ack "+articles+" a"))
				require.Empty(t, f.seen.snapshot().conditions)
				f.end()
			})
		})
	}
}
