package indexer

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAnIdleTableDoesNotLinger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.submit(upserted(1, 1, "x"))[0]
		p.outcome(t)
		require.Equal(t, []time.Duration{0}, r.ledger.latency, "nothing in the indexer waits for company")
	})
}

func TestABatchIsWhateverWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		release := r.plug()
		var receipts []*receipt
		for i := range 20 {
			receipts = append(receipts, r.submit(upserted(i, 1, "x"))...)
		}
		release()
		kinds(t, receipts)
		require.ElementsMatch(t, []int{1, 1, 16, 4}, r.ledger.batches, "two plugs, a full batch, the rest")
	})
}

func TestARowIsInOneBatchAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		r := newRig(t, func(r *rig) {
			r.embedder.fault = func(_ context.Context, texts []string) error {
				if texts[0] == "slow" {
					<-gate
				}
				return nil
			}
		})
		first := r.submit(upserted(1, 1, "slow"))
		second := r.submit(upserted(1, 2, "b"), upserted(1, 3, "c"))
		other := r.submit(upserted(2, 1, "d"))
		require.Equal(t, []Kind{Indexed}, kinds(t, other), "another row overtakes")
		synctest.Wait()
		require.False(t, second[0].settled() || second[1].settled())
		close(gate)
		require.Equal(t, []Kind{Indexed}, kinds(t, first))
		require.Equal(t, []Kind{Superseded, Indexed}, kinds(t, second))
		e, _ := r.store.get("1")
		require.Equal(t, "c", e.document)
	})
}

func TestSubmitBlocksAtTheBound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(r *rig) { r.batch = Batch{MaxRecords: 2, MaxBytes: 1000, InFlight: 1} })
		release := r.plug()
		var receipts []*receipt
		for i := range 4 {
			receipts = append(receipts, r.submit(upserted(i, 1, "x"))...)
		}
		rec, p := record(upserted(5, 1, "y"), 1)
		errs := make(chan error, 1)
		go func() { errs <- r.table.Submit(context.Background(), rec) }()
		synctest.Wait()
		require.Empty(t, errs, "four wait, twice the size of a batch")
		release()
		require.NoError(t, <-errs)
		kinds(t, append(receipts, p))
	})
}

func TestSubmitBlocksAtTheBytesAndLetsAGiantPassAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(r *rig) { r.batch = Batch{MaxRecords: 10, MaxBytes: 250, InFlight: 1} })
		release := r.plug()
		small := r.submit(upserted(1, 1, "x"), upserted(2, 1, "x"))
		giant, p := record(upserted(3, 1, "y"), 10_000)
		errs := make(chan error, 1)
		go func() { errs <- r.table.Submit(context.Background(), giant) }()
		synctest.Wait()
		require.Empty(t, errs)
		release()
		require.NoError(t, <-errs)
		kinds(t, append(small, p))
		require.Equal(t, []int{1, 2, 1}, r.ledger.batches)
	})
}

func TestSubmitGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(r *rig) { r.batch = Batch{MaxRecords: 1, MaxBytes: 1000, InFlight: 1} })
		release := r.plug()
		defer release()
		r.submit(upserted(1, 1, "x"), upserted(2, 1, "x"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		rec, p := record(upserted(3, 1, "x"), 1)
		require.ErrorIs(t, r.table.Submit(ctx, rec), context.DeadlineExceeded)
		require.Equal(t, Interrupted, p.outcome(t).Kind)
	})
}

func TestRowsSettleOneByOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(r *rig) {
			r.embedder.size = 1
			r.embedder.fault = func(ctx context.Context, texts []string) error {
				if texts[0] == "slow" {
					return sleep(ctx, time.Minute)
				}
				return nil
			}
		})
		release := r.plug()
		receipts := r.submit(upserted(1, 1, "slow"), upserted(2, 1, "a"), upserted(3, 1, "b"), upserted(4, 1, "c"))
		release()
		kinds(t, receipts[1:])
		require.False(t, receipts[0].settled(), "one slow request does not keep its batch")
		again := r.submit(upserted(2, 2, "d"))
		require.Equal(t, []Kind{Indexed}, kinds(t, again), "and their rows are free")
		require.False(t, receipts[0].settled())
		kinds(t, receipts)
	})
}

func TestARowThatGotFreeGoesOnAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(r *rig) {
			r.embedder.size = 1
			r.embedder.fault = func(ctx context.Context, texts []string) error {
				return sleep(ctx, map[string]time.Duration{"slow": time.Hour, "quick": time.Second}[texts[0]])
			}
		})
		release := r.plug()
		r.submit(upserted(1, 1, "slow"), upserted(2, 1, "quick"))
		release()
		synctest.Wait()
		p := r.submit(upserted(2, 2, "next"))[0]
		p.outcome(t)
		require.Equal(t, time.Second, p.took(), "not when the batch ends")
	})
}

func TestWhatATableHoldsIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(r *rig) {
			r.batch = Batch{MaxRecords: 8, MaxBytes: 1 << 20, InFlight: 2}
			r.embedder.fault = func(ctx context.Context, _ []string) error { return sleep(ctx, time.Second) }
		})
		var receipts []*receipt
		for i := range 300 {
			receipts = append(receipts, r.submit(upserted(i%40, i+1, fmt.Sprint("title ", i)))...)
		}
		kinds(t, receipts)
		require.LessOrEqual(t, r.ledger.most, 2*8+2*8, "waiting and in work")
		require.Zero(t, r.ledger.inFlight)
	})
}
