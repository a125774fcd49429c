package indexer

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDrainBeforeAnything(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.table.Drain(context.Background())
	r.table.Drain(context.Background())
	rec, p := record(upserted(1, 1, "x"), 1)
	require.ErrorIs(t, r.table.Submit(context.Background(), rec), ErrDraining)
	require.Equal(t, Interrupted, p.outcome(t).Kind)
}

func TestDrainLetsWorkEndAndLeavesTheRest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(r *rig) {
			r.batch = Batch{MaxRecords: 1, MaxBytes: 1 << 10, InFlight: 1}
			r.embedder.fault = func(ctx context.Context, _ []string) error { return sleep(ctx, 3*time.Second) }
		})
		receipts := r.submit(upserted(1, 1, "x"), upserted(2, 1, "x"), upserted(3, 1, "x"))
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		defer cancel()
		began := time.Now()
		r.table.Drain(ctx)
		require.Equal(t, 3*time.Second, time.Since(began), "no longer than the work takes")
		require.Equal(t, []Kind{Indexed, Interrupted, Interrupted}, kinds(t, receipts))
		require.Equal(t, []string{"1"}, r.store.ids())
		require.Zero(t, r.ledger.inFlight)
	})
}

func TestDrainGivesUpAtItsDeadline(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"endpoint", "store", "writer"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				ends := make(chan struct{})
				switch at {
				case "endpoint":
					r.embedder.fault = func(ctx context.Context, _ []string) error { return sleep(ctx, time.Hour) }
				case "store":
					r.store.hold = func(ctx context.Context, _ string) { <-ctx.Done() }
				case "writer": // its calls end with the writer, not with the table
					r.store.hold = func(ctx context.Context, op string) {
						if op == "add" {
							<-ctx.Done()
							close(ends)
						}
					}
				}
				p := r.submit(upserted(1, 1, "x"))
				ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
				defer cancel()
				began := time.Now()
				r.table.Drain(ctx)
				require.Equal(t, 8*time.Second, time.Since(began))
				require.Equal(t, []Kind{Interrupted}, kinds(t, p))
				if at == "writer" {
					r.writer.Stop(ctx)
					<-ends
				}
			})
		})
	}
}

func TestDrainDoesNotWaitForRetries(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"endpoint", "lookup", "write", "halt", "open"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(r *rig) {
					if at == "open" {
						r.open = func(context.Context) (Store, error) { return nil, errOutage }
					}
					r.embedder.fault = func(context.Context, []string) error {
						return map[string]error{"endpoint": errOutage, "halt": errKey}[at]
					}
					r.store.before = func(op string, _ []string) error {
						if (at == "lookup" && op == "get") || (at == "write" && op == "add") {
							return errOutage
						}
						return nil
					}
				})
				p := r.submit(upserted(1, 1, "x"), upserted(1, 2, "y"))
				<-time.After(12345 * time.Millisecond)
				began := time.Now()
				r.table.Drain(t.Context())
				require.Zero(t, time.Since(began), "no flush with back-off")
				require.Equal(t, []Kind{Interrupted, Interrupted}, kinds(t, p), "an outage is neither poison nor lost")
			})
		})
	}
}

// TestDrainOfOneTableLeavesAnother has both in one failing group of the writer.
func TestDrainOfOneTableLeavesAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		back := time.Now().Add(time.Minute)
		r := newRig(t, func(r *rig) {
			r.store.before = func(op string, _ []string) error {
				if op == "add" && time.Now().Before(back) {
					return errOutage
				}
				return nil
			}
		})
		twin := NewTable(TableConfig{Table: "app.twin", Builder: newBuilder(t, articles())}, r.pool, r.writer, Options{})
		rec, theirs := record(upserted(7, 1, "twin"), 1)
		require.NoError(t, twin.Submit(t.Context(), rec))
		ours := r.submit(upserted(1, 1, "x"))
		<-time.After(10 * time.Second)
		require.Equal(t, Retrying, twin.Condition().State)
		r.table.Drain(t.Context())
		require.Equal(t, []Kind{Interrupted}, kinds(t, ours))
		require.Equal(t, Indexed, theirs.outcome(t).Kind)
		require.Equal(t, []string{"7"}, r.store.ids())
		twin.Drain(t.Context())
	})
}

func TestDrainWakesBlockedSubmits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(r *rig) { r.batch = Batch{MaxRecords: 1, MaxBytes: 1 << 10, InFlight: 1} })
		release := r.plug()
		defer release()
		r.submit(upserted(1, 1, "x"), upserted(2, 1, "x"))
		errs := make(chan error, 3)
		for i := range 3 {
			go func() {
				rec, _ := record(upserted(10+i, 1, "x"), 1)
				errs <- r.table.Submit(context.Background(), rec)
			}()
		}
		synctest.Wait()
		go r.table.Drain(context.Background())
		for range 3 {
			require.ErrorIs(t, <-errs, ErrDraining)
		}
	})
}

// TestStartStopStress ends tables while they are being fed, from many sides.
func TestStartStopStress(t *testing.T) {
	t.Parallel()
	store, embedder := newFakeStore(), &fakeEmbedder{size: 3}
	pool, builder := NewEmbedPool(embedder, 2), newBuilder(t, articles())
	for round := range 50 {
		writer := NewWriter(func(context.Context) (Store, error) { return store, nil })
		table := NewTable(TableConfig{Table: "t", Builder: builder, Batch: Batch{MaxRecords: 4, InFlight: 2}}, pool, writer, Options{})
		var work sync.WaitGroup
		work.Go(func() { writer.Run(context.Background()) })
		receipts := make([]*receipt, 60)
		for i := range 3 {
			work.Go(func() {
				for n := range 20 {
					rec, p := record(upserted(i*7+n%7, round*100+n+1, fmt.Sprint(round, i, n)), 10)
					receipts[i*20+n] = p
					_ = table.Submit(context.Background(), rec) // refused or not, it is settled
				}
			})
		}
		ctx, cancel := context.WithCancel(context.Background())
		for range 4 {
			work.Go(func() { table.Drain(ctx) })
		}
		work.Go(func() { writer.Stop(ctx) })
		work.Go(cancel)
		work.Wait()
		for _, p := range receipts {
			p.outcome(t)
		}
	}
}
