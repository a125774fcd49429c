package indexer

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

func TestTableFollowsARow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		require.Equal(t, []Kind{Indexed}, kinds(t, r.submit(upserted(1, 10, "first"))))
		e, ok := r.store.get("1")
		require.True(t, ok)
		require.Equal(t, "first", e.document)
		require.Equal(t, vectorOf("first"), e.vector)
		require.EqualValues(t, 10, e.meta["price"])
		require.EqualValues(t, 10, e.meta[document.KeyLSN])

		require.Equal(t, []Kind{MetadataOnly}, kinds(t, r.submit(upserted(1, 11, "first"))))
		e, _ = r.store.get("1")
		require.EqualValues(t, 11, e.meta["price"])
		require.Equal(t, []Kind{Stale}, kinds(t, r.submit(upserted(1, 10, "first"))), "older than the index")
		require.Equal(t, []Kind{Stale}, kinds(t, r.submit(upserted(1, 11, "first"))), "the same change again")
		require.Len(t, r.embedder.seen(), 1)

		require.Equal(t, []Kind{Indexed}, kinds(t, r.submit(upserted(1, 12, "second"))))
		require.Equal(t, []Kind{Deleted}, kinds(t, r.submit(deleted(1, 13))))
		require.Empty(t, r.store.ids())
		require.Equal(t, []Kind{Stale}, kinds(t, r.submit(deleted(1, 13))), "the same deletion again")
		require.Zero(t, r.ledger.inFlight)
	})
}

func TestTableRejectsWhatHasNoID(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	bad := upserted(1, 1, "x")
	bad.After["id"] = int64(2)
	o := r.submit(bad)[0].outcome(t)
	require.Equal(t, Poison, o.Kind)
	require.Equal(t, document.ReasonKeyMismatch, o.Reason)
	require.Equal(t, "plan", o.Stage)
	require.Empty(t, r.store.ops(), "it never came so far")
}

func TestTableHaltsWithoutAKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		keyless := upserted(1, 1, "x")
		keyless.Key = nil
		rec, p := record(keyless, 1)
		errs := make(chan error, 1)
		go func() { errs <- r.table.Submit(context.Background(), rec) }()
		synctest.Wait()
		require.Equal(t, Halted, r.table.Condition().State)
		require.Contains(t, r.table.Condition().Cause, "tables.app.articles.key")
		r.table.Drain(t.Context())
		require.Equal(t, ClassInterrupted, Classify(<-errs))
		require.Equal(t, Interrupted, p.outcome(t).Kind)
	})
}

func TestTableHoldsRowsWhoseTemplateColumnIsMissing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		bad := upserted(1, 1, "x")
		delete(bad.After, "title")
		held := r.submit(bad)[0]
		synctest.Wait()
		require.Equal(t, Halted, r.table.Condition().State)
		require.Contains(t, r.table.Condition().Cause, "title")
		require.False(t, held.settled())

		ctx, cancel := context.WithTimeout(t.Context(), 65*time.Second)
		defer cancel()
		rec, p := record(upserted(2, 2, "y"), 1)
		require.ErrorIs(t, r.table.Submit(ctx, rec), context.DeadlineExceeded, "a halted table takes nothing")
		require.Equal(t, Interrupted, p.outcome(t).Kind)
		require.Len(t, r.store.of("get"), 3, "planned again every 30 s")

		r.table.Drain(t.Context())
		require.Equal(t, Interrupted, held.outcome(t).Kind)
		require.Equal(t, Running, r.table.Condition().State)
	})
}

func TestTableReportsFreshnessAndLatency(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(r *rig) {
			r.embedder.fault = func(context.Context, []string) error { return sleep(t.Context(), 2*time.Second) }
		})
		c := upserted(1, 1, "x")
		c.Version.CommitTime = time.Now().Add(-3 * time.Second)
		kinds(t, r.submit(c))
		require.Equal(t, []time.Duration{5 * time.Second}, r.ledger.fresh)
		require.Equal(t, []time.Duration{2 * time.Second}, r.ledger.latency)
	})
}

// sleep waits on the bubble's clock.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestTableMovesARowWhoseConfiguredKeyChanged(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(r *rig) { r.spec.Key = []string{"sku"} })
	c := upserted(1, 1, "lamp")
	c.Key, c.After["sku"] = nil, "A"
	kinds(t, r.submit(c))
	require.Equal(t, []string{"A"}, r.store.ids())

	moved := upserted(1, 2, "lamp")
	moved.Key, moved.After["sku"], moved.Before = nil, "B", connector.Row{"sku": "A"}
	require.Equal(t, []Kind{Indexed}, kinds(t, r.submit(moved)))
	require.Equal(t, []string{"B"}, r.store.ids())
	require.Equal(t, map[Kind]int{Indexed: 2}, r.ledger.kinds, "two records, however many items")
	require.Zero(t, r.ledger.inFlight)
}

func TestPairTellsTheWorseHalf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ old, moved, want Kind }{
		{Deleted, Indexed, Indexed},
		{Deleted, MetadataOnly, MetadataOnly},
		{Deleted, Deleted, Deleted},
		{Deleted, Poison, Poison},
		{Interrupted, Poison, Interrupted},
		{Poison, Indexed, Poison},
		{Deleted, Interrupted, Interrupted},
	} {
		for _, order := range [][2]Kind{{c.old, c.moved}, {c.moved, c.old}} {
			var p pair
			_, whole := p.join(Outcome{Kind: order[0]})
			require.False(t, whole, "one half is not the record")
			o, whole := p.join(Outcome{Kind: order[1]})
			require.True(t, whole)
			require.Equal(t, c.want, o.Kind, "%v", order)
		}
	}
}
