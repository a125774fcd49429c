package indexer

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// noted keeps what an operation reported.
type noted struct {
	states  []State
	cleared int
}

func (n *noted) report(s State, _ error) { n.states = append(n.states, s) }
func (n *noted) clear()                  { n.cleared++ }

func steady(jitter float64) backoff {
	b := defaultBackoff()
	b.jitter = func() float64 { return jitter }
	return b
}

func TestDelayDoublesToItsLimit(t *testing.T) {
	t.Parallel()
	b := steady(0.999999999)
	want := []float64{0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 8, 8}
	for i, seconds := range want {
		require.InDelta(t, seconds, b.delay(errOutage, i+1).Seconds(), 0.001, "attempt %d", i+1)
	}
	require.InDelta(t, float64(8*time.Second), float64(b.delay(errOutage, 1_000_000)), float64(time.Millisecond), "no overflow")
	require.Equal(t, 100*time.Millisecond, steady(0).delay(errOutage, 9), "jitter reaches over the whole span")
}

func TestDelayHonoursRetryAfter(t *testing.T) {
	t.Parallel()
	require.Equal(t, time.Minute, steady(0.5).delay(faulty{class: ClassRetry, after: time.Minute}, 1))
	require.Equal(t, 30*time.Second, steady(0).delay(errKey, 1))
	require.Equal(t, time.Hour, steady(0).delay(faulty{class: ClassHalt, after: time.Hour}, 1))
}

func TestDoRetriesUntilItSucceeds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, calls, started := &noted{}, 0, time.Now()
		script := []error{errOutage, errors.New("unheard of"), errKey, context.DeadlineExceeded, nil}
		attempts, err := steady(0).do(t.Context(), n, awake, func(context.Context) error {
			calls++
			return script[calls-1]
		})
		require.NoError(t, err)
		require.Equal(t, 5, attempts)
		require.Equal(t, []State{Retrying, Retrying, Halted, Retrying}, n.states, "somebody else's deadline is not ours")
		require.Equal(t, 1, n.cleared)
		require.Equal(t, 30*time.Second+300*time.Millisecond, time.Since(started))
	})
}

// awake sleeps on the bubble's clock and never gives up.
func awake(d time.Duration) bool {
	<-time.After(d)
	return true
}

func TestDoLetsPoisonThrough(t *testing.T) {
	t.Parallel()
	n := &noted{}
	attempts, err := steady(0).do(t.Context(), n, awake, func(context.Context) error { return errRefuse })
	require.ErrorIs(t, err, errRefuse)
	require.Equal(t, 1, attempts)
	require.Empty(t, n.states)
}

func TestDoGivesUpWithoutBlame(t *testing.T) {
	t.Parallel()
	drained := func(time.Duration) bool { return false }
	_, err := steady(0).do(t.Context(), &noted{}, drained, func(context.Context) error { return errOutage })
	require.Equal(t, ClassInterrupted, Classify(err))
	require.ErrorIs(t, err, errOutage, "the cause is kept")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n := &noted{}
	_, err = steady(0).do(ctx, n, awake, func(ctx context.Context) error { return ctx.Err() })
	require.Equal(t, ClassInterrupted, Classify(err))
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, n.states, "a shutdown is no trouble")
}
