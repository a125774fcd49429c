package indexer

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// server is one that many ask; down says what it fails with just now.
type server struct {
	mu    sync.Mutex
	down  func() error
	takes time.Duration
	calls []time.Time
	busy  int
	most  int // asked at once while it was down
}

func (s *server) ask(context.Context) error {
	s.mu.Lock()
	s.calls = append(s.calls, time.Now())
	err := s.down()
	s.busy++
	if err != nil && len(s.calls) > 2 {
		s.most = max(s.most, s.busy)
	}
	s.mu.Unlock()
	<-time.After(s.takes)
	s.mu.Lock()
	s.busy--
	s.mu.Unlock()
	return err
}

// until fails with err before that time.
func until(back time.Time, err error) func() error {
	return func() error {
		if time.Now().Before(back) {
			return err
		}
		return nil
	}
}

// crowd has n callers ask the server through one gate, the first two of them a second ahead, and returns when all were answered.
func crowd(t *testing.T, n int, g *gate, s *server) []*noted {
	t.Helper()
	var callers sync.WaitGroup
	seen := make([]*noted, n)
	for i := range n {
		seen[i] = &noted{}
		callers.Go(func() {
			if i > 1 {
				<-time.After(time.Second)
			}
			_, err := defaultBackoff().at(g).do(t.Context(), seen[i], awake, s.ask)
			require.NoError(t, err)
		})
	}
	callers.Wait()
	return seen
}

func TestOneProbesForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		back := time.Now().Add(10 * time.Minute)
		s := &server{down: until(back, errOutage), takes: 20 * time.Millisecond}
		seen := crowd(t, 100, &gate{}, s)
		require.WithinRange(t, time.Now(), back, back.Add(9*time.Second), "the last one is through soon after the server is back")
		require.Equal(t, 1, s.most, "one at a time asks a server that is down")
		require.Less(t, len(s.calls), 100+250, "a probe per back-off step, and everybody's own request")
		for i, n := range seen {
			require.Contains(t, n.states, Retrying, "caller %d says that it waits", i)
		}
	})
}

func TestAHaltIsProbedSlowlyByOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		back := time.Now().Add(10 * time.Minute)
		s := &server{down: until(back, errKey)}
		seen := crowd(t, 50, &gate{}, s)
		require.LessOrEqual(t, len(s.calls), 50+21, "every 30 s")
		require.Equal(t, Halted, seen[1].states[0])
	})
}

// through enters a gate that lets somebody in.
func (g *gate) through(t *testing.T, c *caller) transit {
	t.Helper()
	through, pause, _ := g.try(c)
	require.LessOrEqual(t, pause, time.Duration(0))
	return through
}

// fail shuts a gate.
func (g *gate) fail(t *testing.T, err error) {
	t.Helper()
	one, other := g.through(t, &caller{}), g.through(t, &caller{})
	one.leave(err, steady(0))
	other.leave(err, steady(0))
	require.True(t, g.shut)
}

func TestOneCallersFailuresShutNobodyOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, bad := &gate{}, &caller{}
		for range 10 {
			g.through(t, bad).leave(errOutage, steady(0))
			<-time.After(time.Until(bad.notYet))
		}
		require.False(t, g.shut, "it may be its request's own fault")
		g.through(t, &caller{}).leave(nil, steady(0))
		g.through(t, &caller{}).leave(errOutage, steady(0))
		require.False(t, g.shut, "there was a success in between")
		g.through(t, bad).leave(errOutage, steady(0))
		require.True(t, g.shut, "two in a row")
	})
}

func TestRetryAfterHoldsEverybody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := &gate{}
		older, limited := g.through(t, &caller{}), g.through(t, &caller{})
		limited.leave(faulty{class: ClassRetry, reason: "rate_limited", after: time.Minute}, steady(0))
		older.leave(nil, steady(0))
		began := time.Now()
		_, err := steady(0).at(g).do(t.Context(), &noted{}, awake, func(context.Context) error { return nil })
		require.NoError(t, err)
		require.Equal(t, time.Minute, time.Since(began), "an answer to what was asked before takes nothing back")
	})
}

func TestARefusalComesFromAServerThatWorks(t *testing.T) {
	t.Parallel()
	own := &fault{class: ClassHalt, reason: "bad_mark", own: true}
	for name, answer := range map[string]error{"refused": errRefuse, "one table's mark": own} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := &gate{}
				g.fail(t, errOutage)
				<-time.After(time.Minute)
				g.through(t, &caller{}).leave(answer, steady(0))
				require.False(t, g.shut)
				g.through(t, &caller{}).leave(answer, steady(0))
				require.False(t, g.shut)
			})
		})
	}
}

func TestAProbeThatHangsDoesNotStandForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := &gate{}
		g.fail(t, errOutage)
		<-time.After(time.Minute)
		hangs := g.through(t, &caller{})
		_, pause, _ := g.try(&caller{})
		require.Equal(t, gateTrying, pause)
		<-time.After(gateHung)
		g.through(t, &caller{}).leave(nil, steady(0))
		require.False(t, g.shut)
		hangs.leave(errOutage, steady(0))
		require.False(t, g.shut, "it is the first that failed since")
	})
}

func TestWhoFailedWaitsForItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, bad := &gate{}, &caller{attempts: 6}
		g.through(t, &caller{}).leave(errOutage, steady(0))
		g.through(t, bad).leave(errOutage, steady(0.999999))
		g.until = time.Now()
		_, pause, _ := g.try(bad)
		require.Equal(t, gateShut, pause, "its own step is eight seconds")
		g.through(t, &caller{}).leave(nil, steady(0))
		_, pause, _ = g.try(bad)
		require.InDelta(t, 8, pause.Seconds(), 0.1, "also where the gate is open")
	})
}

func TestAProbeThatEndsOtherwiseLeavesTheGateToOthers(t *testing.T) {
	t.Parallel()
	given := func(context.Context) error { return context.Canceled }
	panics := func(context.Context) error { panic("bug") } //nolint:forbidigo // what a bug in a client would do
	for name, op := range map[string]func(context.Context) error{"given up": given, "panic": panics} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g, b := &gate{}, steady(0)
				g.fail(t, errOutage)
				<-time.After(time.Minute)
				func() {
					defer func() { _ = recover() }()
					_ = b.attempt(t.Context(), g.through(t, &caller{}), op)
				}()
				_, pause, _ := g.try(&caller{})
				require.Equal(t, b.base, pause, "after another step, and not for a tenth of a second for ever")
				<-time.After(pause)
				g.through(t, &caller{})
			})
		})
	}
}

func TestWhoGivesUpBeforeTheGateMadeNoAttempt(t *testing.T) {
	t.Parallel()
	g := &gate{}
	g.fail(t, errOutage)
	n := &noted{}
	gone := func(time.Duration) bool { return false }
	s := &server{down: func() error { return nil }}
	attempts, err := steady(0).at(g).do(t.Context(), n, gone, s.ask)
	require.Empty(t, s.calls)
	require.Zero(t, attempts)
	require.Equal(t, ClassInterrupted, Classify(err))
	require.ErrorIs(t, err, errOutage)
	require.Equal(t, []State{Retrying}, n.states)
	require.Equal(t, 1, n.cleared)
}
