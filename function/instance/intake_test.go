package instance

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/instance/pulsartest"
)

func TestIntakeTakesUntilTheBoundAndAgainBelowIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := portion{intake: newIntake(1001, 1)}
		p.enter(1000)
		p.wait(t.Context()) // one byte is left, and a record of any size may take it
		p.enter(500)
		passed := background(func() { p.wait(t.Context()) })
		require.False(t, within(time.Hour, passed))
		p.leave(499)
		require.False(t, within(time.Hour, passed), "the bound is met exactly")
		p.leave(1)
		require.True(t, within(time.Hour, passed))

		p.enter(1)
		ctx, cancel := context.WithCancel(t.Context())
		stopped := background(func() { p.wait(ctx) })
		require.False(t, within(time.Hour, stopped))
		cancel()
		require.True(t, within(time.Hour, stopped))
	})
}

// Inputs that do as they may hold no more than the bound and a record each, and one that holds nothing is never full (design §1, 9).
func TestIntakeIsSharedByInputs(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		const bound, largest = 1000, 130
		inputs := make([]portion, 1+rng.IntN(6))
		in := newIntake(bound, len(inputs))
		for i := range inputs {
			inputs[i].intake = in
		}
		taken := make([][]int, len(inputs))
		most := 0
		for range 500 {
			i := rng.IntN(len(inputs))
			if n := len(taken[i]); n > 0 && rng.IntN(3) == 0 {
				inputs[i].leave(taken[i][n-1])
				taken[i] = taken[i][:n-1]
			} else if !inputs[i].full() {
				bytes := 1 + rng.IntN(largest)
				inputs[i].enter(bytes)
				taken[i] = append(taken[i], bytes)
			}
			sum := 0
			for j := range inputs {
				sum += inputs[j].held
				require.False(t, inputs[j].held == 0 && inputs[j].full(), "seed %d: an empty input waits for others", seed)
			}
			most = max(most, sum)
			require.LessOrEqual(t, sum, bound+len(inputs)*largest, "seed %d", seed)
		}
		require.Greater(t, most, bound/2, "seed %d: the bound is used", seed)
		for i := range inputs {
			for _, bytes := range taken[i] {
				inputs[i].leave(bytes)
			}
			require.Zero(t, inputs[i].held)
		}
		require.Zero(t, in.beyond)
	}
}

// large puts records of 100 bytes in a topic.
func (f *fixture) large(topic string, n int) {
	f.Helper()
	for i := range n {
		key := fmt.Sprintf("k%03d", i)
		f.broker.Publish(topic, &pulsartest.Message{K: key, Body: make([]byte, 86), Props: map[string]string{"source": "test"}})
	}
	synctest.Wait()
}

func TestAnInputTakesNoMoreThanItsShareWhileNothingIsSettled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, Input{Topic: articles}, Input{Topic: products})
		f.c.settings.Intake = 1200
		held := make(chan *Delivery, 1000)
		f.worker.handle = settleLater(held)
		f.start()
		f.large(articles, 100)
		require.Len(t, held, 9, "the half for all, and a quarter")
		f.large(products, 100)
		require.Len(t, held, 12, "an input that stands still leaves the other its quarter")
		f.worker.drain = abandon(held)
		f.end()
	})
}

func TestEverySettlementMakesRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.c.settings.Intake = 1000
		held := make(chan *Delivery, 1000)
		f.worker.handle = settleLater(held)
		f.start()
		f.large(articles, 100)
		require.Len(t, held, 10)
		for _, verdict := range []Verdict{Ack, Abandon, 0} {
			before := len(f.worker.deliveries())
			(<-held).Settle(Settlement{Verdict: verdict})
			synctest.Wait()
			require.Len(t, f.worker.deliveries(), before+1, "verdict %d makes room for one", verdict)
		}
		f.worker.drain = abandon(held)
		f.end()
	})
}

// abandon is a drain that leaves what is held.
func abandon(held chan *Delivery) func(context.Context) {
	return func(context.Context) {
		close(held)
		for d := range held {
			d.Settle(Settlement{Verdict: Abandon})
		}
	}
}

// A letter is in memory until the broker has it.
func TestDeadLettersCountUntilTheyAreStored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.c.settings.Intake = 1000
		f.worker.handle = settleAs(poison("malformed"))
		stored := make(chan struct{})
		f.broker.Script("producer "+deadTopic, pulsartest.Fault{Block: stored})
		f.start()
		f.large(articles, 100)
		require.Len(t, f.worker.deliveries(), 10)
		close(stored)
		synctest.Wait()
		f.pass(time.Minute)
		require.Len(t, f.published(deadTopic), 100)
		require.Zero(t, f.c.feeds[0].room.held)
		require.Zero(t, f.c.intake.beyond)
		f.end()
	})
}
