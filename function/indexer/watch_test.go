package indexer

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestWhoWaitsForASweepWaitsOutAnOutage has the tombstones out of reach of an instance whose row waits for another's sweep: it says so, asks
// as seldom as the one loop does, and goes on with the sweep's end.
func TestWhoWaitsForASweepWaitsOutAnOutage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault faulty
		state State
		most  int // asked in ten minutes
	}{
		"an outage":   {errOutage, Retrying, 300},
		"lost rights": {errKey, Halted, 22},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var down atomic.Bool
				one := newRig(t)
				two := newRig(t, narrow, func(r *rig) {
					r.store = one.store
					r.stones = &fakeStones{&fakeStore{mu: one.stones.mu, entries: one.stones.entries}} // the same ones, by a way of its own
					r.stones.before = func(string, []string) error {
						if down.Load() {
							return c.fault
						}
						return nil
					}
				})
				kinds(t, one.submit(upserted(1, 1, "old")))
				truncate := one.submit(truncated(5))
				synctest.Wait()
				row := two.submit(upserted(1, 6, "new"))
				<-time.After(1500 * time.Millisecond)
				require.Equal(t, Retrying, two.table.Condition().State)
				require.Equal(t, errTruncating.Error(), two.table.Condition().Cause)

				down.Store(true)
				asked := len(two.stones.of("get"))
				<-time.After(2 * time.Second)
				require.Equal(t, c.state, two.table.Condition().State)
				require.Contains(t, two.table.Condition().Cause, c.fault.Error())
				<-time.After(10 * time.Minute)
				require.LessOrEqual(t, len(two.stones.of("get"))-asked, c.most)
				require.Equal(t, []Kind{Truncated}, kinds(t, truncate))
				require.False(t, row[0].settled())
				down.Store(false)
				require.Equal(t, []Kind{Indexed}, kinds(t, row))
				require.Equal(t, Running, two.table.Condition().State)
			})
		})
	}
}
