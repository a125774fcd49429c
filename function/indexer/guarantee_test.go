package indexer

import (
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// guaranteed is how many histories the guarantee is held against.
const guaranteed = 100_000

// TestTheGuarantee plays random histories of a few rows on the whole indexer: inserts, updates, deletions, keys that change and are used
// again, snapshots, changes and moves without their large columns; versions under fail-overs, clocks set back, late snapshots and changes sent
// twice; deliveries in any order, in any batches, in part and repeatedly; processes that die at any call to the store, before or after
// it had its effect; dead letters sent again. Whatever happens, no intermediate state takes a row back, and the end is the table.
func TestTheGuarantee(t *testing.T) {
	t.Parallel()
	n := uint64(guaranteed)
	if raceEnabled {
		n /= 50
	}
	shards := uint64(runtime.GOMAXPROCS(0))
	var embedded, changes, blocked, lacking atomic.Int64
	t.Run("histories", func(t *testing.T) {
		for shard := range shards {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for seed := shard; seed < n && !t.Failed(); seed += shards {
					h := randomHistory(rand.New(rand.NewPCG(seed, 7)))
					got, err := played(t, h, seed)
					if err != nil {
						report(t, h, seed, err)
					}
					embedded.Add(int64(got.texts))
					blocked.Add(int64(got.blocked))
					lacking.Add(int64(got.lacking))
					changes.Add(int64(len(h.changes)))
				}
			})
		}
	})
	t.Logf("%d histories of %d changes, %d texts embedded, %d rows waited for a sweep and %d for the table", n, changes.Load(), embedded.Load(),
		blocked.Load(), lacking.Load())
	require.Positive(t, blocked.Load(), "rows are set aside")
	require.Greater(t, uint64(lacking.Load()), n/100, "rows are set aside")
}

// played plays a history in a bubble of its own.
func played(t *testing.T, h *history, seed uint64) (got tally, err error) {
	t.Helper()
	synctest.Test(t, func(*testing.T) { got, err = play(h, rand.New(rand.NewPCG(seed, 8))) })
	return got, err
}

// report cuts a failing history down and prints it.
func report(t *testing.T, h *history, seed uint64, err error) {
	t.Helper()
	small := h.shrink(func(c *history) bool {
		_, err := played(t, c, seed)
		return err != nil
	})
	_, smallErr := played(t, small, seed)
	t.Fatalf("seed %d: %v\ncut down: %v\n%v", seed, err, smallErr, small)
}
