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

// TestPlanConverges applies random histories of one row, cut into batches at random, and wants what a reader would expect: the index
// ends at the newest change, and no batch takes it back.
func TestPlanConverges(t *testing.T) {
	t.Parallel()
	b := newBuilder(t, articles())
	for seed := range uint64(histories) {
		rng := rand.New(rand.NewPCG(seed, 1))
		// Without tombstones an older change brings a deleted row back, so histories with deletes come in order, as Key_Shared
		// delivers them, and only replayed from some point on; the others in any order.
		history := historyOfOne(rng, seed%2 == 0)
		newest := history[len(history)-1]
		deliveries := append([]*connector.Change(nil), history...)
		if seed%2 == 0 {
			deliveries = append(deliveries, history[rng.IntN(len(history)):]...)
		} else {
			deliveries = append(deliveries, history[rng.IntN(len(history)):]...)
			rng.Shuffle(len(deliveries), func(i, j int) { deliveries[i], deliveries[j] = deliveries[j], deliveries[i] })
		}
		var index *document.State
		for len(deliveries) > 0 {
			n := 1 + rng.IntN(min(4, len(deliveries)))
			next := applied(t, b, index, deliveries[:n])
			if index != nil && next != nil {
				require.GreaterOrEqual(t, next.Version.LSN, index.Version.LSN, "seed %d: the row went back", seed)
			}
			index, deliveries = next, deliveries[n:]
		}
		if newest.Op == connector.Delete {
			require.Nil(t, index, "seed %d", seed)
			continue
		}
		want := storedAs(t, articles(), newest)
		require.Equal(t, want, index, "seed %d", seed)
	}
}

// historyOfOne is what happened to row 1, oldest first.
func historyOfOne(rng *rand.Rand, deletes bool) []*connector.Change {
	history := make([]*connector.Change, 0, 8)
	for lsn := range 1 + rng.IntN(8) {
		if deletes && rng.IntN(4) == 0 {
			history = append(history, deleted(1, lsn+1))
		} else {
			history = append(history, upserted(1, lsn+1, string(rune('a'+rng.IntN(3)))))
		}
	}
	return history
}

// applied does to the state what the plan says, and checks that the plan accounts for each change once.
func applied(t *testing.T, b builder, state *document.State, changes []*connector.Change) *document.State {
	t.Helper()
	items := itemsOf(changes...)
	d := planned(b, items, state)
	require.Empty(t, d.poisoned)
	require.LessOrEqual(t, len(d.stale), len(items))
	switch d.action {
	case skip:
		require.Len(t, d.stale, len(items))
		return state
	case remove:
		return nil
	case hold, fetch:
		require.Fail(t, "nothing to hold for")
	case refresh, index:
	}
	require.NotContains(t, d.stale, d.winner)
	next, err := document.ParseState(d.records[0].Metadata)
	require.NoError(t, err)
	return &next
}
