package monitor_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/gateway/monitor"
)

// TestASearchIsCountedOnce, over however many tables, by everybody who sees one of them.
func TestASearchIsCountedOnce(t *testing.T) {
	t.Parallel()
	watch(t, healthy(), func(m *monitor.Monitor) {
		m.Query([]string{"app.a", "app.b"}, 10*time.Millisecond, nil)
		m.Query([]string{"app.b", "app.a"}, 10*time.Millisecond, nil)
		m.Query([]string{"app.a"}, 10*time.Millisecond, nil)
		m.Query([]string{"app.b", "invented"}, 10*time.Millisecond, nil)
		m.Query([]string{"app.a", "app.b"}, 0, errors.New("endpoint away"))
		m.Query(nil, 10*time.Millisecond, nil)
		m.Query([]string{"invented"}, 10*time.Millisecond, nil)
		pass(time.Second)
		for who, tt := range map[string]struct {
			see           func(string) bool
			count, errors int64
		}{
			"all":     {nil, 4, 1},
			"a":       {func(table string) bool { return table == "app.a" }, 3, 1},
			"b":       {func(table string) bool { return table == "app.b" }, 3, 1},
			"nothing": {func(table string) bool { return table == "invented" }, 0, 0},
		} {
			_, ticks, _, _ := opening(t, m, tt.see)
			last := ticks[len(ticks)-1].Queries
			require.Equal(t, []int64{tt.count, tt.errors}, []int64{last.Count, last.Errors}, who)
		}
		pass(time.Second)
		_, ticks, _, _ := opening(t, m, nil)
		require.Zero(t, ticks[len(ticks)-1].Queries, "each second begins anew")
	})
}
