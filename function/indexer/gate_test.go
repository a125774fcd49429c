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
	if err != nil && len(s.calls) > 1 {
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

// crowd has n callers ask the server through one gate, the first of them a second ahead, and returns when all were answered.
func crowd(t *testing.T, n int, g *gate, s *server) []*noted {
	t.Helper()
	var callers sync.WaitGroup
	seen := make([]*noted, n)
	for i := range n {
		seen[i] = &noted{}
		callers.Go(func() {
			if i > 0 {
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

func TestAFailureBesideSuccessesShutsNobodyOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := &gate{}
		fails := g.through(t)
		require.True(t, g.through(t).leave(nil, steady(0)))
		require.True(t, fails.leave(errOutage, steady(0)), "another request was answered while it ran")
		require.False(t, g.through(t).leave(errOutage, steady(0)), "nobody was")
	})
}

// through enters an open gate.
func (g *gate) through(t *testing.T) transit {
	t.Helper()
	through, pause, _ := g.try()
	require.Zero(t, pause)
	return through
}

func TestRetryAfterHoldsEverybody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := &gate{}
		limited := g.through(t)
		g.through(t).leave(nil, steady(0))
		asked := faulty{class: ClassRetry, reason: "rate_limited", after: time.Minute}
		require.False(t, limited.leave(asked, steady(0)), "whoever else was answered")
		began := time.Now()
		_, err := steady(0).at(g).do(t.Context(), &noted{}, awake, func(context.Context) error { return nil })
		require.NoError(t, err)
		require.Equal(t, time.Minute, time.Since(began))
	})
}

func TestARefusalComesFromAServerThatWorks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := &gate{}
		g.through(t).leave(errOutage, steady(0))
		<-time.After(time.Minute)
		require.True(t, g.through(t).leave(errRefuse, steady(0)))
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
				g.through(t).leave(errOutage, b)
				<-time.After(time.Minute)
				func() {
					defer func() { _ = recover() }()
					_, _ = b.attempt(t.Context(), g.through(t), op)
				}()
				_, pause, _ := g.try()
				require.Equal(t, b.base, pause, "after another step, and not for a tenth of a second for ever")
				<-time.After(pause)
				require.True(t, g.through(t).probe)
			})
		})
	}
}

func TestWhoGivesUpBeforeTheGateMadeNoAttempt(t *testing.T) {
	t.Parallel()
	g := &gate{}
	g.through(t).leave(errOutage, steady(0.5))
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
