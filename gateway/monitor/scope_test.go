package monitor_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/gateway/monitor"
)

// TestAScopeHidesWhatCountsOtherTables: the records of a collection and the instances' counters are of all tables together.
func TestAScopeHidesWhatCountsOtherTables(t *testing.T) {
	t.Parallel()
	status := func() *monitor.Status {
		return &monitor.Status{
			Tables: []monitor.TableStatus{
				{Table: "app.a", Collection: "shared", Records: new(int64(90))},
				{Table: "app.b", Collection: "shared", Records: new(int64(90))},
				{Table: "app.c", Collection: "own", Records: new(int64(7))},
			},
			Instances: []monitor.Instance{{Received: new(int64(10)), Processed: new(int64(8)), Failed: new(int64(0)), Restarts: 1}},
		}
	}
	for name, tt := range map[string]struct {
		see   func(string) bool
		wants []*int64
		full  bool
	}{
		"all":            {nil, []*int64{new(int64(90)), new(int64(90)), new(int64(7))}, true},
		"one of two":     {func(table string) bool { return table != "app.b" }, []*int64{nil, new(int64(7))}, false},
		"both":           {func(table string) bool { return table != "app.c" }, []*int64{new(int64(90)), new(int64(90))}, false},
		"one by itself":  {func(table string) bool { return table == "app.c" }, []*int64{new(int64(7))}, false},
		"the other only": {func(table string) bool { return table == "app.b" }, []*int64{nil}, false},
	} {
		s := status()
		seen, ok := s.For(tt.see).(*monitor.Status)
		require.True(t, ok)
		records := make([]*int64, len(seen.Tables))
		for i, table := range seen.Tables {
			records[i] = table.Records
		}
		require.Equal(t, tt.wants, records, name)
		text, err := json.Marshal(seen.Instances[0])
		require.NoError(t, err)
		for _, field := range []string{`"received":10`, `"processed":8`, `"failed":0`} {
			if tt.full {
				require.Contains(t, string(text), field, name)
				continue
			}
			require.NotContains(t, string(text), field[:6], name)
		}
		require.Equal(t, status(), s, "what others see does not change")
	}
}

// TestAScopeHidesWhatMayNameOtherTables: causes and errors are of whichever table fails, and dead letters wait in one topic for all.
func TestAScopeHidesWhatMayNameOtherTables(t *testing.T) {
	t.Parallel()
	status := func() *monitor.Status {
		return &monitor.Status{
			State: monitor.Retrying, Cause: "app.planted waits",
			Tables: []monitor.TableStatus{
				{Table: "app.a", Collection: "a", DeadLetters: map[string]int64{"bad_text": 2}},
				{Table: "app.b", Collection: "b", DeadLetters: map[string]int64{"bad_text": 30, "planted": 4}},
			},
			Instances: []monitor.Instance{
				{ID: 0, Running: true, State: monitor.Running},
				{ID: 1, Running: true, State: monitor.Retrying, Cause: "planted: app.planted", LastError: "row planted of app.planted", LastErrorTime: 7, Restarts: 1},
			},
			DeadLetters: monitor.DeadLetters{Waiting: new(int64(4711)), ByReason: map[string]int64{"bad_text": 32, "planted": 4}},
		}
	}
	s := status()
	mine, ok := s.For(func(table string) bool { return table == "app.a" }).(*monitor.Status)
	require.True(t, ok)
	text, err := json.Marshal(mine)
	require.NoError(t, err)
	require.NotContains(t, string(text), "planted")
	require.NotContains(t, string(text), "4711")
	require.Equal(t, monitor.DeadLetters{ByReason: map[string]int64{"bad_text": 2}}, mine.DeadLetters)
	require.Equal(t, monitor.Retrying, mine.State, "that it is so may be known")
	require.Equal(t, monitor.Instance{ID: 1, Running: true, State: monitor.Retrying, LastErrorTime: 7, Restarts: 1}, mine.Instances[1])

	require.Equal(t, status(), s, "what others see does not change")
	all, ok := s.For(nil).(*monitor.Status)
	require.True(t, ok)
	require.Equal(t, status(), all)
}
