package indexer

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// histories is how many random histories the property tests try.
const histories = 3000

// TestPlanConverges applies random histories of one row, in any order, in part again, cut into batches at random, and wants what a
// reader would expect: the index ends at the newest change, and no batch takes it back, out of a deletion neither.
func TestPlanConverges(t *testing.T) {
	t.Parallel()
	b := newBuilder(t, articles())
	for seed := range uint64(histories) {
		rng := rand.New(rand.NewPCG(seed, 1))
		history := historyOfOne(rng)
		newest := history[len(history)-1]
		deliveries := append([]*connector.Change(nil), history...)
		deliveries = append(deliveries, history[rng.IntN(len(history)):]...)
		rng.Shuffle(len(deliveries), func(i, j int) { deliveries[i], deliveries[j] = deliveries[j], deliveries[i] })
		var index known
		for len(deliveries) > 0 {
			n := 1 + rng.IntN(min(4, len(deliveries)))
			next := applied(t, b, index, deliveries[:n])
			before, _ := index.version()
			after, has := next.version()
			require.True(t, has)
			require.False(t, after.StaleAgainst(before), "seed %d: the row went back", seed)
			index, deliveries = next, deliveries[n:]
		}
		if newest.Op == connector.Delete {
			require.True(t, index.gone(newest.Version), "seed %d", seed)
			continue
		}
		require.Equal(t, storedAs(t, articles(), newest), index.stored, "seed %d", seed)
	}
}

// historyOfOne is what happened to row 1, oldest first.
func historyOfOne(rng *rand.Rand) []*connector.Change {
	history := make([]*connector.Change, 0, 8)
	for lsn := range 1 + rng.IntN(8) {
		if rng.IntN(4) == 0 {
			history = append(history, deleted(1, lsn+1))
		} else {
			history = append(history, upserted(1, lsn+1, string(rune('a'+rng.IntN(3)))))
		}
	}
	return history
}

// applied does to the index what the plan says, and checks that the plan accounts for each change once.
func applied(t *testing.T, b builder, k known, changes []*connector.Change) known {
	t.Helper()
	items := itemsOf(changes...)
	d := planner{builder: b}.plan(items, k)
	require.Empty(t, d.poisoned)
	require.LessOrEqual(t, len(d.stale), len(items))
	switch d.action {
	case skip:
		require.Len(t, d.stale, len(items))
		return k
	case remove:
		return known{stone: &d.version}
	case hold, fetch, clean:
		require.Fail(t, "nothing to wait for")
	case refresh, index:
	}
	require.NotContains(t, d.stale, d.winner)
	next, err := document.ParseState(d.records[0].Metadata)
	require.NoError(t, err)
	require.Equal(t, &next, d.want)
	return known{stored: &next}
}
