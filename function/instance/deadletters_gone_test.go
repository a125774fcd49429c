package instance

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deadletter"
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
