package monitor_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rowvec/rowvec/event"
	"github.com/rowvec/rowvec/gateway/monitor"
	"github.com/rowvec/rowvec/gateway/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestASecondIsSummedUp(t *testing.T) {
	t.Parallel()
	watch(t, healthy(), func(m *monitor.Monitor) {
		for i := range 100 {
			m.Observe(indexed("app.a", i, time.Duration(i+1)*time.Millisecond))
		}
		m.Observe(&event.Event{Function: function, Table: "app.b", Row: "1", Outcome: event.Poison, Reason: "text_too_long", SettledAt: time.Now()})
		m.Query([]string{"app.a"}, 5*time.Millisecond, nil)
		m.Query([]string{"app.a"}, 0, errors.New("endpoint away"))
		pass(time.Second)
		_, ticks, changes, _ := opening(t, m, nil)
		last := ticks[len(ticks)-1]
		require.Equal(t, map[event.Outcome]int64{event.Indexed: 100, event.Poison: 1}, last.Outcomes)
		require.Equal(t, map[string]int64{"text_too_long": 1}, last.DeadLetters)
		require.EqualValues(t, 100, last.Freshness.Count)
		require.InEpsilonSlice(t, []float64{51, 96, 100}, []float64{last.Freshness.P50, last.Freshness.P95, last.Freshness.P99}, .011)
		require.Equal(t, monitor.Queries{Quantiles: monitor.Quantiles{Count: 1, P50: 5, P95: 5, P99: 5}, Errors: 1}, last.Queries)
		require.EqualValues(t, 51, last.ChangesDropped)
		require.EqualValues(t, 3, *last.Backlog["app.a"])
		require.Nil(t, last.Backlog["app.b"], "a backlog that nobody told is not 0")
		require.Len(t, changes, 100, "the latest changes are kept whole")
		require.Equal(t, "text_too_long", changes[99].Reason)

		pass(time.Second)
		_, ticks, _, _ = opening(t, m, nil)
		require.Empty(t, ticks[len(ticks)-1].Outcomes, "each second begins anew")
		require.Nil(t, ticks[len(ticks)-1].Freshness)
	})
}

func TestASnapshotsRowsHaveNoFreshness(t *testing.T) {
	t.Parallel()
	watch(t, healthy(), func(m *monitor.Monitor) {
		e := indexed("app.a", 1, time.Hour)
		e.Operation = event.Read
		m.Observe(e)
		pass(time.Second)
		_, ticks, _, status := opening(t, m, nil)
		require.Nil(t, ticks[len(ticks)-1].Freshness)
		require.Nil(t, status.Tables[0].Freshness)
		require.NotNil(t, status.Tables[0].LastChange)
	})
}

func TestTheStatusTellsWhatEverybodySaid(t *testing.T) {
	t.Parallel()
	watch(t, healthy(), func(m *monitor.Monitor) {
		m.Observe(&event.Event{Function: function, Table: "app.a", Row: "1", Outcome: event.Poison, Reason: "bad", SettledAt: time.Now()})
		m.Observe(indexed("app.a", 2, 10*time.Millisecond))
		pass(time.Second)
		s := m.Status()
		require.Equal(t, monitor.Running, s.State)
		require.Empty(t, s.Cause)
		a := s.Tables[0]
		require.EqualValues(t, 90, *a.Records)
		require.EqualValues(t, 100, *a.SourceRows)
		require.InDelta(t, .9, *a.Coverage, 1e-9)
		require.EqualValues(t, 3, *a.Backlog)
		require.Equal(t, map[string]int64{"bad": 1}, a.DeadLetters)
		require.EqualValues(t, 1, a.Freshness.Count)
		require.EqualValues(t, 2, *s.DeadLetters.Waiting)
		require.Equal(t, map[string]int64{"bad": 1}, s.DeadLetters.ByReason)
		require.Equal(t, monitor.Sources{
			Events: monitor.Health{OK: true}, Admin: monitor.Health{OK: true}, Chroma: monitor.Health{OK: true}, Postgres: &monitor.Health{OK: true},
		}, s.Sources)
	})
}

func TestTheStateIsTheWorstInstances(t *testing.T) {
	t.Parallel()
	w := healthy()
	watch(t, w, func(m *monitor.Monitor) {
		for _, tt := range []struct {
			instances []monitor.Instance
			want      monitor.State
			cause     string
		}{
			{[]monitor.Instance{{Running: true, State: monitor.Running}, {Running: true, State: monitor.Halted, Cause: "wrong key"}}, monitor.Halted, "wrong key"},
			{[]monitor.Instance{{Running: true, State: monitor.Retrying, Cause: "endpoint away"}, {Running: true, State: monitor.Running}}, monitor.Retrying, "endpoint away"},
			{[]monitor.Instance{{State: monitor.Away}, {State: monitor.Away}}, monitor.Away, "no instance of the function runs"},
			{nil, monitor.Away, "no instance of the function runs"},
			{[]monitor.Instance{{Running: true, State: monitor.Running}}, monitor.Running, ""},
		} {
			w.set(func(w *world) { w.instances = tt.instances })
			pass(2 * time.Second)
			s := m.Status()
			require.Equal(t, tt.want, s.State)
			require.Equal(t, tt.cause, s.Cause)
		}
	})
}

func TestWhatNobodyAnswersIsUnknown(t *testing.T) {
	t.Parallel()
	w := healthy()
	watch(t, w, func(m *monitor.Monitor) {
		w.set(func(w *world) { w.err = errors.New("connect to 10.1.2.3:8080: refused") })
		pass(31 * time.Second)
		s := m.Status()
		require.Equal(t, monitor.Unknown, s.State)
		for _, table := range s.Tables {
			require.Nil(t, table.Records)
			require.Nil(t, table.Coverage)
			require.Nil(t, table.Backlog)
		}
		require.Nil(t, s.DeadLetters.Waiting)
		text, err := json.Marshal(s)
		require.NoError(t, err)
		require.NotContains(t, string(text), "10.1.2.3", "addresses are for the log")

		w.set(func(w *world) { w.err = nil })
		pass(31 * time.Second)
		require.Equal(t, monitor.Running, m.Status().State)
		require.EqualValues(t, 90, *m.Status().Tables[0].Records)
	})
}

func TestAListenerHearsOfAChangeOfStateAtOnce(t *testing.T) {
	t.Parallel()
	w := healthy()
	watch(t, w, func(m *monitor.Monitor) {
		pass(500 * time.Millisecond)
		w.set(func(w *world) {
			w.instances = []monitor.Instance{{Running: true, State: monitor.Halted, Cause: "unknown model"}}
		})
		l, _ := m.Hub().Listen("")
		defer l.Close()
		pass(2 * time.Second)
		messages, err := l.Next(t.Context())
		require.NoError(t, err)
		require.Contains(t, states(messages), monitor.Halted)
	})
}

func states(messages []*stream.Message) []monitor.State {
	var found []monitor.State
	for _, m := range messages {
		if s, ok := m.Body.(*monitor.Status); ok {
			found = append(found, s.State)
		}
	}
	return found
}

func TestATokensScopeHoldsEverywhere(t *testing.T) {
	t.Parallel()
	w := healthy()
	w.instances[0].Cause, w.instances[0].LastError = "app.b: row 7", "app.b: row 7"
	watch(t, w, func(m *monitor.Monitor) {
		m.Observe(indexed("app.a", 1, time.Millisecond))
		m.Observe(indexed("app.b", 7, time.Millisecond))
		m.Observe(&event.Event{Function: function, Outcome: event.Poison, Reason: "not_json", SettledAt: time.Now()})
		pass(time.Second)
		hello, ticks, changes, status := opening(t, m, func(table string) bool { return table == "app.a" })
		text, err := json.Marshal([]any{hello, ticks, changes, status})
		require.NoError(t, err)
		require.NotContains(t, string(text), "app.b")
		require.NotContains(t, string(text), "not_json")
		require.Equal(t, []monitor.Named{{Table: "app.a", Entity: "article"}}, hello.Tables)
		require.Len(t, changes, 1)
		require.Equal(t, map[event.Outcome]int64{event.Indexed: 1}, ticks[len(ticks)-1].Outcomes)
	})
}

func TestWhatIsKeptIsBounded(t *testing.T) {
	t.Parallel()
	watch(t, healthy(), func(m *monitor.Monitor) {
		for i := range 20_000 {
			m.Observe(indexed("app.a", i, time.Millisecond))
		}
		pass((monitor.HistorySeconds + 50) * time.Second)
		hello, ticks, changes, _ := opening(t, m, nil)
		require.Equal(t, "public/default/f", hello.Function)
		require.Len(t, ticks, monitor.HistorySeconds)
		require.Len(t, changes, 100)
		require.Equal(t, "19999", changes[99].Row)
		require.Len(t, m.Opening(nil, true, false), 2, "a listener that resumes has the history")
	})
}

func BenchmarkObserve(b *testing.B) {
	m := monitor.New(healthy().config())
	e := indexed("app.a", 1, time.Millisecond)
	b.ReportAllocs()
	for b.Loop() {
		m.Observe(e)
	}
}
