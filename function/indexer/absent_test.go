package indexer

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// emptied is a rig of rows that are not there: never were, or were deleted.
func emptied(t *testing.T, deletes bool) *rig {
	t.Helper()
	r := newRig(t, chunked)
	if deletes {
		kinds(t, r.submit(upserted(1, 1, "deleted")))
		require.Equal(t, []Kind{Deleted}, kinds(t, r.submit(deleted(1, 2))))
	}
	return r
}

// TestARepairLeavesARowThatHasCome: the row was absent, and the function puts an older change of it down before the repair looks, or between its
// look and its write, or takes over what the repair has announced. It may be at the next change by then.
func TestARepairLeavesARowThatHasCome(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		come string // before this call
		ours string
	}{{"get", "few words"}, {"get", long}, {"add", "few words"}, {"add", long}, {"confirm", long}} {
		for _, theirs := range []string{"other words", otherLong} {
			for _, deletes := range []bool{false, true} {
				t.Run(fmt.Sprint(c.come, len(c.ours), len(theirs), deletes), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						one := emptied(t, deletes)
						two := besides(t, one)
						older, added, come := upserted(1, 5, theirs), false, false
						one.store.hold = func(_ context.Context, op string) {
							if !come && (op == c.come || c.come == "confirm" && added && op == "get") {
								come = true
								require.Equal(t, []Kind{Indexed}, kinds(t, two.submit(older)))
							}
							added = added || op == opAdd
						}
						require.Equal(t, Stale, one.mend(upserted(1, 10, c.ours), Repair{Absent: true}).outcome(t).Kind)
						require.True(t, come)
						requireIndexIs(t, one, []*connector.Change{older})
					})
				})
			}
		}
	}
}

// TestARepairEndsWhatItHasBegun: some of its records are there, or may be, when the function takes the row over with an older change, and once more
// before the repair, which has read the row again, writes.
func TestARepairEndsWhatItHasBegun(t *testing.T) {
	t.Parallel()
	for _, theirs := range []string{"other words", otherLong} {
		t.Run(theirs, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				one := newRig(t, chunked)
				two := besides(t, one)
				upserts, gets := 0, 0
				one.store.hold = func(ctx context.Context, op string) {
					if op == opUpsert && upserts == 0 {
						require.Equal(t, []Kind{Indexed}, kinds(t, two.submit(upserted(1, 5, theirs))))
					}
					if op != "get" || upserts == 0 {
						return
					}
					switch gets++; gets { // 1: the writer's, which finds the row taken over
					case 2: // of the next pass
						_ = sleep(ctx, 2*fenceAge)
					case 3: // the writer's, as the look has aged
						require.Equal(t, []Kind{Indexed}, kinds(t, two.submit(upserted(1, 6, theirs+" And more."))))
					}
				}
				one.store.after = func(op string, _ []string) error {
					if op == opUpsert {
						if upserts++; upserts == 1 {
							return errOutage
						}
					}
					return nil
				}
				newer := upserted(1, 10, long)
				require.Equal(t, Indexed, one.mend(newer, Repair{Absent: true}).outcome(t).Kind)
				require.Greater(t, gets, 3)
				requireIndexIs(t, one, []*connector.Change{newer})
			})
		})
	}
}

// TestARepairOutlivesALostAnswer: what it finds is its own, begun or whole.
func TestARepairOutlivesALostAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ op, text string }{{opAdd, "few words"}, {opAdd, long}, {opUpsert, long}, {opUpdate, long}} {
		for _, deletes := range []bool{false, true} {
			t.Run(fmt.Sprint(c.op, len(c.text), deletes), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					r, lost := emptied(t, deletes), false
					r.store.after = func(op string, _ []string) error {
						if op != c.op || lost {
							return nil
						}
						lost = true
						return errOutage
					}
					change := upserted(1, 10, c.text)
					require.Equal(t, Indexed, r.mend(change, Repair{Absent: true}).outcome(t).Kind)
					require.True(t, lost)
					requireIndexIs(t, r, []*connector.Change{change})
				})
			})
		}
	}
}

// TestARepairLeavesWhatAnotherHasAnnounced: he may be at it still. Who is not there any more is found by the next comparison, which knows the row.
func TestARepairLeavesWhatAnotherHasAnnounced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, chunked)
		kinds(t, r.submit(upserted(1, 5, long)))
		r.spoil("1", map[string]any{document.KeyFingerprint: ""})
		before, _ := r.store.get("1")
		require.Equal(t, Stale, r.mend(upserted(1, 10, otherLong), Repair{Absent: true}).outcome(t).Kind)
		after, _ := r.store.get("1")
		require.Equal(t, before.meta, after.meta)
		require.Equal(t, Indexed, r.mend(upserted(1, 10, otherLong), Repair{}).outcome(t).Kind)
		requireIndexIs(t, r, []*connector.Change{upserted(1, 10, otherLong)})
	})
}

// TestARepairLeavesItsRowToANewerChange: that has announced itself in the record that the repair has added.
func TestARepairLeavesItsRowToANewerChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, announced := newRig(t, chunked), false
		r.store.after = func(op string, ids []string) error { // called with the lock held
			if op == opAdd {
				maps.Copy(r.store.entries[ids[0]].meta, map[string]any{document.KeyFingerprint: "", document.KeyChunks: int64(5)})
				announced = true
			}
			return nil
		}
		require.Equal(t, Stale, r.mend(upserted(1, 10, "few words"), Repair{Absent: true}).outcome(t).Kind)
		require.True(t, announced)
		e, _ := r.store.get("1")
		require.EqualValues(t, 5, e.meta[document.KeyChunks])
		require.Empty(t, r.store.of("delete"))
	})
}

// TestARepairWritesOverWhatIsNoRow: a record without a mark, or with one that cannot be read, is nobody's.
func TestARepairWritesOverWhatIsNoRow(t *testing.T) {
	t.Parallel()
	for name, meta := range map[string]map[string]any{"foreign": {"theirs": true}, "damaged": {document.KeyLSN: "not a number", document.KeyChunks: int64(3)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, chunked)
				r.store.put("1", &entry{document: "a record", meta: meta})
				change := upserted(1, 10, otherLong)
				require.Equal(t, Indexed, r.mend(change, Repair{Absent: true, Keys: []string{"theirs"}}).outcome(t).Kind)
				requireIndexIs(t, r, []*connector.Change{change})
			})
		})
	}
}
