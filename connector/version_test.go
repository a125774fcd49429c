package connector_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

// at is a version whose clocks show milliseconds.
func at(lsn uint64, commit, emitted int64) connector.Version {
	return connector.Version{LSN: lsn, CommitTime: time.UnixMilli(commit), Emitted: time.UnixMilli(emitted)}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ older, newer connector.Version }{
		"one after the other":                    {at(1, 1000, 1001), at(2, 2000, 2001)},
		"one transaction":                        {at(1, 1000, 1001), at(2, 1000, 1001)},
		"one transaction, emitted later":         {at(1, 1000, 1001), at(2, 1000, 1002)},
		"one transaction, the older sent again":  {at(1, 1000, 9000), at(2, 1000, 1001)},
		"fail-over: lower positions":             {at(5000, 1000, 1001), at(100, 2000, 2001)},
		"fail-over at once":                      {at(5000, 1000, 1001), at(4990, 1003, 1009)},
		"fail-over, then a new snapshot":         {at(5000, 1000, 1001), at(100, 9000, 9001)},
		"fail-over: a clock behind, higher":      {at(5000, 1000, 1001), at(5100, 400, 2001)},
		"clock set back":                         {at(1, 5000, 5001), at(2, 1000, 5002)},
		"sent again by a restarted connector":    {at(1, 1000, 9000), at(2, 2000, 2001)},
		"a snapshot's row read late":             {at(1, 5000, 5001), at(2, 3000, 6000)},
		"a snapshot's row, change in its second": {at(1, 5000, 5001), at(2, 3000, 5001)},
		"an incremental snapshot while behind":   {at(7, 5000, 5000), at(8, 4000, 5001)},
		"the next snapshot of an idle server":    {at(1, 1000, 1001), at(1, 2000, 2001)},
		"a change at the snapshot's position":    {at(1, 1000, 1001), at(1, 1000, 1002)},
		"not known when emitted, fail-over":      {connector.Version{LSN: 9, CommitTime: time.UnixMilli(1)}, connector.Version{LSN: 1, CommitTime: time.UnixMilli(2)}},
		"nothing known":                          {connector.Version{}, at(1, 1, 1)},
	} {
		require.Equal(t, -1, c.older.Compare(c.newer), name)
		require.Equal(t, 1, c.newer.Compare(c.older), name)
		require.True(t, c.older.StaleAgainst(c.newer), name)
		require.False(t, c.newer.StaleAgainst(c.older), name)
	}
}

func TestSameChange(t *testing.T) {
	t.Parallel()
	v := at(5, 1000, 1001)
	require.Zero(t, v.Compare(v))
	require.False(t, v.StaleAgainst(v))
	require.True(t, v.SameChange(at(5, 1000, 9000)), "emitted twice")
	require.False(t, v.SameChange(at(6, 1000, 1001)))
	require.False(t, v.SameChange(at(5, 1001, 1001)))
	finer := v
	finer.CommitTime = finer.CommitTime.Add(time.Microsecond)
	require.Zero(t, v.Compare(finer), "the source and the index know milliseconds")
}

// TestCompareIsHistory makes histories of a row with one kind of trouble each and wants their order back from every pair.
func TestCompareIsHistory(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20_000) {
		rng := rand.New(rand.NewPCG(seed, 0))
		history := troubled(rng, seed%4)
		for i, older := range history {
			for j, newer := range history[i+1:] {
				require.Equal(t, -1, older.Compare(newer), "seed %d: %d and %d of %v", seed, i, i+1+j, history)
				require.Equal(t, 1, newer.Compare(older), "seed %d: %d and %d of %v", seed, i, i+1+j, history)
			}
		}
	}
}

// troubled is a history, oldest first, in which one of the clocks goes wrong (design §4).
func troubled(rng *rand.Rand, trouble uint64) []connector.Version {
	lsn, commit := uint64(1_000_000), int64(1_000_000)
	emitted := commit + 5
	var history []connector.Version
	for range 2 + rng.IntN(8) {
		lsn += 1 + rng.Uint64N(50)
		if rng.IntN(3) > 0 { // else in the transaction of the one before
			commit += 1 + rng.Int64N(1000)
		}
		emitted = max(emitted+rng.Int64N(3), commit+rng.Int64N(5))
		v := at(lsn, commit, emitted)
		if rng.IntN(3) == 0 {
			switch trouble {
			case 0: // fail-over; nobody is as fast as a millisecond
				lsn = 1 + rng.Uint64N(lsn)
				commit += 2
				emitted = max(emitted, commit) + 5
			case 1: // the clock of the server is set back
				commit -= rng.Int64N(5000)
				emitted++
			case 2: // the connector sends it again, later
				v.Emitted = v.Emitted.Add(time.Duration(rng.Int64N(100_000)) * time.Millisecond)
			case 3: // read by a snapshot, long after its position
				emitted += 1 + rng.Int64N(100_000)
				v.CommitTime, v.Emitted = time.UnixMilli(emitted), time.UnixMilli(emitted)
				emitted++
			}
		}
		history = append(history, v)
	}
	return history
}
