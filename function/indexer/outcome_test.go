package indexer

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

// figures are the numbers of an outcome.
type figures struct {
	Kind          Kind
	Chunks, Texts int
}

func figuresOf(t *testing.T, receipts []*receipt) []figures {
	t.Helper()
	list := make([]figures, len(receipts))
	for i, p := range receipts {
		o := p.outcome(t)
		list[i] = figures{o.Kind, o.Chunks, o.Texts}
	}
	return list
}

const threeChunks = "one two three four. five six seven eight. nine ten eleven twelve."

func TestOutcomesTellChunksAndTexts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, chunked)
		first := r.submit(upserted(1, 1, threeChunks))[0].outcome(t)
		require.Equal(t, Indexed, first.Kind)
		require.Greater(t, first.Chunks, 2)
		require.Equal(t, first.Chunks, first.Texts)
		require.Equal(t, time.Now(), first.At)
		require.Equal(t, "1", first.RowID)
		require.Empty(t, first.OldRowID)

		require.Equal(t, []figures{{MetadataOnly, first.Chunks, 0}}, figuresOf(t, r.submit(upserted(1, 2, threeChunks))))
		require.Equal(t, []figures{{Stale, 0, 0}}, figuresOf(t, r.submit(upserted(1, 1, "old"))))
		require.Equal(t, []figures{{Indexed, 1, 1}}, figuresOf(t, r.submit(upserted(1, 3, "short"))))
		require.Equal(t, []figures{{Deleted, 0, 0}}, figuresOf(t, r.submit(deleted(1, 4))))
	})
}

func TestTextsOfABatchAreCountedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		release := r.plug()
		receipts := r.submit(upserted(1, 1, "same"), upserted(2, 2, "same"), upserted(3, 3, "old"), upserted(3, 4, "new"))
		release()
		require.Equal(t, []figures{{Indexed, 1, 1}, {Indexed, 1, 0}, {Superseded, 0, 0}, {Indexed, 1, 1}}, figuresOf(t, receipts))
	})
}

func TestTextsOfARowThatIsRefusedAreTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.store.before = func(op string, ids []string) error {
			if op == "add" && slices.Contains(ids, "1") {
				return errRefuse
			}
			return nil
		}
		require.Equal(t, []figures{{Poison, 0, 1}}, figuresOf(t, r.submit(upserted(1, 1, "lamp"))), "embedded, and paid for")
		require.Equal(t, []figures{{Indexed, 1, 1}}, figuresOf(t, r.submit(upserted(2, 2, "chair"))))
	})
}

func TestAMovedRowTellsBothIDs(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(r *rig) { r.spec.Key = []string{"sku"} })
	moved := upserted(1, 2, "lamp")
	moved.Key, moved.After["sku"], moved.Before = nil, "B", connector.Row{"sku": "A"}
	o := r.submit(moved)[0].outcome(t)
	require.Equal(t, "B", o.RowID)
	require.Equal(t, "A", o.OldRowID)
	require.Equal(t, figures{Indexed, 1, 1}, figures{o.Kind, o.Chunks, o.Texts})
}

func TestTextsAreCountedWhenTheyAreEmbedded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		left := 2
		r.embedder.fault = func(context.Context, []string) error {
			if left--; left >= 0 {
				return errOutage
			}
			return nil
		}
		o := r.submit(upserted(1, 1, "lamp"))[0].outcome(t)
		require.Equal(t, 1, o.Texts, "attempts that failed embedded nothing")
		require.Greater(t, o.Attempts, 2)
	})
}
