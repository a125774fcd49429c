package instance

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/instance/pulsartest"
)

const outputTopic = "persistent://public/default/shop-events"

func newTestOutput() *Output {
	counter := func(name string) prometheus.Counter { return prometheus.NewCounter(prometheus.CounterOpts{Name: name}) }
	return NewOutput(outputTopic, counter("published_total"), counter("dropped_total"))
}

// withOutput gives the fixture an output topic that keeps what is published.
func withOutput(f *fixture) *Output {
	f.Helper()
	f.c.settings.Output, f.c.outputName = newTestOutput(), outputTopic
	reader, err := f.broker.Client(clientURL)
	require.NoError(f, err)
	keep, err := reader.Subscribe(keepAll(outputTopic))
	require.NoError(f, err)
	f.Cleanup(keep.Close)
	return f.c.settings.Output
}

// send gives the output numbered messages of one key.
func send(o *Output, from, to int) {
	for n := from; n < to; n++ {
		o.Send("row", []byte(strconv.Itoa(n)))
	}
}

// bodies are the numbers that the topic has.
func bodies(f *fixture) []int {
	f.Helper()
	list := []int{}
	for _, m := range f.broker.Stored(outputTopic) {
		n, err := strconv.Atoi(string(m.Body))
		require.NoError(f, err)
		require.Equal(f, "row", m.K)
		list = append(list, n)
	}
	return list
}

func upTo(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

func requireCounts(t *testing.T, o *Output, published, dropped int) {
	t.Helper()
	for counter, want := range map[prometheus.Counter]int{o.published: published, o.dropped: dropped} {
		var m dto.Metric
		require.NoError(t, counter.Write(&m))
		require.InDelta(t, want, m.GetCounter().GetValue(), 0)
	}
}

func TestTheOutputTopicGetsEverythingInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		o := withOutput(f)
		f.start()
		require.Zero(t, f.broker.Count("producer"), "without an event there is no producer")
		send(o, 0, 3*outputRound)
		synctest.Wait()
		require.Equal(t, upTo(3*outputRound), bodies(f))
		requireCounts(t, o, 3*outputRound, 0)
		require.Zero(t, o.count.Load())
		require.Zero(t, o.bytes.Load())
		require.Equal(t, 1, f.broker.Count("producer "+outputTopic))
		require.Zero(t, f.end())
		require.Equal(t, 1, f.broker.Count("close producer "+outputTopic))
		require.Empty(t, f.seen.snapshot().conditionHistory)
	})
}

func TestAnOutputTopicThatFailsHoldsNothingUp(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"producer ", "send "} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				o := withOutput(f)
				f.broker.Script(operation+outputTopic, slices.Repeat([]pulsartest.Fault{{Err: errBroker}}, 3)...)
				f.start()
				send(o, 0, 1)
				synctest.Wait()
				condition := f.seen.snapshot().conditions[outputSource]
				require.Contains(t, condition, "cannot publish to "+outputTopic+" (output)")
				require.Contains(t, condition, "broker persistence error")
				f.publish(articles, "a", "b")
				require.Equal(t, 2, f.broker.Count("ack "+articles), "the records go on")
				send(o, 1, 5)
				f.pass(enoughSteps)
				require.Equal(t, upTo(5), bodies(f), "what waits is tried again, in order")
				requireCounts(t, o, 5, 0)
				got := f.seen.snapshot()
				require.Empty(t, got.conditions)
				require.Len(t, got.faults, 3)
				require.Contains(t, got.faults[0], "sink: publish to the output topic "+outputTopic)
				f.end()
			})
		})
	}
}

func TestAProducerThatNeverAnswersIsMadeAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		o := withOutput(f)
		never := make(chan struct{})
		f.broker.Script("send "+outputTopic, pulsartest.Fault{Block: never, Err: errBroker})
		f.start()
		send(o, 0, 1)
		f.pass(sendTimeout)
		send(o, 1, 5)
		require.Empty(t, bodies(f), "the order is kept")
		f.pass(answerGrace + enoughSteps)
		require.Equal(t, upTo(5), bodies(f))
		require.Equal(t, 2, f.broker.Count("producer "+outputTopic))
		require.Len(t, f.seen.snapshot().faults, 1)
		require.Contains(t, f.seen.snapshot().faults[0], "does not answer")
		requireCounts(t, o, 5, 0)
		f.end()
		close(never)
	})
}

func TestAStuckOutputTopicCostsOnlyEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		o := withOutput(f)
		stuck := make(chan struct{})
		f.broker.Script("producer "+outputTopic, pulsartest.Fault{Block: stuck})
		f.start()
		start := time.Now()
		send(o, 0, outputMessages+50)
		require.Equal(t, start, time.Now(), "sending never waits")
		f.publish(articles, "a")
		require.Equal(t, 1, f.broker.Count("ack "+articles), "the records go on")
		requireCounts(t, o, 0, 50)

		close(stuck)
		synctest.Wait()
		require.Equal(t, upTo(outputMessages), bodies(f), "the newest are dropped, the rest keeps its order")
		requireCounts(t, o, outputMessages, 50)
		got := f.seen.snapshot()
		require.Len(t, got.conditionHistory, 1)
		require.Contains(t, got.conditionHistory[0], "events were dropped (rowvec_events_dropped_total)")
		require.Empty(t, got.conditions, "it has caught up")
		send(o, 0, 1)
		synctest.Wait()
		requireCounts(t, o, outputMessages+1, 50)
		f.end()
	})
}

func TestTheOutputBoundsItsBytes(t *testing.T) {
	t.Parallel()
	o := newTestOutput()
	for range 10 {
		o.Send("k", make([]byte, 1<<20))
	}
	require.Equal(t, 7, o.queue.len(), "with their keys eight are more than 8 MiB")
	requireCounts(t, o, 0, 3)
	require.Equal(t, int64(7*(1<<20+1)), o.bytes.Load())
	o.Send("k", []byte("small"))
	require.Equal(t, 8, o.queue.len())
}

func TestAStopPublishesWhatTheDrainMade(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		o := withOutput(f)
		held := make(chan *Delivery, 1)
		f.worker.handle = settleLater(held)
		f.worker.drain = settleAndSend(held, o)
		confirm := make(chan struct{})
		f.broker.Script("send "+outputTopic, pulsartest.Fault{Block: confirm})
		f.start()
		f.publish(articles, "a")
		time.AfterFunc(outputGrace/2, func() { close(confirm) })
		require.Equal(t, outputGrace/2, f.end(), "it waits for the confirmation and no longer")
		require.ElementsMatch(t, upTo(10), bodies(f))
		requireCounts(t, o, 10, 0)
		require.Equal(t, 1, f.broker.Count("ack "+articles))
		o.Send("row", []byte("late"))
		requireCounts(t, o, 10, 1)
	})
}

func TestAStopDoesNotWaitLongForAStuckOutputTopic(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		drain, want time.Duration
	}{
		"short drain": {0, outputGrace},
		"long drain":  {drainTimeout - time.Second, drainTimeout},
		"full drain":  {drainTimeout, drainTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				o := withOutput(f)
				f.worker.drain = drainFor(test.drain)
				never := make(chan struct{})
				f.broker.Script("send "+outputTopic, pulsartest.Fault{Block: never})
				f.start()
				send(o, 0, 1)
				synctest.Wait()
				send(o, 1, 4)
				f.publish(articles, "a")
				require.Equal(t, test.want, f.end())
				require.Equal(t, 1, f.broker.Count("ack "+articles), "the records are settled all the same")
				requireCounts(t, o, 0, 4)
				require.Equal(t, 1, strings.Count(f.log.String(), "the output topic did not get every event"))
				require.Contains(t, f.log.String(), "left=4")
				close(never)
			})
		})
	}
}

func TestAPatternLeavesTheOutputTopicOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, Input{Topic: everyTopic, Pattern: true})
		require.False(t, f.c.internalTopic("persistent://public/default/store.app.events"))
		f.c.outputName = "store.app.events"
		require.True(t, f.c.internalTopic("persistent://public/default/store.app.events-partition-2"))
		require.False(t, f.c.internalTopic("persistent://public/default/store.app.articles"))
	})
}

func TestAnOutputTopicInUseIsRefused(t *testing.T) {
	t.Parallel()
	for output, want := range map[string]string{
		"public/default/store.app.articles": "it is among the function's inputs",
		"shop-dlq":                          "it is the dead-letter topic",
		"persistent://public/default/logs":  "it is the function's logTopic",
		"shop-events":                       "",
		"":                                  "",
	} {
		conf := &Conf{
			Tenant: "public", Namespace: "default", Name: "shop", Output: output, LogTopic: "logs",
			Inputs: []Input{{Topic: articles}, {Topic: everyTopic, Pattern: true}},
		}
		_, err := Settings{}.withDefaults(conf)
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, "output "+output+": "+want)
	}
}

// BenchmarkOutputSend is what an event costs the record's path.
func BenchmarkOutputSend(b *testing.B) {
	o := newTestOutput()
	payload := make([]byte, 500)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		o.Send("app.articles/42", payload)
		if n%outputRound == 0 {
			for _, e := range o.queue.take(b.Context(), outputMessages) {
				o.release(e)
			}
		}
	}
}
