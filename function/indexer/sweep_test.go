package indexer

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/document"
)

// stock puts rows into a store as if they had been indexed, and returns their ids.
func stock(t *testing.T, s *fakeStore, prefix string, n, lsn int) []string {
	t.Helper()
	stored := storedAs(t, articles(), upserted(1, lsn, "x"))
	meta := map[string]any{document.KeyFingerprint: stored.Fingerprint, document.KeyChunks: int64(1)}
	document.SetVersion(meta, stored.Version)
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("%s%05d", prefix, i)
		s.entries[ids[i]] = entry{meta: meta}
	}
	return ids
}

func TestALongSweepGoesPageByPageAndTells(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log lines
		r := newRig(t)
		r.table.log = slog.New(slog.NewTextHandler(&log, nil))
		stock(t, r.store, "", 2*clearPage+7, 3)
		r.store.hold = func(ctx context.Context, op string) {
			if op == "delete" {
				_ = sleep(ctx, 13*time.Second)
			}
		}
		require.Equal(t, []Kind{Truncated}, kinds(t, r.submit(truncated(5))))
		require.Empty(t, r.store.ids())
		require.Len(t, r.store.of("below"), 4, "three pages, and a look that finds nothing")
		for _, c := range r.store.of("delete") {
			require.LessOrEqual(t, len(c.ids), groupRecords)
		}
		puts := r.stones.of("upsert")
		for i := range puts[1 : len(puts)-1] {
			require.LessOrEqual(t, puts[i+1].at.Sub(puts[i].at), leaseLife/2, "the lease is kept")
		}
		told := log.text()
		require.Contains(t, told, "the table was truncated")
		require.Contains(t, told, "truncate under way")
		require.Contains(t, told, "removed=10007")
	})
}

// TestRecordsThatGoUnderASweepHideNone has most of another table's records disappear while their collection is listed.
func TestRecordsThatGoUnderASweepHideNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(r *rig) { r.spec.PrefixIDs = true })
		others := stock(t, r.store, "a.others/", clearPage+2000, 3)
		stock(t, r.store, "app.articles/", 2, 3)
		lists := 0
		r.store.after = func(op string, _ []string) error {
			if op == "below" {
				if lists++; lists == 1 {
					for _, id := range others[:clearPage] {
						delete(r.store.entries, id)
					}
				}
			}
			return nil
		}
		require.Equal(t, []Kind{Truncated}, kinds(t, r.submit(truncated(5))))
		require.Equal(t, others[clearPage:], r.store.ids())
	})
}

// TestARowThatIsNewMeanwhileIsNotRemoved gives the writer a removal that was planned a moment ago.
func TestARowThatIsNewMeanwhileIsNotRemoved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		kinds(t, r.submit(upserted(1, 9, "new"), upserted(2, 3, "old")))
		r.remark(5, 7)
		r.writer.tombstones.marks.hold(r.table.mark, []int64{7}, time.Now())
		answer := make(chan written, 2)
		for _, id := range []string{"1", "2"} {
			k := known{stored: storedAs(t, articles(), upserted(2, 3, "old")), mark: &mark{version: version(5)}}
			r.writer.submit(newRemoval(r.table, id, k, time.Now(), answer))
		}
		require.ElementsMatch(t, []bool{true, false}, []bool{(<-answer).changed, (<-answer).changed})
		require.Equal(t, []string{"1"}, r.store.ids())
	})
}

func TestDamagedRecords(t *testing.T) {
	t.Parallel()
	t.Run("a row is left to verify", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			kinds(t, r.submit(upserted(1, 1, "a")))
			r.store.entries["x"] = entry{meta: map[string]any{document.KeyLSN: int64(1), document.KeyCommitTime: "?"}}
			r.store.entries["y"] = entry{meta: map[string]any{"colour": "red"}}
			require.Equal(t, []Kind{Truncated}, kinds(t, r.submit(truncated(5))))
			require.Equal(t, []string{"x", "y"}, r.store.ids())
		})
	})
	t.Run("a mark halts its table", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			r.stones.entries[r.table.mark] = entry{meta: map[string]any{document.KeyLSN: "what"}}
			p := r.submit(upserted(1, 1, "x"))
			synctest.Wait()
			require.False(t, p[0].settled())
			require.Equal(t, Halted, r.table.Condition().State)
			require.Contains(t, r.table.Condition().Cause, r.table.mark)
			r.stones.mu.Lock()
			delete(r.stones.entries, r.table.mark)
			r.stones.mu.Unlock()
			require.Equal(t, []Kind{Indexed}, kinds(t, p))
		})
	})
}

func TestAMarkIsReadAtMostEveryTwoSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		kinds(t, r.submit(upserted(1, 1, "a")))
		before := len(r.stones.of("get"))
		for i := range 100 { // of a row that the index holds
			kinds(t, r.submit(upserted(1, 2+i, "a")))
			<-time.After(100 * time.Millisecond)
		}
		require.LessOrEqual(t, len(r.stones.of("get"))-before, 5)
		require.NotEmpty(t, r.stones.of("get")[before:])
	})
}

func TestAMarkDoesNotExpire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		kinds(t, r.submit(truncated(5), deleted(1, 6)))
		<-time.After(3 * week)
		require.Equal(t, []string{r.table.mark}, r.stones.ids())
		require.Equal(t, []Kind{Stale}, kinds(t, r.submit(upserted(1, 4, "old"))))
	})
}

func TestTheClockThatIsNotKnown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		sooner := upserted(1, 5, "a") // of the truncate's transaction: only the clock that the truncate does not tell says that it is older
		sooner.Version.Emitted = sooner.Version.CommitTime.Add(-time.Millisecond)
		later := upserted(3, 5, "c")
		later.Version.Emitted = later.Version.CommitTime.Add(time.Millisecond)
		kinds(t, r.submit(sooner, later, upserted(2, 4, "b")))
		require.True(t, sooner.Version.StaleAgainst(version(5)))
		require.Equal(t, []Kind{Truncated}, kinds(t, r.submit(truncated(5))))
		require.Equal(t, []string{"3"}, r.store.ids())
	})
}

// lines is a log's sink.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestARowsOwnRemovalWaitsForASweep has a sweep begin between the look at a row and the removal of what is dead of it.
func TestARowsOwnRemovalWaitsForASweep(t *testing.T) {
	t.Parallel()
	for lease, goes := range map[int64]bool{0: true, leaseFree: true, 9: false} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			kinds(t, r.submit(upserted(2, 3, "old")))
			r.remark(5, lease)
			answer := make(chan written, 1)
			j := newRemoval(r.table, "2", known{stored: storedAs(t, articles(), upserted(2, 3, "old"))}, time.Now(), answer)
			j.row = &row{id: "2"}
			r.writer.submit(j)
			require.Equal(t, !goes, (<-answer).changed)
			require.Equal(t, goes, len(r.store.ids()) == 0)
		})
	}
}
