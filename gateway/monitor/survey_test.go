package monitor_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/gateway/monitor"
)

// never waits for as long as it may.
func never(which string) func(ctx context.Context, table string) error {
	return func(ctx context.Context, table string) error {
		if table != which {
			return nil
		}
		<-ctx.Done()
		return ctx.Err()
	}
}

func TestASlowCountIsNotChromaBeingAway(t *testing.T) {
	t.Parallel()
	for slow, table := range []string{"app.a", "app.b"} {
		w := healthy()
		w.index = never(table)
		watch(t, w, func(m *monitor.Monitor) {
			for _, d := range []time.Duration{time.Second, 10 * time.Minute} {
				pass(d)
				s := m.Status()
				require.True(t, m.Ready())
				require.Equal(t, monitor.Health{OK: true}, s.Sources.Chroma)
				require.Nil(t, s.Tables[slow].Records, "it is not known")
				require.Nil(t, s.Tables[slow].Coverage)
				require.EqualValues(t, 90, *s.Tables[1-slow].Records, "the others are counted meanwhile")
				require.InDelta(t, .9, *s.Tables[1-slow].Coverage, 1e-9)
			}
		})
	}
}

// broken fails the counts of a table from some time on.
type broken struct{ table atomic.Value }

func (b *broken) answer(_ context.Context, table string) error {
	<-time.After(3 * time.Second)
	if b.table.Load() == table {
		return errors.New("no rights")
	}
	return nil
}

func TestACountInTheIndexThatFailsIsItsTablesOwn(t *testing.T) {
	t.Parallel()
	w, b := healthy(), &broken{}
	w.index = b.answer
	w.source = func(ctx context.Context, table string) error {
		if b.table.Load() == nil {
			return nil
		}
		return never(table)(ctx, table)
	}
	watch(t, w, func(m *monitor.Monitor) {
		pass(10 * time.Second)
		require.NotNil(t, m.Status().Tables[0].Coverage)
		b.table.Store("app.a")
		pass(40 * time.Second)
		s := m.Status()
		require.True(t, m.Ready())
		require.True(t, s.Sources.Chroma.OK)
		require.Nil(t, s.Tables[0].Rows)
		require.Nil(t, s.Tables[0].Coverage, "it would be of a count that is no more")
		require.NotNil(t, s.Tables[1].Coverage)
	})
}

func TestACountInPostgresThatFailsIsItsTablesOwn(t *testing.T) {
	t.Parallel()
	for failing, table := range []string{"app.a", "app.b"} {
		w, b := healthy(), &broken{}
		w.source = b.answer
		watch(t, w, func(m *monitor.Monitor) {
			pass(10 * time.Second)
			b.table.Store(table)
			for range 60 {
				pass(time.Second)
				require.True(t, m.Status().Sources.Postgres.OK, "it counts another table")
			}
			s := m.Status()
			require.Nil(t, s.Tables[failing].SourceRows)
			require.Nil(t, s.Tables[failing].Coverage)
			require.NotNil(t, s.Tables[1-failing].Coverage)
			w.set(func(w *world) { w.err = errors.New("connection refused") })
			pass(time.Minute)
			require.False(t, m.Status().Sources.Postgres.OK)
			require.NotEmpty(t, m.Status().Sources.Postgres.Error)
		})
	}
}

func TestACountRestsForAsLongAsItTook(t *testing.T) {
	t.Parallel()
	w := healthy()
	var mu sync.Mutex
	began := map[string][]time.Time{}
	w.source = func(_ context.Context, table string) error {
		mu.Lock()
		began[table] = append(began[table], time.Now())
		mu.Unlock()
		if table == "app.a" {
			<-time.After(2 * time.Minute)
		}
		return nil
	}
	watch(t, w, func(*monitor.Monitor) {
		start := time.Now()
		pass(20*time.Minute + time.Second)
		mu.Lock()
		defer mu.Unlock()
		for i, at := range began["app.a"][1:] {
			require.GreaterOrEqual(t, at.Sub(began["app.a"][i]), 4*time.Minute)
		}
		require.Greater(t, len(began["app.a"]), 3)
		require.Less(t, began["app.b"][0].Sub(start), 3*time.Minute)
		require.Greater(t, len(began["app.b"]), 12, "a large table does not set the pace of a small one")
	})
}

func TestReadinessFollowsChroma(t *testing.T) {
	t.Parallel()
	w := healthy()
	watch(t, w, func(m *monitor.Monitor) {
		require.True(t, m.Ready())
		w.set(func(w *world) { w.chromaErr = errors.New("connection refused") })
		pass(2 * time.Second)
		require.False(t, m.Ready())
		require.NotEmpty(t, m.Status().Sources.Chroma.Error)
		w.set(func(w *world) { w.chromaErr = nil })
		pass(2 * time.Second)
		require.True(t, m.Ready())
	})
	require.False(t, monitor.New(w.config()).Ready(), "nobody has looked yet")
}

// TestReadinessDoesNotWait: see is called while the picture is held.
func TestReadinessDoesNotWait(t *testing.T) {
	t.Parallel()
	watch(t, healthy(), func(m *monitor.Monitor) {
		called := false
		m.Opening(func(string) bool { called = true; return m.Ready() }, false, false)
		require.True(t, called)
	})
}

func TestInstancesAndBacklogAreJudgedApart(t *testing.T) {
	t.Parallel()
	w := healthy()
	w.backlogErr = errors.New("app.b's topic cannot be read")
	watch(t, w, func(m *monitor.Monitor) {
		s := m.Status()
		require.Equal(t, monitor.Running, s.State)
		require.True(t, s.Sources.Admin.OK)
		require.Len(t, s.Instances, 1)
		require.EqualValues(t, 3, *s.Tables[0].Backlog)
		require.Nil(t, s.Tables[1].Backlog)

		w.set(func(w *world) { w.instancesErr = errors.New("the worker is away") })
		pass(2 * time.Second)
		s = m.Status()
		require.Equal(t, monitor.Unknown, s.State)
		require.False(t, s.Sources.Admin.OK)
		require.Empty(t, s.Instances)
		require.EqualValues(t, 3, *s.Tables[0].Backlog)
		require.EqualValues(t, 2, *s.DeadLetters.Waiting)
	})
}

func TestFreshnessIsSummedUpOnceASecond(t *testing.T) {
	t.Parallel()
	watch(t, healthy(), func(m *monitor.Monitor) {
		m.Observe(indexed("app.a", 1, time.Millisecond))
		require.Nil(t, m.Status().Tables[0].Freshness, "its second is not over")
		pass(time.Second)
		require.NotNil(t, m.Status().Tables[0].Freshness)
		require.Same(t, m.Status().Tables[0].Freshness, m.Status().Tables[0].Freshness)
		pass(61 * time.Second)
		require.Nil(t, m.Status().Tables[0].Freshness)
	})
}

func BenchmarkStatus(b *testing.B) {
	m := monitor.New(healthy().config())
	for i := range 2_000 {
		m.Observe(indexed("app.a", i, time.Duration(i)*time.Millisecond))
	}
	b.ReportAllocs()
	for b.Loop() {
		m.Status()
	}
}
