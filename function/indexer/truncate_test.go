package indexer

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// truncated is a truncate of the table.
func truncated(lsn int) *connector.Change {
	return &connector.Change{Op: connector.Truncate, Table: connector.Table{Schema: "app", Name: "articles"}, Version: version(lsn)}
}

// markOf reads the mark of the rig's table.
func (r *rig) markOf() (lsn, lease int64) {
	e, _ := r.stones.get(document.TruncateID(r.spec.Table))
	m, err := parseMark("", e.meta, time.Now())
	if err != nil || m.none {
		return 0, 0
	}
	return int64(m.version.LSN), m.lease
}

// remark puts another mark in the place of the rig's, and has the rig see it.
func (r *rig) remark(lsn int, lease int64) {
	r.t.Helper()
	r.stones.mu.Lock()
	r.stones.entries[r.table.mark] = entry{meta: markMeta(lsn, lease)}
	r.stones.mu.Unlock()
	_, err := r.writer.tombstones.readMark(r.t.Context(), r.table.mark)
	require.NoError(r.t, err)
}

func markMeta(lsn int, lease int64) map[string]any {
	meta := map[string]any{document.TruncateKey(version(lsn)): min(lease, 1)}
	if lease > leaseFree {
		meta[document.KeySweep] = lease
	}
	return meta
}

func TestATruncateRemovesWhatIsOlder(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]func(*rig){"one record each": func(*rig) {}, "chunks": chunked} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, option)
				var rows []*connector.Change
				for id := range 30 {
					rows = append(rows, upserted(id, 10+id, long))
				}
				kinds(t, r.submit(rows...))
				from := time.Now()
				require.Equal(t, []Kind{Truncated}, kinds(t, r.submit(truncated(30))))
				require.Equal(t, sweepGrace, time.Since(from))
				requireIndexIs(t, r, rows[20:])
				lsn, lease := r.markOf()
				require.Equal(t, int64(30), lsn)
				require.Zero(t, lease, "nobody waits any more")

				require.Equal(t, []Kind{Stale, Stale, Stale}, kinds(t, r.submit(rows[3], deleted(4, 29), upserted(77, 29, "late"))))
				require.Equal(t, []Kind{Stale, Stale}, kinds(t, r.submit(truncated(30), truncated(2))), "the same again, and an older one")
				r.stop()
				r.start() // nothing is remembered but by the index
				require.Equal(t, []Kind{Stale, Stale}, kinds(t, r.submit(rows[5], truncated(29))))
				requireIndexIs(t, r, rows[20:])
				require.Equal(t, []Kind{Indexed, Deleted}, kinds(t, r.submit(upserted(5, 40, "back"), deleted(25, 41))))
				require.Equal(t, []Kind{Truncated}, kinds(t, r.submit(truncated(50))))
				require.Empty(t, r.store.ids())
				require.Equal(t, 2, r.ledger.kinds[Truncated])
				require.Zero(t, r.ledger.inFlight)
			})
		})
	}
}

func TestOtherRecordsFlowBesideATruncate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		kinds(t, r.submit(upserted(1, 1, "a"), upserted(2, 2, "b"), upserted(3, 3, "c")))
		from := time.Now()
		truncate := r.submit(truncated(5))
		synctest.Wait()
		require.Equal(t, []Kind{Stale, Indexed, Indexed}, kinds(t, r.submit(upserted(1, 4, "old"), upserted(2, 6, "new"), upserted(9, 7, "new"))))
		require.Less(t, time.Since(from), time.Second, "a key that is used again waits for nobody")
		require.False(t, truncate[0].settled())
		require.Equal(t, []string{"1", "2", "3", "9"}, r.store.ids())
		require.Equal(t, []Kind{Truncated}, kinds(t, truncate))
		requireIndexIs(t, r, []*connector.Change{upserted(2, 6, "new"), upserted(9, 7, "new")})
	})
}

func TestTruncatesThatWaitShareASweep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		from := time.Now()
		receipts := r.submit(truncated(5))
		synctest.Wait()
		receipts = append(receipts, r.submit(truncated(7), truncated(9), truncated(8))...)
		require.Equal(t, []Kind{Truncated, Superseded, Truncated, Superseded}, kinds(t, receipts))
		require.Equal(t, 2*sweepGrace, time.Since(from))
		lsn, _ := r.markOf()
		require.Equal(t, int64(9), lsn)
	})
}

func TestTooManyTruncatesWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.submit(truncated(1))
		synctest.Wait()
		for i := range maxTruncates {
			r.submit(truncated(2 + i))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		rec, p := record(truncated(500), 1)
		require.ErrorIs(t, r.table.Submit(ctx, rec), context.DeadlineExceeded)
		require.Equal(t, Interrupted, p.outcome(t).Kind)
	})
}

func TestATruncateIsLeftWhenTheTableIsDrained(t *testing.T) {
	t.Parallel()
	for name, wait := range map[string]time.Duration{"before it deletes": time.Second, "in the middle": sweepGrace + 2*time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				kinds(t, r.submit(upserted(1, 1, "a")))
				r.store.hold = func(ctx context.Context, op string) {
					if op == "below" {
						_ = sleep(ctx, 3*time.Second)
					}
				}
				receipts := r.submit(truncated(5))
				<-time.After(wait)
				receipts = append(receipts, r.submit(truncated(6))...)
				from := time.Now()
				r.table.Drain(t.Context())
				require.LessOrEqual(t, time.Since(from), 3*time.Second)
				require.Equal(t, []Kind{Interrupted, Interrupted}, kinds(t, receipts))
				r.stop()
				r.start()
				require.Equal(t, []Kind{Truncated}, kinds(t, r.submit(truncated(5))))
				require.Empty(t, r.store.ids())
			})
		})
	}
}

// TestATruncateIsFinishedAfterACrash ends a process at each call to the store.
func TestATruncateIsFinishedAfterACrash(t *testing.T) {
	t.Parallel()
	for crash := range 14 {
		t.Run(strconv.Itoa(crash), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, chunked)
				kinds(t, r.submit(upserted(1, 1, long), upserted(2, 2, long), upserted(3, 9, long)))
				var calls atomic.Int64
				die := func(string, []string) error {
					if calls.Add(1) > int64(crash) {
						return errOutage
					}
					return nil
				}
				r.store.before, r.stones.before = die, die
				p := r.submit(truncated(5))
				<-time.After(2 * sweepGrace)
				r.stop()
				kinds(t, p)
				r.store.before, r.stones.before = nil, nil
				r.start()
				kinds(t, r.submit(upserted(2, 3, "old")))
				require.Equal(t, []Kind{pickKind(p[0].outcome(t).Kind == Truncated, Stale, Truncated)}, kinds(t, r.submit(truncated(5))))
				requireIndexIs(t, r, []*connector.Change{upserted(3, 9, long)})
			})
		})
	}
}

func pickKind(first bool, a, b Kind) Kind {
	if first {
		return a
	}
	return b
}

func TestATruncateConcernsItsTableOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(r *rig) { r.spec.PrefixIDs = true })
		kinds(t, r.submit(upserted(1, 1, "a")))
		state := r.store.entries["app.articles/1"]
		r.store.entries["app.reviews/1"], r.store.entries["app.articles2/1"] = state, state
		require.Equal(t, []Kind{Truncated}, kinds(t, r.submit(truncated(5))))
		require.Equal(t, []string{"app.articles2/1", "app.reviews/1"}, r.store.ids())
	})
}

func TestWithoutTombstonesTruncatesAreIgnored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(r *rig) { r.stones = nil })
		o := r.submit(truncated(1))[0].outcome(t)
		require.Equal(t, Ignored, o.Kind)
		require.Equal(t, "truncate", o.Reason)
	})
}
