package indexer

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// TestWhatIsAddedAfterItsDeletionGoes though calls fail: the deletion is done by then, and nobody comes back for the row.
func TestWhatIsAddedAfterItsDeletionGoes(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"few words", long} {
		for _, tomb := range []bool{false, true} { // the row was deleted before, too
			for _, lost := range []string{"", "add", "get", "delete", "get of a stone"} { // the first answer of these that is lost
				t.Run(fmt.Sprint(len(text), tomb, lost), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						one := newRig(t, chunked)
						two := besides(t, one)
						if tomb {
							kinds(t, two.submit(deleted(1, 5)))
						}
						added := false
						between(one, "add", func() {
							require.Equal(t, []Kind{Deleted}, kinds(t, two.submit(deleted(1, 20))))
						})
						fail := func(op string) error { // called with the lock of its store held
							added = added || op == "add"
							if added && op == lost {
								lost = ""
								return errOutage
							}
							return nil
						}
						one.store.after = func(op string, _ []string) error { return fail(op) }
						one.stones.after = func(op string, _ []string) error { return fail(op + " of a stone") }
						require.Equal(t, []Kind{Stale}, kinds(t, one.submit(upserted(1, 10, text))))
						require.Empty(t, lost)
						requireIndexIs(t, one, nil)
					})
				})
			}
		}
	}
}

// TestWhatIsAddedAfterATruncateGoes: its sweep is over by then, or has passed the row by and stands still.
func TestWhatIsAddedAfterATruncateGoes(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"few words", long} {
		for name, done := range map[string]bool{"done": true, "under way": false} {
			t.Run(fmt.Sprint(len(text), name), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					one := newRig(t, chunked)
					two := besides(t, one)
					kinds(t, two.submit(upserted(2, 1, "another row")))
					if !done {
						two.store.hold = holding("delete", 1, 20*time.Second)
					}
					var truncate []*receipt
					between(one, "add", func() {
						truncate = two.submit(truncated(20))
						<-time.After(2 * sweepGrace)
					})
					require.Equal(t, []Kind{Stale}, kinds(t, one.submit(upserted(1, 10, text))))
					require.Equal(t, []Kind{Truncated}, kinds(t, truncate))
					requireIndexIs(t, one, nil)
				})
			})
		}
	}
}

// TestAnAnnouncementThatIsRemovedIsNotCommitted has an older deletion come right after the row was announced.
func TestAnAnnouncementThatIsRemovedIsNotCommitted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one := newRig(t, chunked)
		two := besides(t, one)
		between(one, "upsert", func() { require.Equal(t, []Kind{Deleted}, kinds(t, two.submit(deleted(1, 5)))) })
		require.Equal(t, []Kind{Indexed}, kinds(t, one.submit(upserted(1, 10, long))))
		requireIndexIs(t, one, []*connector.Change{upserted(1, 10, long)})
	})
}

// TestAnAnnouncementOfAnotherStays, though the row's change is stale.
func TestAnAnnouncementOfAnotherStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one := newRig(t, chunked)
		two := besides(t, one)
		kinds(t, two.submit(deleted(1, 20)))
		theirs := storedMeta(t, one.spec, upserted(1, 30, otherLong))
		delete(theirs, document.KeyLSN)
		between(one, "add", func() {
			one.store.entries["1"] = entry{document: "theirs", meta: theirs}
		})
		require.Equal(t, []Kind{Stale}, kinds(t, one.submit(upserted(1, 10, long))))
		require.Empty(t, one.store.of("delete"))
	})
}

// TestARowThatAnEarlierBuildTookOverStays: it does not know the number of who announced the row, and leaves it.
func TestARowThatAnEarlierBuildTookOverStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, chunked)
		theirs := storedMeta(t, r.spec, upserted(1, 20, "theirs"))
		between(r, "upsert", func() {
			theirs[document.KeyBy] = r.store.entries["1"].meta[document.KeyBy]
			r.store.entries["1"] = entry{document: "theirs", meta: theirs}
		})
		require.Equal(t, []Kind{Stale}, kinds(t, r.submit(upserted(1, 10, long))))
		e, _ := r.store.get("1")
		require.Equal(t, entry{document: "theirs", meta: theirs}, e)
		require.NotNil(t, e.meta[document.KeyBy])
	})
}

// TestFloatsThatComeBackChanged: Chroma 1.5.9 gives 64 of 500 floats back with another last bit.
func TestFloatsThatComeBackChanged(t *testing.T) {
	t.Parallel()
	for text, ops := range map[string][]string{
		"few words": {"get", "add", "get"},
		long:        {"get", "add", "get", "upsert", "get", "update"},
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, chunked)
				changed := false
				r.store.after = func(op string, ids []string) error { // called with the lock held
					meta := r.store.entries[ids[0]].meta
					if price, has := meta["price"].(float64); has && op == "add" {
						meta["price"], changed = math.Nextafter(price, 0), true
					}
					return nil
				}
				c := upserted(1, 10, text)
				c.After["price"] = 12.088995980580641
				require.Equal(t, []Kind{Indexed}, kinds(t, r.submit(c)))
				require.Equal(t, ops, r.store.ops())
				require.Equal(t, !slices.Contains(ops, "update"), changed)
			})
		})
	}
}

// TestADeletionFindsWhatIsAddedBeforeItsTombstone, after it looked and found no row: an older one goes, a newer one stays, with all of its
// chunks.
func TestADeletionFindsWhatIsAddedBeforeItsTombstone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"few words", long} {
		for _, chunks := range []int{0, 9} { // to be cleared away without a first one
			for lsn, want := range map[int]Kind{10: Deleted, 30: Stale} {
				t.Run(fmt.Sprint(len(text), chunks, want), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						one := newRig(t, chunked)
						two := besides(t, one)
						between(&rig{store: one.stones.fakeStore}, "upsert", func() {
							require.Equal(t, []Kind{Indexed}, kinds(t, two.submit(upserted(1, lsn, text))))
						})
						require.Equal(t, want, one.mend(deleted(1, 20), Repair{Chunks: chunks}).outcome(t).Kind)
						var left []*connector.Change
						if want == Stale {
							left = append(left, upserted(1, lsn, text))
						}
						requireIndexIs(t, one, left)
					})
				})
			}
		}
	}
}

// TestADeletionMeetsAnAnnouncement: the row's writer finds its own gone, and is done. What it wrote of later chunks meanwhile stays (DESIGN.md).
func TestADeletionMeetsAnAnnouncement(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one := newRig(t, chunked)
		two := besides(t, one)
		var p []*receipt
		between(&rig{store: one.stones.fakeStore}, "upsert", func() {
			two.store.hold = holding("upsert", 1, time.Second)
			p = two.submit(upserted(1, 10, long))
			synctest.Wait()
		})
		require.Equal(t, []Kind{Deleted}, kinds(t, one.submit(deleted(1, 20))))
		require.Equal(t, []Kind{Stale}, kinds(t, p))
		require.NotContains(t, one.store.ids(), "1")
	})
}

// TestAChangeThatOneClockCallsOld is newer than the truncate by most clocks, and older than the deletion, which is older than the truncate
// by most: it may not be added and removed for ever.
func TestAChangeThatOneClockCallsOld(t *testing.T) {
	t.Parallel()
	by := func(c *connector.Change, lsn, committed, emitted int) *connector.Change {
		c.Version = connector.Version{
			LSN: uint64(lsn), CommitTime: epoch.Add(time.Duration(committed) * time.Millisecond),
			Emitted: epoch.Add(time.Duration(emitted) * time.Millisecond),
		}
		return c
	}
	for _, text := range []string{"few words", long} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, chunked)
			require.Equal(t, []Kind{Truncated}, kinds(t, r.submit(by(truncated(1), 200, 300, 100))))
			require.Equal(t, []Kind{Deleted}, kinds(t, r.submit(by(deleted(1, 1), 300, 100, 200))))
			require.Equal(t, []Kind{Stale}, kinds(t, r.submit(by(upserted(1, 1, text), 100, 200, 300))))
			requireIndexIs(t, r, nil)
		})
	}
}

// TestATakenOverRowOfAnEarlierBuildStays: such a build leaves our number, and announces its next change in the version of its last.
func TestATakenOverRowOfAnEarlierBuildStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, chunked)
		theirs := storedMeta(t, r.spec, upserted(1, 20, long))
		between(r, "upsert", func() {
			theirs[document.KeyBy] = r.store.entries["1"].meta[document.KeyBy]
			theirs[document.KeyFingerprint] = ""
			r.store.entries["1"] = entry{document: "theirs", meta: theirs}
		})
		require.Equal(t, []Kind{Stale}, kinds(t, r.submit(upserted(1, 10, long))))
		require.Equal(t, "theirs", r.store.entries["1"].document)
	})
}
