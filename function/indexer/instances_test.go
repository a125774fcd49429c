package indexer

import (
	"context"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

// pairs is how many times two instances go through a truncate together.
const pairs = 1000

// TestATruncateBesideAnotherInstance has two instances share a table's rows, as Key_Shared shares them out, over an index whose calls
// take their time. One of them gets the truncates. Keys are used again at once, and old changes come late, at either: nothing newer than
// a truncate may get lost, and nothing older may stay. Some truncates come to both, and some writes of marks are given up and come late.
func TestATruncateBesideAnotherInstance(t *testing.T) {
	t.Parallel()
	n := uint64(pairs)
	if raceEnabled {
		n /= 5
	}
	for seed := range n {
		synctest.Test(t, func(t *testing.T) { shared(t, seed) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func shared(t *testing.T, seed uint64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 5))
	slow := &chaos{rng: rand.New(rand.NewPCG(seed, 6))}
	nap := func(ctx context.Context, _ string) {
		slow.mu.Lock()
		d := time.Duration(slow.rng.IntN(1500)*slow.rng.IntN(2)) * time.Millisecond
		slow.mu.Unlock()
		_ = sleep(ctx, d)
	}
	option := func(*rig) {}
	if seed%2 == 0 {
		option = chunked
	}
	one := newRig(t, option, func(r *rig) { r.store.hold, r.stones.hold = nap, nap })
	two := newRig(t, option, func(r *rig) { r.store, r.stones = one.store, one.stones })
	if seed%3 == 0 {
		one.stones.late = func(op string, ids []string) time.Duration {
			slow.mu.Lock()
			defer slow.mu.Unlock()
			if op != "upsert" || ids[0] != one.table.mark || slow.rng.IntN(8) > 0 {
				return 0
			}
			return 1 + time.Duration(slow.rng.IntN(150))*time.Second
		}
	}
	owners := []*rig{one, two}
	texts := []string{"few", long, otherLong}
	newest, past := map[int]*connector.Change{}, []*connector.Change{}
	var receipts []*receipt
	lsn := 0
	for range 3 + rng.IntN(3) {
		for range 5 + rng.IntN(20) {
			lsn++
			id := rng.IntN(6)
			c := upserted(id, lsn, texts[rng.IntN(len(texts))])
			newest[id], past = c, append(past, c)
			receipts = append(receipts, owners[id%2].submit(c)...)
			if rng.IntN(3) == 0 {
				again := past[rng.IntN(len(past))]
				receipts = append(receipts, owners[int(again.Key[0].Value.(int64))%2].submit(again)...)
			}
			<-time.After(time.Duration(rng.IntN(1000)) * time.Millisecond)
		}
		lsn++
		clear(newest)
		receipts = append(receipts, one.submit(truncated(lsn))...)
		<-time.After(time.Duration(rng.IntN(12)) * time.Second)
		if rng.IntN(2) == 0 { // handed over while its first owner is still at it
			receipts = append(receipts, two.submit(truncated(lsn))...)
		}
	}
	for _, p := range receipts {
		o := p.outcome(t)
		require.NotEqual(t, Poison, o.Kind, o.Err)
		require.NotEqual(t, Interrupted, o.Kind)
	}
	one.stones.pending.Wait()
	left := make([]*connector.Change, 0, len(newest))
	for _, c := range newest {
		left = append(left, c)
	}
	requireIndexIs(t, one, left)
}

func TestRowsOfAnotherInstanceWaitForTheSweep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one := newRig(t)
		two := newRig(t, func(r *rig) { r.store, r.stones = one.store, one.stones })
		kinds(t, one.submit(upserted(1, 1, "a"), upserted(2, 2, "b")))
		truncate := one.submit(truncated(5))
		synctest.Wait()
		stale, blocked, other := two.submit(upserted(1, 4, "old")), two.submit(upserted(2, 6, "new")), two.submit(upserted(3, 7, "new"))
		require.Equal(t, []Kind{Stale, Indexed}, kinds(t, append(stale, other...)), "these wait for nobody")
		<-time.After(3 * time.Second)
		require.False(t, blocked[0].settled())
		require.Equal(t, Retrying, two.table.Condition().State)
		require.Contains(t, two.table.Condition().Cause, "truncate")
		require.Equal(t, []Kind{Truncated, Indexed}, kinds(t, append(truncate, blocked...)))
		synctest.Wait()
		require.Equal(t, Running, two.table.Condition().State)
		requireIndexIs(t, one, []*connector.Change{upserted(2, 6, "new"), upserted(3, 7, "new")})
	})
}

// TestASweepThatDiedBlocksNobodyForLong has an instance die with a sweep under way whose truncate does not come again.
func TestASweepThatDiedBlocksNobodyForLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one := newRig(t)
		two := newRig(t, func(r *rig) { r.store, r.stones = one.store, one.stones })
		kinds(t, one.submit(upserted(1, 1, "a")))
		truncate := one.submit(truncated(5))
		synctest.Wait()
		one.stones.before = func(string, []string) error { return errOutage }
		one.stop()
		one.stones.before = nil
		require.Equal(t, []Kind{Interrupted}, kinds(t, truncate))
		from := time.Now()
		require.Equal(t, []Kind{Indexed}, kinds(t, two.submit(upserted(1, 6, "new"))))
		require.GreaterOrEqual(t, time.Since(from), leaseLife)
		require.Less(t, time.Since(from), leaseLife+5*time.Second)
		requireIndexIs(t, one, []*connector.Change{upserted(1, 6, "new")})
	})
}

// TestALeaseIsWatchedWithoutAGap has an instance look away for longer than a lease lives: the first look tells it nothing.
func TestALeaseIsWatchedWithoutAGap(t *testing.T) {
	t.Parallel()
	m := newMarks()
	at := time.Now()
	see := func(after time.Duration) bool {
		at = at.Add(after)
		m.note("x", &mark{version: version(5), lease: 7, readAt: at})
		return m.guarded("x", at)
	}
	require.True(t, see(0))
	require.True(t, see(2*leaseLife), "who did not look does not know")
	for range 12 {
		require.True(t, see(leaseLife/12-time.Millisecond))
	}
	require.False(t, see(time.Second))
	m.note("x", &mark{version: version(5), lease: 8, readAt: at.Add(time.Second)})
	require.True(t, m.guarded("x", at.Add(time.Second)), "renewed")
	m.hold("x", []int64{8}, time.Time{})
	require.False(t, m.guarded("x", at.Add(time.Second)), "our own")
	m.hold("x", nil, time.Time{})
	m.note("x", &mark{version: version(5), lease: 9, readAt: at})
	require.Equal(t, int64(8), m.of("x").lease, "an answer that is older than what is known")
}

func TestTwoSweepsOfOneTableEndAsOne(t *testing.T) {
	t.Parallel()
	for name, lsns := range map[string][2]int{"the same truncate": {5, 5}, "the newer one first": {5, 3}, "the older one first": {3, 5}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				one := newRig(t)
				two := newRig(t, func(r *rig) { r.store, r.stones = one.store, one.stones })
				kinds(t, one.submit(upserted(1, 1, "a"), upserted(2, 4, "b"), upserted(3, 9, "c")))
				both := one.submit(truncated(lsns[0]))
				<-time.After(3 * time.Second)
				both = append(both, two.submit(truncated(lsns[1]))...)
				kinds(t, both)
				requireIndexIs(t, one, []*connector.Change{upserted(3, 9, "c")})
				lsn, lease := one.markOf()
				require.Equal(t, int64(5), lsn)
				require.Zero(t, lease)
			})
		})
	}
}
