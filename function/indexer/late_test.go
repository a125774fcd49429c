package indexer

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

// nth makes something happen at the n-th write only.
func nth[T any](n int64, is T) func(op string, _ []string) T {
	var writes atomic.Int64
	return func(op string, _ []string) (none T) {
		if puts(op) && writes.Add(1) == n {
			return is
		}
		return none
	}
}

// requireNoTruncatedRow wants changes of before the truncate at 9 to be stale, at both instances.
func requireNoTruncatedRow(t *testing.T, one, two *rig) {
	t.Helper()
	for range 2 {
		require.Equal(t, []Kind{Stale, Stale}, kinds(t, append(one.submit(upserted(3, 7, "old")), two.submit(upserted(4, 8, "old"))...)))
		<-time.After(markAge + time.Second)
	}
	lsn, _ := one.markOf()
	require.Equal(t, int64(9), lsn)
	requireIndexIs(t, one, []*connector.Change{upserted(2, 12, "new")})
}

// TestAWriteOfAnOlderTruncateKeepsTheMark has a sweeper stand still for minutes before one of its writes of the mark, or give it up before
// it has its effect, while another instance gets a newer truncate.
func TestAWriteOfAnOlderTruncateKeepsTheMark(t *testing.T) {
	t.Parallel()
	for n := range int64(7) {
		for name, still := range map[string]bool{"stands still": true, "is late": false} {
			t.Run(fmt.Sprint(name, " at ", n+1), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					one := newRig(t)
					two := beside(t, one)
					kinds(t, one.submit(upserted(1, 1, "old"), upserted(2, 8, "old")))
					one.store.hold = holding("below", 0, 8*time.Second) // for some renewals
					if still {
						one.stones.hold = holding("upsert", n+1, 4*time.Minute)
					} else {
						one.stones.late = nth(n+1, 4*time.Minute)
					}
					both := one.submit(truncated(5))
					<-time.After(20 * time.Second)
					both = append(both, two.submit(truncated(9))...)
					kinds(t, append(both[1:], two.submit(upserted(2, 12, "new"))...))
					if lsn, _ := one.markOf(); still {
						require.Equal(t, int64(9), lsn)
					}
					kinds(t, both)
					requireNoTruncatedRow(t, one, two)
					one.stones.pending.Wait()
					requireNoTruncatedRow(t, one, two)
				})
			})
		}
	}
}

// TestALeaseThatIsGivenBackLate does not end that of another.
func TestALeaseThatIsGivenBackLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one := newRig(t)
		two := beside(t, one)
		kinds(t, one.submit(upserted(1, 1, "old")))
		p := one.submit(truncated(5))
		<-time.After(time.Second)
		synctest.Wait()
		one.stones.late = nth(1, 2*time.Minute)
		one.table.Drain(t.Context())
		require.Equal(t, []Kind{Interrupted}, kinds(t, p))
		two.store.hold = holding("below", 1, 2*time.Minute)
		two.stones.hold = holding("get", 0, time.Millisecond)
		p = two.submit(truncated(5))
		one.stones.pending.Wait()
		_, lease := one.markOf()
		require.Greater(t, lease, int64(leaseFree))
		require.False(t, p[0].settled())
		require.Equal(t, []Kind{Truncated}, kinds(t, p))
		_, lease = one.markOf()
		require.Zero(t, lease)
	})
}

// TestALeaseWhoseAnswerWasLostIsOurs: the sweeper does not wait for himself.
func TestALeaseWhoseAnswerWasLostIsOurs(t *testing.T) {
	t.Parallel()
	for n := range int64(6) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			kinds(t, r.submit(upserted(1, 1, "old")))
			r.store.hold = holding("below", 0, 6*time.Second)
			r.stones.after = nth(n+1, error(errOutage))
			from := time.Now()
			require.Equal(t, []Kind{Truncated}, kinds(t, r.submit(truncated(5))))
			require.Less(t, time.Since(from), sweepGrace+20*time.Second)
			require.Empty(t, r.store.ids())
			lsn, lease := r.markOf()
			require.Equal(t, []int64{5, 0}, []int64{lsn, lease})
		})
	}
}

// TestALostLeaseThatComesBackIsANewOne has a late write put a sweeper's lease in the place of that of another, who deletes.
func TestALostLeaseThatComesBackIsANewOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		s := &sweep{Table: r.table, of: truncated(5).Table, version: version(5)}
		stands := func() standing {
			st, err := s.renew(t.Context())
			require.NoError(t, err)
			return st
		}
		require.Equal(t, sweepBegun, stands())
		<-time.After(sweepGrace)
		require.Equal(t, sweepHeld, stands())
		r.remark(5, s.mine[0])
		require.Equal(t, sweepHeld, stands(), "an older one of ours, which nobody else had meanwhile")
		r.remark(5, 77)
		require.Equal(t, sweepElsewhere, stands())
		r.remark(5, s.mine[len(s.mine)-1])
		require.Equal(t, sweepBegun, stands())
		require.False(t, s.marks().licensed(r.table.mark, time.Now()))
		for range 2 * maxMine {
			stands()
		}
		require.Len(t, s.mine, maxMine)
	})
}

// TestTheMarkForgetsOlderTruncates when a newer one is over.
func TestTheMarkForgetsOlderTruncates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		kinds(t, r.submit(truncated(5)))
		kinds(t, r.submit(truncated(9)))
		e, _ := r.stones.get(r.table.mark)
		require.Len(t, e.meta, 3, "the truncate, the lease, and that it was given back")
	})
}
