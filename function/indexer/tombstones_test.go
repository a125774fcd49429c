package indexer

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

func TestADeletedRowDoesNotComeBack(t *testing.T) {
	t.Parallel()
	emptied := upserted(1, 13, "")
	for name, gone := range map[string]*connector.Change{"deleted": deleted(1, 13), "its text is empty": emptied} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				require.Equal(t, []Kind{Indexed}, kinds(t, r.submit(upserted(1, 10, "a"))))
				require.Equal(t, []Kind{Deleted}, kinds(t, r.submit(gone)))
				require.Empty(t, r.store.ids())
				stone, _ := r.stones.get("1")
				require.Len(t, stone.vector, 1)
				require.Equal(t, time.Now().UnixMilli(), stone.meta[document.KeyDeleted])

				r.stop()
				r.start() // nothing is remembered but by the index
				for _, old := range []*connector.Change{upserted(1, 10, "a"), upserted(1, 12, "b"), deleted(1, 9), gone} {
					require.Equal(t, []Kind{Stale}, kinds(t, r.submit(old)), old.Version.LSN)
				}
				require.Empty(t, r.store.ids())
				require.Equal(t, []Kind{Indexed}, kinds(t, r.submit(upserted(1, 14, "c"))), "the key is used again")
				require.Equal(t, []Kind{Stale}, kinds(t, r.submit(gone)))
				require.Equal(t, []Kind{Deleted}, kinds(t, r.submit(deleted(1, 15))))
				require.Equal(t, []Kind{Stale}, kinds(t, r.submit(upserted(1, 14, "c"))))
				require.Empty(t, r.store.ids())
			})
		})
	}
}

func TestADeletionOfARowThatNeverCameIsRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		require.Equal(t, []Kind{Deleted}, kinds(t, r.submit(deleted(1, 13))))
		require.Equal(t, []Kind{Stale}, kinds(t, r.submit(upserted(1, 12, "late"))))
		require.Equal(t, []Kind{Deleted}, kinds(t, r.submit(deleted(1, 20))), "a later one counts")
		require.Equal(t, []Kind{Stale}, kinds(t, r.submit(upserted(1, 19, "late"))))
		require.Empty(t, r.store.ids())
	})
}

func TestTombstonesAreReadOnlyForRowsThatTheIndexDoesNotHold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		kinds(t, r.submit(upserted(1, 1, "a"), upserted(2, 1, "a")))
		before := len(r.stones.of("get"))
		kinds(t, r.submit(upserted(1, 2, "b")))
		require.Len(t, r.stones.of("get"), before)
		release := r.plug()
		before = len(r.stones.of("get"))
		receipts := r.submit(upserted(1, 3, "c"), upserted(3, 3, "c"), upserted(2, 3, "c"), upserted(4, 3, "c"))
		release()
		kinds(t, receipts)
		gets := slices.DeleteFunc(r.stones.of("get")[before:], func(c call) bool { return !slices.Contains(c.ids, "3") }) // those of the rows in the way
		require.Len(t, gets, 2, "looked up and confirmed")
		for _, c := range gets {
			ids := slices.DeleteFunc(slices.Clone(c.ids), func(id string) bool { return strings.HasPrefix(id, "90") }) // confirmed in one group
			require.Equal(t, []string{"3", "4", document.TruncateID("app.articles")}, ids, "the table's mark comes along")
		}
	})
}

// TestTheTombstoneComesFirst ends a process at each write of a deletion.
func TestTheTombstoneComesFirst(t *testing.T) {
	t.Parallel()
	for crash := range 4 {
		t.Run(strconv.Itoa(crash), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, chunked)
				kinds(t, r.submit(upserted(1, 5, long)))
				writes := 0
				die := func(op string, _ []string) error {
					if op == "get" {
						return nil
					}
					if writes++; writes > crash {
						return errOutage
					}
					return nil
				}
				r.store.before, r.stones.before = die, die
				p := r.submit(deleted(1, 9))
				synctest.Wait()
				r.stop()
				kinds(t, p)
				r.store.before, r.stones.before = nil, nil
				r.start()
				_, held := r.store.get("1")
				_, buried := r.stones.get("1")
				require.Equal(t, crash > 0, buried)
				require.True(t, held || buried)
				if !held {
					require.Equal(t, []Kind{Stale}, kinds(t, r.submit(upserted(1, 7, "old"))))
				}
				kinds(t, r.submit(upserted(1, 8, long), deleted(1, 9)))
				require.Empty(t, r.store.ids())
				require.Equal(t, []Kind{Stale}, kinds(t, r.submit(upserted(1, 8, long))))
			})
		})
	}
}

// TestAnUnfinishedRowDoesNotHideItsTombstone ends a process in the middle of a row of many records that comes after a deletion.
func TestAnUnfinishedRowDoesNotHideItsTombstone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, chunked)
		kinds(t, r.submit(deleted(1, 9)))
		written := 0
		r.store.before = func(op string, _ []string) error {
			if puts(op) {
				written++
			}
			if written > 1 {
				return errOutage
			}
			return nil
		}
		p := r.submit(upserted(1, 20, long))
		synctest.Wait()
		r.stop()
		kinds(t, p)
		r.store.before = nil
		r.start()
		require.Equal(t, []string{"1"}, r.store.ids(), "announced")
		require.Equal(t, []Kind{Stale}, kinds(t, r.submit(upserted(1, 8, "old"))))
		require.Equal(t, []Kind{Indexed}, kinds(t, r.submit(upserted(1, 20, long))))
		requireIndexIs(t, r, []*connector.Change{upserted(1, 20, long)})
	})
}

func TestAnAgedTombstoneIsReadAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.embedder.fault = func(ctx context.Context, _ []string) error {
			other := tombstone("1", version(20)) // of another instance, meanwhile
			r.stones.entries["1"] = entry{meta: other.record.Metadata}
			return sleep(ctx, fenceAge+time.Second)
		}
		require.Equal(t, []Kind{Stale}, kinds(t, r.submit(upserted(1, 10, "ours"))))
		require.Empty(t, r.store.ids())
	})
}

func TestADeletionWhoseAnswerWasLostIsDone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		kinds(t, r.submit(upserted(1, 1, "a")))
		lost := false
		r.store.after = func(op string, _ []string) error {
			if op == "delete" && !lost {
				lost = true
				return errOutage
			}
			return nil
		}
		require.Equal(t, []Kind{Deleted}, kinds(t, r.submit(deleted(1, 2))))
		require.Len(t, r.stones.of("upsert"), 1)
	})
}

func TestADamagedTombstoneIsNotPassedOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.stones.entries["1"] = entry{meta: map[string]any{document.KeyLSN: "what"}}
		o := r.submit(upserted(1, 1, "x"))[0].outcome(t)
		require.Equal(t, Poison, o.Kind)
		require.Equal(t, document.ReasonBadState, o.Reason)
	})
}

func TestExpiredTombstonesAreSwept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		kinds(t, r.submit(deleted(1, 1)))
		r.stones.mu.Lock()
		for i := range 3*sweepPage + 7 {
			r.stones.entries[fmt.Sprint("old", i)] = entry{meta: map[string]any{document.KeyDeleted: time.Now().Add(-week).UnixMilli() - 1}}
		}
		fails := 1
		r.stones.before = func(op string, _ []string) error {
			if op == "expire" && fails > 0 {
				fails--
				return errOutage
			}
			return nil
		}
		r.stones.mu.Unlock()
		<-time.After(2 * sweepInterval)
		require.Len(t, r.stones.of("expire"), 1, "the next sweep is another chance")
		<-time.After(2 * sweepInterval)
		require.Equal(t, []string{"1"}, r.stones.ids())
		<-time.After(week)
		require.Empty(t, r.stones.ids())
	})
}

func TestWithoutTombstones(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(r *rig) { r.stones = nil })
		kinds(t, r.submit(upserted(1, 1, "a")))
		require.Equal(t, []Kind{Deleted, Deleted}, kinds(t, r.submit(deleted(1, 2), deleted(2, 2))))
		require.Empty(t, r.store.ids())
	})
}
