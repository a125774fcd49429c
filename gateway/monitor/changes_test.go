package monitor_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/event"
	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/gateway/monitor"
)

// TestAChangeHasTheRowsName: what the stream tells is what /v1/tables/{table}/rows/{id} takes.
func TestAChangeHasTheRowsName(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := healthy().config()
		c.Tables = []monitor.Table{
			{Table: "app.a", Collection: "all", IDs: document.NewIDs("app.a", true)},
			{Table: "app.b", Collection: "all", IDs: document.NewIDs("app.b", true)},
			{Table: "app.own", Collection: "own", IDs: document.NewIDs("app.own", false)},
		}
		m := monitor.New(c)
		for _, e := range []struct{ table, row, want string }{
			{"app.a", "app.a/42", "42"},
			{"app.b", "app.b/7/bob%2Fsmith", "7/bob%2Fsmith"},
			{"app.own", "app.own/1", "app.own/1"}, // its own key
			{"app.a", "h:ABC", "h:ABC"},           // a hash is a name, too
			{"app.a", "app.a/.", "%2E"},           // a path has no folders of a row's name
			{"app.own", "..", "%2E%2E"},
			{"app.own", "...", "..."},
			{"app.new", "app.new/1", "app.new/1"}, // a table that the gateway does not know yet
		} {
			told := indexed(e.table, 0, time.Millisecond)
			told.Row = e.row
			m.Observe(told)
			_, _, changes, _ := opening(t, m, nil)
			require.Equal(t, e.want, changes[len(changes)-1].Row)
			require.Equal(t, e.table, changes[len(changes)-1].Table)
		}
	})
}

func TestEventsOfAnotherFunctionAreNotOurs(t *testing.T) {
	t.Parallel()
	watch(t, healthy(), func(m *monitor.Monitor) {
		theirs := indexed("app.a", 1, time.Millisecond)
		theirs.Function = "public/default/other"
		m.Observe(theirs)
		m.Observe(&event.Event{Function: "public/default/other", Table: "app.a", Row: "2", Outcome: event.Poison, Reason: "bad", SettledAt: time.Now()})
		pass(time.Second)
		_, ticks, changes, status := opening(t, m, nil)
		require.Empty(t, changes)
		require.Empty(t, ticks[len(ticks)-1].Outcomes)
		require.Empty(t, status.DeadLetters.ByReason)
		require.Nil(t, status.Tables[0].LastChange)
	})
}

// TestWhatSomebodyInventsIsNotKept: names of tables come from questions and, where the function's settings are newer, from events.
func TestWhatSomebodyInventsIsNotKept(t *testing.T) {
	t.Parallel()
	watch(t, healthy(), func(m *monitor.Monitor) {
		for i := range 1_000 {
			m.Query([]string{fmt.Sprint("invented.", i)}, time.Millisecond, nil)
			m.Query([]string{fmt.Sprint("invented.", i)}, time.Millisecond, errors.New("no such table"))
			m.Observe(indexed(fmt.Sprint("new.", i), i, time.Millisecond))
		}
		m.Query([]string{"app.a"}, time.Millisecond, nil)
		pass(time.Second)
		kept := map[string]bool{}
		_, ticks, _, _ := opening(t, m, func(table string) bool { kept[table] = true; return true })
		for i := range 900 { // the latest changes are shown as they are
			require.NotContains(t, kept, fmt.Sprint("new.", i))
		}
		require.LessOrEqual(t, len(kept), 103)
		last := ticks[len(ticks)-1]
		require.EqualValues(t, 1, last.Queries.Count)
		require.Zero(t, last.Queries.Errors)
		require.EqualValues(t, 1_000, last.Outcomes[event.Indexed], "what was done is counted all the same")
	})
}

// refused is an error with a class.
type refused string

func (e refused) Error() string { return string(e) }
func (e refused) Class() string { return string(e) }

func TestOnlyFailuresOfWhatIsBehindAreErrors(t *testing.T) {
	t.Parallel()
	watch(t, healthy(), func(m *monitor.Monitor) {
		for _, err := range []error{refused("poison"), fmt.Errorf("ask: %w", refused("poison")), fmt.Errorf("ask: %w", context.Canceled)} {
			m.Query([]string{"app.a"}, time.Millisecond, err)
		}
		for _, err := range []error{refused("retry"), refused("halt"), context.DeadlineExceeded, errors.New("unheard of")} {
			m.Query([]string{"app.a"}, time.Millisecond, err)
		}
		pass(time.Second)
		_, ticks, _, _ := opening(t, m, nil)
		require.EqualValues(t, 4, ticks[len(ticks)-1].Queries.Errors)
		require.Zero(t, ticks[len(ticks)-1].Queries.Count)
	})
}

func TestABusySecondIsMeasuredToItsEnd(t *testing.T) {
	t.Parallel()
	watch(t, healthy(), func(m *monitor.Monitor) {
		for i := range 20_000 {
			took := time.Millisecond
			if i >= 10_000 {
				took = time.Second
			}
			m.Observe(indexed("app.a", i, took))
			m.Query([]string{"app.a"}, took, nil)
		}
		pass(time.Second)
		_, ticks, _, status := opening(t, m, nil)
		last := ticks[len(ticks)-1]
		for _, q := range []*monitor.Quantiles{last.Freshness, &last.Queries.Quantiles, status.Tables[0].Freshness} {
			require.EqualValues(t, 20_000, q.Count)
			require.InEpsilon(t, 1_000, q.P95, .01)
		}
	})
}

func TestTheOpeningSaysHowFarItGoes(t *testing.T) {
	t.Parallel()
	watch(t, healthy(), func(m *monitor.Monitor) {
		pass(3 * time.Second)
		m.Observe(indexed("app.a", 1, time.Millisecond))
		events := m.Opening(nil, false, false)
		for _, e := range events[:len(events)-1] {
			require.Empty(t, e.ID, "who loses the stream within the opening begins again")
		}
		require.Equal(t, m.Hub().Last(), events[len(events)-1].ID)
		for _, e := range m.Opening(nil, true, false) {
			require.Empty(t, e.ID, "what was missed is still to come")
		}
	})
}
