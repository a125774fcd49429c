package instance

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/instance/pulsartest"
)

func TestStopDrainsAcknowledgesAndClosesInThisOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		var held []*Delivery
		f.worker.handle = func(_ context.Context, d *Delivery) { held = append(held, d) }
		f.worker.drain = func(ctx context.Context) {
			require.NoError(t, ctx.Err(), "the stop does not cancel the drain")
			deadline, ok := ctx.Deadline()
			require.True(t, ok)
			require.Equal(t, drainTimeout, time.Until(deadline))
			<-time.After(2 * time.Second) // a batch in flight
			for _, d := range held {
				d.Settle(Settlement{Verdict: Ack})
			}
		}
		f.start()
		f.publish(articles, "a", "b")
		require.Equal(t, 2*time.Second, f.end(), "nothing is waited for longer than it takes")
		require.Equal(t, 1, f.worker.drains)
		require.Equal(t, []string{
			"ack " + articles + " a", "ack " + articles + " b", "close " + articles + " " + subName, "close client",
		}, f.broker.Log()[3:])
		require.Contains(t, f.log.String(), "left_unacknowledged=0")
	})
}

func TestDrainIsCutAtItsDeadline(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		late time.Duration
		want time.Duration
	}{
		"returns at the deadline":   {0, drainTimeout},
		"returns a little later":    {drainGrace / 2, drainTimeout + drainGrace/2},
		"does not heed the context": {time.Hour, drainTimeout + drainGrace},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				f.worker.handle = func(context.Context, *Delivery) {}
				f.worker.drain = func(ctx context.Context) {
					<-ctx.Done()
					<-time.After(test.late)
					for _, d := range f.worker.deliveries() {
						d.Settle(Settlement{Verdict: Abandon})
					}
				}
				f.start()
				f.publish(articles, "a", "b")
				require.Equal(t, test.want, f.end())
				require.Zero(t, f.broker.Count("ack"))
				require.Equal(t, 1, f.broker.Count("close client"))
				require.Contains(t, f.log.String(), "left_unacknowledged=2")
				<-time.After(2 * time.Hour)
			})
		})
	}
}

func TestEverythingEndsWithinTenSecondsWhateverHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.worker.handle = func(_ context.Context, d *Delivery) {
			if d.Key == "poison" {
				d.Settle(poison("malformed"))
			}
			if d.Key == "good" {
				d.Settle(Settlement{Verdict: Ack})
			}
		}
		f.worker.drain = func(ctx context.Context) { <-ctx.Done(); <-time.After(time.Hour) }
		never := make(chan struct{})
		hang := pulsartest.Fault{Block: never}
		f.broker.Script("send "+deadTopic, hang)
		f.broker.Script("ack "+articles, hang)
		f.broker.Script("close "+articles, hang)
		f.start()
		f.publish(articles, "poison", "good", "held")
		took := f.end()
		require.Equal(t, drainTimeout+drainGrace+letterGrace+closeTimeout, took)
		require.Less(t, took, 10*time.Second)
		require.Contains(t, f.log.String(), "did not close in time")
		close(never)
		<-time.After(2 * time.Hour)
	})
}

func TestAHandlerThatDoesNotReturnIsNotDrained(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		release := make(chan struct{})
		f.worker.handle = func(context.Context, *Delivery) { <-release }
		f.start()
		f.publish(articles, "a")
		require.Equal(t, drainTimeout, f.end())
		require.Zero(t, f.worker.drains, "Drain must not run beside Handle")
		require.Contains(t, f.log.String(), "it is not drained")
		close(release)
	})
}

func TestStopReleasesABlockedHandlerAndTakesNothingMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.worker.handle = func(ctx context.Context, d *Delivery) {
			<-ctx.Done() // a table that is halted
			d.Settle(Settlement{Verdict: Abandon})
		}
		f.start()
		f.publish(articles, "a", "b", "c")
		require.Zero(t, f.end())
		require.Len(t, f.worker.deliveries(), 1)
		require.Equal(t, 1, f.worker.drains)
	})
}

func TestStopBeforeTheClientExists(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.c.clientOptions = func() (pulsar.ClientOptions, error) {
			return pulsar.ClientOptions{}, errors.New("no Go counterpart of this plugin")
		}
		f.start()
		f.pass(time.Hour)
		require.Equal(t, "cannot make the client: no Go counterpart of this plugin; trying again", f.seen.snapshot().conditions["pulsar"])
		f.end()
		require.Equal(t, 1, f.worker.drains)
	})
}

func TestStopWhileASubscribeHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		answer := make(chan struct{})
		f.broker.Script("subscribe "+articles, pulsartest.Fault{Block: answer})
		f.start()
		time.AfterFunc(closeTimeout/2, func() { close(answer) })
		require.NotZero(t, f.c.settings.DrainTimeout)
		f.pass(0)
		f.end()
		require.Equal(t, 1, f.broker.Count("close "+articles), "a consumer that comes after the stop is closed")
		require.Empty(t, f.worker.deliveries())
	})
}

func TestInputsHaveTheirOwnBackPressure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, Input{Topic: articles}, Input{Topic: products})
		halted := make(chan struct{})
		f.worker.handle = func(_ context.Context, d *Delivery) {
			if d.Topic == articles {
				<-halted
			}
			d.Settle(Settlement{Verdict: Ack})
		}
		f.start()
		f.publish(articles, "a", "b")
		f.publish(products, "p", "q", "r")
		require.Equal(t, 3, f.broker.Count("ack "+products))
		require.Zero(t, f.broker.Count("ack "+articles))
		close(halted)
		synctest.Wait()
		require.Equal(t, 2, f.broker.Count("ack "+articles))
		f.end()
	})
}

func TestSettingsDefaults(t *testing.T) {
	t.Parallel()
	conf := &Conf{Tenant: "acme", Namespace: "shop", Name: "indexer"}
	s, err := Settings{}.withDefaults(conf)
	require.NoError(t, err)
	require.NotNil(t, s.NewClient)
	s.NewClient = nil
	require.Equal(t, Settings{
		SubscriptionType: "key_shared", DeadLetterTopic: "persistent://acme/shop/indexer-dlq", Prefetch: 16, Intake: 32 << 20, DrainTimeout: 8 * time.Second,
	}, s)

	conf.Subscription.Type = Failover
	s, err = Settings{}.withDefaults(conf)
	require.NoError(t, err)
	require.Equal(t, "failover", s.SubscriptionType, "retainOrdering")
	s, err = Settings{SubscriptionType: "shared"}.withDefaults(conf)
	require.NoError(t, err)
	require.Equal(t, "shared", s.SubscriptionType)

	conf.Inputs, conf.LogTopic = []Input{{Topic: "persistent://acme/shop/changes"}}, "acme/shop/logs"
	for topic, want := range map[string]string{"acme/shop/changes": "among the function's inputs", "persistent://acme/shop/logs": "logTopic"} {
		_, err = Settings{DeadLetterTopic: topic}.withDefaults(conf)
		require.ErrorContains(t, err, want, "a dead letter would come back for ever")
	}
	_, err = Settings{SubscriptionType: "keyshared"}.withDefaults(conf)
	require.EqualError(t, err, `subscription "keyshared": expected key_shared, failover, shared or exclusive`)
}

func TestConsumeOnAnInstance(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		broker := pulsartest.New()
		log := slog.New(slog.DiscardHandler)
		i := &Instance{
			conf: &Conf{
				Tenant: "public", Namespace: "default", Name: "shop", ServiceURL: "pulsar://localhost:6650",
				Inputs: []Input{{Topic: articles}}, Subscription: Subscription{Name: subName, Position: Earliest},
			},
			log: log, stats: newStats(), conditions: newConditions(log),
		}
		broker.Script("subscribe "+articles, pulsartest.Fault{Err: errBroker})
		h := &worker{handle: func(_ context.Context, d *Delivery) {
			if d.Key == "bad" {
				d.Settle(poison("malformed"))
				return
			}
			d.Settle(Settlement{Verdict: Ack})
		}}
		ctx, stop := context.WithCancel(t.Context())
		ended := background(func() { require.NoError(t, i.Consume(ctx, Settings{NewClient: broker.Client}, h)) })
		synctest.Wait()
		require.Contains(t, i.Stats().Conditions["input "+articles], "cannot subscribe at pulsar://localhost:6650: broker persistence error")
		<-time.After(enoughSteps)
		require.Empty(t, i.Stats().Conditions)
		for _, key := range []string{"good", "bad", "better"} {
			broker.Publish(articles, &pulsartest.Message{K: key})
		}
		synctest.Wait()
		stop()
		<-ended
		total := i.Stats().Total
		require.EqualValues(t, 3, total.Received)
		require.EqualValues(t, 2, total.Processed)
		require.EqualValues(t, 1, total.Exceptions[UserException])
		require.EqualValues(t, 1, total.Exceptions[SourceException])
		require.Len(t, broker.Stored("persistent://public/default/shop-dlq"), 1)
		require.Error(t, i.Consume(t.Context(), Settings{SubscriptionType: "nonsense"}, h))
	})
}
