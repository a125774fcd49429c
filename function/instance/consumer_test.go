package instance

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/instance/pulsartest"
)

func TestConsumerOptionsSayEverythingThatMatters(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]pulsar.SubscriptionType{
		"key_shared": pulsar.KeyShared, "failover": pulsar.Failover, "shared": pulsar.Shared, "exclusive": pulsar.Exclusive,
	} {
		f := newFixture(t)
		f.c.client, _ = f.broker.Client(pulsar.ClientOptions{})
		f.c.settings.SubscriptionType = name
		in := Input{Topic: articles, ReceiverQueueSize: 7, ConsumerProperties: map[string]string{"team": "search", "id": "theirs"}}
		o, partitions, err := newFeed(in, f.c).options()
		require.NoError(t, err)
		require.Equal(t, 1, partitions)
		require.NotNil(t, o.BackOffPolicyFunc)
		o.BackOffPolicyFunc = nil
		require.Zero(t, cap(o.MessageChannel), "the client's own would hold ten messages more")
		require.NotNil(t, o.MessageChannel)
		o.MessageChannel = nil
		require.Equal(t, pulsar.ConsumerOptions{
			Topic:                       articles,
			SubscriptionName:            subName,
			Type:                        kind,
			SubscriptionInitialPosition: pulsar.SubscriptionPositionEarliest,
			Name:                        "shop-3",
			ReceiverQueueSize:           7,
			AutoDiscoveryPeriod:         noDiscovery,
			AckGroupingOptions:          &pulsar.AckGroupingOptions{MaxSize: 1000, MaxTime: 100 * time.Millisecond},
			Properties: map[string]string{
				"application": "pulsar-function", "id": "public/default/shop", "instance_id": "3", "instance_hostname": "here", "team": "search",
			},
		}, o)
		require.Len(t, in.ConsumerProperties, 2, "the configuration is left alone")
	}
}

func TestSubscribeTriesAgainAndSaysWhy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, Input{Topic: articles}, Input{Topic: products})
		for range 20 {
			f.broker.Script("subscribe "+articles, pulsartest.Fault{Err: errBroker})
		}
		f.start()
		require.Equal(t, map[string]string{inSource: "cannot subscribe at pulsar://x: broker persistence error; trying again"}, f.seen.snapshot().conditions)
		f.publish(products, "p")
		require.Equal(t, 1, f.broker.Count("ack "+products), "the other input works")
		f.pass(12 * retryMost)
		require.Equal(t, 1, f.broker.Count("subscribe "+products))
		require.Zero(t, f.broker.Count("subscribe "+articles))
		f.pass(5 * retryMost)
		require.Equal(t, 1, f.broker.Count("subscribe "+articles))
		got := f.seen.snapshot()
		require.Empty(t, got.conditions)
		require.Len(t, got.faults, 20)
		require.Equal(t, "source: subscribe to "+articles+": broker persistence error", got.faults[0])
		f.end()
	})
}

func TestASlowSubscribeShowsInTheStatus(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		answer := make(chan struct{})
		f.broker.Script("subscribe "+articles, pulsartest.Fault{Block: answer})
		f.start()
		f.pass(slowSubscribe - time.Millisecond)
		require.Empty(t, f.seen.snapshot().conditions)
		f.pass(time.Millisecond)
		require.Equal(t, map[string]string{inSource: "not subscribed yet at pulsar://x"}, f.seen.snapshot().conditions)
		close(answer)
		synctest.Wait()
		require.Empty(t, f.seen.snapshot().conditions)
		f.end()
	})
}

func TestAConsumerThatIsGoneIsReplaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.broker.Script("receive "+articles, pulsartest.Fault{}, pulsartest.Fault{Err: pulsartest.ErrClosed})
		f.start()
		f.publish(articles, "a")
		require.Equal(t, 1, f.broker.Count("close "+articles))
		require.Equal(t, 1, f.broker.Count("subscribe "+articles))
		f.pass(retryFirst)
		require.Equal(t, 2, f.broker.Count("subscribe "+articles))
		f.publish(articles, "b")
		require.Equal(t, 1, f.broker.Count("ack "+articles+" b"))
		require.Equal(t, []string{"source: consumer of " + articles + ": closed"}, f.seen.snapshot().faults)
		f.end()
	})
}

func TestAConsumerThatIsGoneAtOnceIsNotReplacedInATightLoop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		for range 1000 {
			f.broker.Script("receive "+articles, pulsartest.Fault{Err: pulsartest.ErrClosed})
		}
		f.start()
		f.pass(time.Minute)
		n := f.broker.Count("subscribe " + articles)
		require.Greater(t, n, 10)
		require.Less(t, n, 25)
		f.end()
	})
}

func TestAPatternBringsTablesAndIgnoresInternalTopics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, Input{Topic: "persistent://public/default/.*", Pattern: true})
		internal := []string{
			"persistent://public/default/__debezium-heartbeat.store", "persistent://public/default/store.transaction",
			"persistent://public/default/store.rowvec.signal", deadTopic, "persistent://public/default/logs",
		}
		for _, topic := range append([]string{articles, products}, internal...) {
			f.broker.Publish(topic, &pulsartest.Message{K: "before there is a subscription: lost"})
		}
		f.start()
		for _, topic := range internal {
			f.publish(topic, "internal", "internal")
		}
		f.publish(articles+"", "a")
		f.publish(products, "p")
		require.Len(t, f.worker.deliveries(), 2)
		for _, d := range f.worker.deliveries() {
			require.True(t, d.Pattern)
		}
		require.Equal(t, articles, f.worker.deliveries()[0].Topic)
		for _, topic := range internal {
			require.Equal(t, 2, f.broker.Count("ack "+topic), "no backlog is left behind")
		}
		require.Equal(t, 2, f.seen.snapshot().taken, "what is ignored is not counted")
		f.end()
	})
}

func TestAPatternIsOneConsumer(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	o, _, err := newFeed(Input{Topic: everyTopic, Pattern: true}, f.c).options()
	require.NoError(t, err)
	require.Equal(t, `persistent://public/default/(?:store\.app\..*)$`, o.TopicsPattern)
	require.Empty(t, o.Topic)
	require.Equal(t, patternPrefetch, o.ReceiverQueueSize)
	require.Equal(t, discoveryPeriod, o.AutoDiscoveryPeriod)

	_, _, err = newFeed(Input{Topic: "non-persistent://public/default/x", Pattern: true}, f.c).options()
	require.ErrorContains(t, err, "expected persistent://tenant/namespace/pattern")
}
