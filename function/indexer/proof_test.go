package indexer

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

var errQuota = faulty{class: ClassPoison, reason: "quota exceeded"}

// probes counts the calls by which a store was asked whether it takes anything.
func (s *fakeStore) probes(op string) (n int) {
	for _, c := range s.of(op) {
		if slices.Equal(c.ids, []string{document.ProbeID}) {
			n++
		}
	}
	return n
}

// While the index refuses every call of a kind nothing is settled, whatever waits for that call, and all of it is done once it takes them.
func TestAnIndexThatRefusesEverythingHalts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		op     string
		stones bool // it is the tombstones' collection that refuses
		change *connector.Change
		want   Kind
	}{
		"a new row":    {opAdd, false, upserted(5, 1, "new"), Indexed},
		"a new text":   {opUpsert, false, upserted(1, 2, "other"), Indexed},
		"new metadata": {opUpdate, false, upserted(1, 2, "same"), MetadataOnly},
		"an announced": {opUpdate, false, upserted(1, 2, long), Indexed},
		"a new long":   {opAdd, false, upserted(5, 1, long), Indexed},
		"a deletion":   {opUpsert, true, deleted(1, 2), Deleted},
		"a truncate":   {opUpsert, true, truncated(9), Truncated},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var full atomic.Bool
				r := newRig(t, chunked, func(r *rig) {
					refuse := func(op string, _ []string) error {
						if full.Load() && op == c.op {
							return errQuota
						}
						return nil
					}
					if r.store.before = refuse; c.stones {
						r.store.before, r.stones.before = nil, refuse
					}
				})
				kinds(t, r.submit(upserted(1, 1, "same"), upserted(2, 1, "beside")))
				full.Store(true)
				began := time.Now()
				p := r.submit(c.change)[0]
				synctest.Wait()
				require.Less(t, time.Since(began), time.Second)
				require.Equal(t, Halted, r.table.Condition().State)
				require.Contains(t, r.table.Condition().Cause, "the index refuses every write")
				require.Contains(t, r.table.Condition().Cause, "quota exceeded")
				<-time.After(time.Hour)
				require.False(t, p.settled())
				asked := r.store
				if c.stones {
					asked = r.stones.fakeStore
				}
				require.InDelta(t, 120, asked.probes(c.op), 2, "one for each attempt")

				full.Store(false)
				require.Equal(t, c.want, p.outcome(t).Kind)
				require.Equal(t, Running, r.table.Condition().State)
				require.NotContains(t, append(r.store.ids(), r.stones.ids()...), document.ProbeID)
			})
		})
	}
}

// Rows that are really at fault are condemned among others, a row of many records for one of them, and no trace is left of how it was found out.
func TestRowsThatAreRefusedAmongOthersArePoison(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, chunked, func(r *rig) {
			r.store.before = func(op string, ids []string) error {
				if puts(op) && (slices.Contains(ids, "3") || slices.Contains(ids, "7#2")) {
					return errRefuse
				}
				return nil
			}
		})
		release := r.plug()
		var receipts []*receipt
		for i := range 10 {
			receipts = append(receipts, r.submit(upserted(i, 1, long))...)
		}
		release()
		for i, p := range receipts {
			want := Indexed
			if i == 3 || i == 7 {
				want = Poison
				require.Equal(t, "bad_request", p.outcome(t).Reason)
			}
			require.Equal(t, want, p.outcome(t).Kind, "row %d", i)
		}
		require.Equal(t, Running, r.table.Condition().State)
		require.LessOrEqual(t, r.store.probes(opAdd)+r.store.probes(opUpsert), 4, "one for each row, and one for what was refused with others")
		require.NotContains(t, r.store.ids(), document.ProbeID)
	})
}

// A quota is used up within a group, and within a row: what does not fit any more waits for room, and is nobody's fault.
func TestAQuotaThatIsUsedUpInTheMiddle(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"short", long} {
		for room := range 9 {
			t.Run(fmt.Sprint(len(text), room), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					var limit atomic.Int64
					limit.Store(1000)
					r := newRig(t, chunked)
					r.store.before = func(op string, ids []string) error { // called with the lock held
						n := int64(len(r.store.entries))
						for _, id := range ids {
							if _, has := r.store.entries[id]; !has {
								n++
							}
						}
						if puts(op) && n > limit.Load() {
							return errQuota
						}
						return nil
					}
					release := r.plug()
					limit.Store(int64(room) + 2) // the plugs take two
					var receipts []*receipt
					for i := range 9 {
						receipts = append(receipts, r.submit(upserted(i, 1, text))...)
					}
					release()
					<-time.After(time.Hour)
					require.Equal(t, Halted, r.table.Condition().State)
					for _, p := range receipts {
						if p.settled() {
							require.Equal(t, Indexed, p.outcome(t).Kind)
						}
					}
					limit.Store(1000)
					for _, kind := range kinds(t, receipts) {
						require.Equal(t, Indexed, kind)
					}
				})
			})
		}
	}
}

// An outage while it is found out is an outage.
func TestAnOutageWhileItIsFoundOut(t *testing.T) {
	t.Parallel()
	for name, failing := range map[string]func(op string, ids []string) bool{
		"of the probe":   func(op string, ids []string) bool { return op == opAdd && ids[0] == document.ProbeID },
		"of its removal": func(op string, _ []string) bool { return op == "delete" },
	} {
		for _, lost := range []bool{false, true} {
			t.Run(fmt.Sprint(name, lost), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					over := time.Now().Add(time.Minute)
					fail := func(op string, ids []string) error {
						if failing(op, ids) && time.Now().Before(over) {
							return errOutage
						}
						return nil
					}
					var cured atomic.Bool
					r := newRig(t, func(r *rig) {
						r.store.before = func(op string, ids []string) error {
							if op == opAdd && ids[0] == "1" && !cured.Load() {
								return errRefuse
							}
							if lost {
								return nil
							}
							return fail(op, ids)
						}
						if lost {
							r.store.after = fail
						}
					})
					p := r.submit(upserted(1, 1, "x"))[0]
					synctest.Wait()
					require.Equal(t, Retrying, r.table.Condition().State)
					require.False(t, p.settled())
					require.Equal(t, Poison, p.outcome(t).Kind)
					require.GreaterOrEqual(t, time.Now(), over)
					require.Empty(t, r.store.ids())
				})
			})
		}
	}
}

// The answer to a probe is lost, and then the row is taken: the probe does not stay.
func TestAProbeDoesNotStay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var refusals, losses atomic.Int64
		r := newRig(t, func(r *rig) {
			r.store.before = func(op string, ids []string) error {
				if op == opAdd && ids[0] == "1" && refusals.Add(1) <= 2 {
					return errRefuse
				}
				return nil
			}
			r.store.after = func(op string, ids []string) error {
				if op == opAdd && ids[0] == document.ProbeID && losses.Add(1) == 1 {
					return errOutage
				}
				return nil
			}
		})
		require.Equal(t, Indexed, r.submit(upserted(1, 1, "x"))[0].outcome(t).Kind)
		require.EqualValues(t, 1, losses.Load())
		require.Equal(t, []string{"1"}, r.store.ids())
	})
}

// While one row waits for room the tables of those that were to be written with it say so, too, and a drain of one does not wait for its turn.
func TestAHaltOfOneRowIsToldOfTheWholeGroup(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var first atomic.Bool
		r := newRig(t, func(r *rig) {
			r.store.before = func(op string, ids []string) error {
				switch {
				case op == opAdd && slices.Contains(ids, "900"):
					if !first.Load() {
						return errOutage
					}
				case op == opAdd:
					return errQuota
				}
				return nil
			}
		})
		twin := NewTable(TableConfig{Table: "app.twin", Builder: newBuilder(t, articles())}, r.pool, r.writer, Options{})
		r.submit(upserted(900, 1, "first"))
		synctest.Wait()
		ours := r.submit(upserted(1, 1, "x"))[0]
		synctest.Wait()
		rec, theirs := record(upserted(3, 1, "x"), 1)
		require.NoError(t, twin.Submit(t.Context(), rec))
		synctest.Wait()
		first.Store(true) // the others have gathered behind it
		<-time.After(10 * time.Second)
		require.Equal(t, Halted, r.table.Condition().State)
		require.Equal(t, Halted, twin.Condition().State, "its row is behind the one that waits")
		twin.Drain(t.Context())
		require.Equal(t, Interrupted, theirs.outcome(t).Kind)
		require.False(t, ours.settled())
	})
}
