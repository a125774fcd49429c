package monitor_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/gateway/monitor"
)

// TestPostgresIsConfiguredBeforeItIsCounted: null would say that there is a setting to make.
func TestPostgresIsConfiguredBeforeItIsCounted(t *testing.T) {
	t.Parallel()
	w := healthy()
	w.source = never("app.a")
	require.Equal(t, &monitor.Health{Error: "Postgres was not asked yet"}, monitor.New(w.config()).Status().Sources.Postgres)
	c := w.config()
	c.Source = nil
	require.Nil(t, monitor.New(c).Status().Sources.Postgres)

	watch(t, w, func(m *monitor.Monitor) {
		s := m.Status()
		require.Equal(t, &monitor.Health{OK: true}, s.Sources.Postgres)
		require.Nil(t, s.Tables[0].SourceRows, "it is being counted")
	})
}

// TestAPostgresThatGoesAwayIsToldAtOnce: the last counts of its tables say nothing of it, and the next take long.
func TestAPostgresThatGoesAwayIsToldAtOnce(t *testing.T) {
	t.Parallel()
	w := healthy()
	w.source = never("app.b")
	watch(t, w, func(m *monitor.Monitor) {
		pass(time.Second)
		require.True(t, m.Status().Sources.Postgres.OK)
		w.set(func(w *world) { w.postgresErr = errors.New("dial 10.1.2.3:5432: refused") })
		pass(2 * time.Second)
		require.Equal(t, &monitor.Health{Error: "Postgres gave no good answer; the gateway's log says why"}, m.Status().Sources.Postgres)
		w.set(func(w *world) { w.postgresErr = nil })
		pass(2 * time.Second)
		require.True(t, m.Status().Sources.Postgres.OK)
	})
}

// TestCountsThatFailAreNotPostgresBeingAway, be they those of all tables: a role without rights is not a server that is gone.
func TestCountsThatFailAreNotPostgresBeingAway(t *testing.T) {
	t.Parallel()
	w := healthy()
	w.source = func(context.Context, string) error { return errors.New("permission denied") }
	watch(t, w, func(m *monitor.Monitor) {
		pass(time.Minute)
		s := m.Status()
		require.True(t, s.Sources.Postgres.OK)
		for _, table := range s.Tables {
			require.Nil(t, table.SourceRows)
			require.Nil(t, table.Coverage)
		}
	})
}
