package instance

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// watched runs a guard in a synctest bubble until the test ends; orphaned gives the time and the cause.
type watched struct {
	*guard

	mu     sync.Mutex
	parent int
	after  time.Duration
	cause  error
	calls  int
}

func watch(t *testing.T) *watched {
	t.Helper()
	w := &watched{parent: 42}
	w.guard = &guard{parent: 42, ppid: func() int {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.parent
	}}
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	start := time.Now()
	watching.Go(func() {
		w.watch(ctx, func(err error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.after, w.cause = time.Since(start), err
			w.calls++
		})
	})
	t.Cleanup(func() {
		cancel()
		watching.Wait()
	})
	return w
}

func (w *watched) reparent(pid int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.parent = pid
}

func (w *watched) outcome() (after time.Duration, calls int, cause error) {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.after, w.calls, w.cause
}

func TestGuardSeesTheParentGo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := watch(t)
		advance(time.Hour)
		_, _, cause := w.outcome()
		require.NoError(t, cause, "no health check at all is no sign")
		w.reparent(1)
		advance(guardTick)
		after, _, cause := w.outcome()
		require.Equal(t, &OrphanError{ParentBefore: 42, ParentNow: 1}, cause)
		require.ErrorContains(t, cause, "the parent process was 42 and is now 1")
		require.LessOrEqual(t, after, time.Hour+guardTick)
		advance(time.Hour)
		_, calls, _ := w.outcome()
		require.Equal(t, 1, calls)
	})
}

func TestGuardSeesHealthChecksEnd(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		checks int
		every  time.Duration
		silent time.Duration // 0: never an orphan
	}{
		{"none", 0, 0, 0},
		{"one, by hand", 1, time.Second, 0},
		{"the worker's default", 5, 30 * time.Second, 90 * time.Second},
		{"a hasty worker gets the default", 5, time.Second, 90 * time.Second},
		{"a slow worker", 3, 10 * time.Minute, 30 * time.Minute},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := watch(t)
				start := time.Now()
				for range tc.checks {
					advance(tc.every)
					w.healthCheck()
				}
				last := time.Since(start)
				advance(24 * time.Hour)
				after, _, cause := w.outcome()
				if tc.silent == 0 {
					require.NoError(t, cause)
					return
				}
				require.ErrorContains(t, cause, "no health check for")
				require.InDelta(t, tc.silent.Seconds(), (after - last).Seconds(), 3*guardTick.Seconds())
			})
		})
	}
}

func TestGuardDoesNotTakeItsOwnSleepForSilence(t *testing.T) {
	t.Parallel()
	g := &guard{parent: 42, ppid: func() int { return 42 }}
	g.healthCheck()
	g.healthCheck()
	require.NoError(t, g.check(time.Hour), "suspended for an hour: one tick")
	for range 20 {
		require.NoError(t, g.check(guardTick))
	}
	g.healthCheck()
	for range 65 {
		require.NoError(t, g.check(guardTick))
	}
	err := g.check(guardTick)
	require.Equal(t, &OrphanError{Silence: 132 * time.Second}, err)
}
