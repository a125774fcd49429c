package indexer

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

// beside returns a second instance over the first one's index, whose calls can be held apart from those of the first.
func beside(t *testing.T, one *rig) *rig {
	t.Helper()
	return newRig(t, func(r *rig) {
		r.store = &fakeStore{mu: one.store.mu, entries: one.store.entries}
		r.stones = &fakeStones{&fakeStore{mu: one.stones.mu, entries: one.stones.entries}}
	})
}

// holding has some of the calls of an operation take their time: the n-th, or all for n = 0.
func holding(op string, n int64, d time.Duration) func(context.Context, string) {
	var calls atomic.Int64
	return func(ctx context.Context, is string) {
		if is == op {
			if at := calls.Add(1); n == 0 || at == n {
				_ = sleep(ctx, d)
			}
		}
	}
}

// TestASweeperThatStoodStillBeginsAnew has a sweep stand still for longer than its lease lives, and go on at the very moment at which
// another instance, for which the lease was dead, is about to write a row.
func TestASweeperThatStoodStillBeginsAnew(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		still string
		more  time.Duration // until the call goes on, too
	}{"while it lists": {"below", 0}, "while it deletes": {"get", 0}, "while its removals wait": {"get", time.Second}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				one := newRig(t)
				two := beside(t, one)
				kinds(t, one.submit(upserted(1, 1, "old"), upserted(2, 1, "old"), upserted(3, 1, "old")))
				const long = 100 * time.Second
				resumed := make(chan struct{})
				remove := holding("delete", 1, 5*time.Second)
				standing := make(chan struct{})
				one.stones.hold = func(context.Context, string) {
					select {
					case <-standing:
						<-resumed
					default:
					}
				}
				one.store.hold = func(ctx context.Context, op string) {
					select {
					case <-resumed:
					default:
						if op == c.still {
							close(standing)
							_ = sleep(ctx, long)
							close(resumed)
							_ = sleep(ctx, c.more)
						}
					}
					remove(ctx, op)
				}
				truncate := one.submit(truncated(5))
				synctest.Wait()
				ready := time.After(sweepGrace + long - 500*time.Millisecond)
				kinds(t, two.submit(upserted(2, 6, "new"))) // waits until the lease is dead
				for range 7 {                               // and two goes on to look at it
					<-time.After(5 * time.Second)
					kinds(t, two.submit(upserted(9, 7, "other")))
				}
				<-ready
				two.store.hold = holding("delete", 1, 2500*time.Millisecond)
				late := two.submit(upserted(1, 8, "new"))
				require.Equal(t, []Kind{Truncated, Indexed}, kinds(t, append(truncate, late...)))
				requireIndexIs(t, one, []*connector.Change{upserted(1, 8, "new"), upserted(2, 6, "new"), upserted(9, 7, "other")})
			})
		})
	}
}

// TestASlowListIsNoEndlessSweep has every page take longer than a lease is trusted.
func TestASlowListIsNoEndlessSweep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		kinds(t, r.submit(upserted(1, 1, "old")))
		r.store.hold = holding("below", 0, leaseTrust+5*time.Second)
		from := time.Now()
		require.Equal(t, []Kind{Truncated}, kinds(t, r.submit(truncated(5))))
		require.Empty(t, r.store.ids())
		require.Less(t, time.Since(from), 3*time.Minute)
	})
}

// TestOneOfTwoSweepersDeletes has two instances take the lease in one millisecond, neither of them seeing the other.
func TestOneOfTwoSweepersDeletes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one := newRig(t)
		two := beside(t, one)
		kinds(t, one.submit(upserted(1, 1, "old")))
		one.stones.hold, two.stones.hold = holding("upsert", 0, time.Second), holding("upsert", 0, time.Second)
		both := append(one.submit(truncated(5)), two.submit(truncated(5))...)
		for _, p := range both {
			require.Contains(t, []Kind{Truncated, Stale}, p.outcome(t).Kind)
		}
		require.Equal(t, 1, len(one.store.of("delete"))+len(two.store.of("delete")))
		require.Equal(t, 1, min(len(one.store.of("below")), 1)+min(len(two.store.of("below")), 1), "only one of them looks")
	})
}

// TestASweepThatOthersFinished ends when the mark says so.
func TestASweepThatOthersFinished(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		kinds(t, r.submit(upserted(1, 1, "old"), upserted(2, 9, "new")))
		r.store.hold = holding("below", 1, time.Minute)
		p := r.submit(truncated(5))
		<-time.After(sweepGrace + time.Second)
		r.remark(7, 0)
		require.Equal(t, []Kind{Stale}, kinds(t, p))
		require.Empty(t, r.store.of("delete"), "what it listed is not its own any more")
		lsn, lease := r.markOf()
		require.Equal(t, []int64{7, 0}, []int64{lsn, lease})
	})
}

// TestAMarkThatWasOverwritten has a sweep find the mark of an older truncate in the place of its own: whoever saw that may act on it.
func TestAMarkThatWasOverwritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		kinds(t, r.submit(upserted(1, 1, "old")))
		r.store.hold = holding("below", 1, 8*time.Second)
		p := r.submit(truncated(5))
		<-time.After(sweepGrace + time.Second)
		_, lease := r.markOf()
		r.remark(3, lease)
		from := time.Now()
		require.Equal(t, []Kind{Truncated}, kinds(t, p))
		require.GreaterOrEqual(t, r.store.of("delete")[0].at.Sub(from), 7*time.Second+sweepGrace)
		lsn, lease := r.markOf()
		require.Equal(t, []int64{5, 0}, []int64{lsn, lease})
	})
}

// TestTheMarkAtTheEnd has the mark be overwritten when the last page is listed.
func TestTheMarkAtTheEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ lsn, lease, wantLSN, wantLease int64 }{
		"by an older truncate's":       {3, 0, 5, 0},
		"by a newer one's":             {7, 77, 7, 77},
		"by the same one's of another": {5, 77, 5, 77},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				var pages atomic.Int64
				r.store.after = func(op string, _ []string) error {
					if op == "below" && pages.Add(1) == 1 {
						r.remark(int(c.lsn), c.lease)
					}
					return nil
				}
				require.Equal(t, []Kind{Truncated}, kinds(t, r.submit(truncated(5))))
				lsn, lease := r.markOf()
				require.Equal(t, []int64{c.wantLSN, c.wantLease}, []int64{lsn, lease})
			})
		})
	}
}

// TestARemovalNeedsTheLease gives the writer removals of a sweep that has no lease, an old one, and one that nobody had time to hear of.
func TestARemovalNeedsTheLease(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hold func(*marks, string)
		goes bool
	}{
		"none":      {func(*marks, string) {}, false},
		"too new":   {func(m *marks, id string) { m.hold(id, []int64{9}, time.Time{}) }, false},
		"too old":   {func(m *marks, id string) { m.hold(id, []int64{9}, time.Now().Add(-leaseTrust-time.Second)) }, false},
		"good":      {func(m *marks, id string) { m.hold(id, []int64{9}, time.Now().Add(-leaseTrust+time.Second)) }, true},
		"given up":  {func(m *marks, id string) { m.hold(id, []int64{9}, time.Now()); m.hold(id, nil, time.Time{}) }, false},
		"lost":      {func(m *marks, id string) { m.hold(id, []int64{9}, time.Now()); m.hold(id, []int64{8}, time.Time{}) }, false},
		"of others": {func(m *marks, _ string) { m.hold("another", []int64{9}, time.Now()) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				kinds(t, r.submit(upserted(2, 3, "old")))
				r.remark(5, 9)
				c.hold(r.writer.tombstones.marks, r.table.mark)
				answer := make(chan written, 1)
				k := known{stored: storedAs(t, articles(), upserted(2, 3, "old")), mark: &mark{version: version(5)}}
				r.writer.submit(newRemoval(r.table, "2", k, time.Now(), answer))
				require.Equal(t, !c.goes, (<-answer).changed)
				require.Equal(t, c.goes, len(r.store.ids()) == 0)
			})
		})
	}
}

// TestADrainLeavesTheLeaseToRunOut while removals are on their way, and gives it back when there are none.
func TestADrainLeavesTheLeaseToRunOut(t *testing.T) {
	t.Parallel()
	for op, free := range map[string]bool{"below": true, "delete": false} {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				kinds(t, r.submit(upserted(1, 1, "old")))
				r.store.hold = holding(op, 1, 90*time.Second)
				var late atomic.Bool
				r.stones.hold = func(ctx context.Context, op string) {
					if op == "get" && late.Load() { // the renewal comes too late
						_ = sleep(ctx, 50*time.Second)
					}
				}
				p := r.submit(truncated(5))
				<-time.After(sweepGrace + time.Second)
				late.Store(true)
				<-time.After(60 * time.Second)
				r.table.Drain(t.Context())
				require.Equal(t, []Kind{Interrupted}, kinds(t, p))
				_, lease := r.markOf()
				require.Equal(t, free, lease == leaseFree)
			})
		})
	}
}

// TestALeaseThatWasLost has another instance take the lease of a sweep that lists, or whose removals wait, and then the sweep be drained.
func TestALeaseThatWasLost(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"below", "get"} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			kinds(t, r.submit(upserted(1, 1, "old")))
			r.store.hold = holding(op, 1, 12*time.Second)
			p := r.submit(truncated(5))
			<-time.After(sweepGrace + time.Second)
			r.remark(5, 77)
			<-time.After(15 * time.Second)
			require.Empty(t, r.store.of("delete"))
			r.table.Drain(t.Context())
			require.Equal(t, []Kind{Interrupted}, kinds(t, p))
			_, lease := r.markOf()
			require.Equal(t, int64(77), lease, "it is not ours to give back")
		})
	}
}

// TestAnOlderTruncateKeepsTheNewerMark, and a newer one raises the mark of an older sweep that goes on.
func TestAnOlderTruncateKeepsTheNewerMark(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.remark(7, leaseFree)
		p := r.submit(truncated(5))
		<-time.After(time.Second)
		lsn, _ := r.markOf()
		require.Equal(t, int64(7), lsn)
		require.Equal(t, []Kind{Truncated}, kinds(t, p))
		lsn, lease := r.markOf()
		require.Equal(t, []int64{7, leaseFree}, []int64{lsn, lease})
		require.Empty(t, r.writer.tombstones.marks.own)

		r.remark(7, 77)
		p = r.submit(truncated(9))
		<-time.After(time.Second)
		lsn, lease = r.markOf()
		require.Equal(t, []int64{9, 77}, []int64{lsn, lease})
		kinds(t, p)
	})
}
