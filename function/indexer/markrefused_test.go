package indexer

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/document"
)

// refuseMark refuses the nth write of the rig's mark, and those that follow it as often as it is told to. It counts the writes of marks.
func (r *rig) refuseMark(nth, times int, meanwhile func()) (writes *atomic.Int64) {
	writes = new(atomic.Int64)
	r.stones.before = func(op string, ids []string) error {
		if op != opUpsert || ids[0] != r.table.mark {
			return nil
		}
		n := int(writes.Add(1))
		if n < nth || n >= nth+times {
			return nil
		}
		if meanwhile != nil {
			meanwhile()
		}
		return errRefuse
	}
	return writes
}

// TestAStrayRefusalIsNoDeadTruncate: a proxy refuses one of a sweep's writes of its mark, whichever.
func TestAStrayRefusalIsNoDeadTruncate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for nth := 1; nth <= 3; nth++ {
			r := newRig(t)
			kinds(t, r.submit(upserted(1, 1, "a"), upserted(2, 20, "b")))
			writes := r.refuseMark(nth, 1, nil)
			from := time.Now()
			require.Equal(t, []Kind{Truncated}, kinds(t, r.submit(truncated(10))), "write %d", nth)
			require.GreaterOrEqual(t, writes.Load(), int64(nth+1))
			require.Equal(t, sweepGrace, time.Since(from), "at once")
			require.Equal(t, []string{"2"}, r.store.ids())
			lsn, lease := r.markOf()
			require.Equal(t, int64(10), lsn)
			require.Zero(t, lease)
			require.Equal(t, []Kind{Stale}, kinds(t, r.submit(upserted(1, 5, "late"))))
		}
	})
}

// TestAMarkThatIsRefusedTwice, while other records are taken, is a dead letter: it was asked for twice.
func TestAMarkThatIsRefusedTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		writes := r.refuseMark(1, 2, nil)
		o := r.submit(truncated(10))[0].outcome(t)
		require.Equal(t, Poison, o.Kind)
		require.EqualValues(t, 2, writes.Load())
		require.Empty(t, r.stones.ids(), "nor is the plain record left")
	})
}

// TestAMarkIsReadAgainBeforeItIsSentAgain: another instance takes the sweep while the write is refused.
func TestAMarkIsReadAgainBeforeItIsSentAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		kinds(t, r.submit(upserted(1, 1, "a")))
		other := newLease(time.Now())
		writes := r.refuseMark(1, 1, func() { // holds the lock
			r.stones.entries[r.table.mark] = entry{meta: markMeta(10, other)}
		})
		p := r.submit(truncated(10))[0]
		<-time.After(leaseLife / 2)
		_, lease := r.markOf()
		require.Equal(t, other, lease, "its lease is not taken away")
		require.EqualValues(t, 1, writes.Load())
		require.Equal(t, []string{"1"}, r.store.ids())
		r.stones.mu.Lock()
		r.stones.entries[r.table.mark] = entry{meta: map[string]any{document.TruncateKey(version(10)): int64(0)}}
		r.stones.mu.Unlock()
		require.Equal(t, Stale, p.outcome(t).Kind, "the other one did it")
	})
}
