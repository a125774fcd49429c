package indexer

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// between has somebody act between the last look of r's writer and its first call of op.
func between(r *rig, op string, act func()) {
	var once sync.Once
	r.store.hold = func(_ context.Context, is string) {
		if is == op {
			once.Do(act)
		}
	}
}

// besides is beside with the settings of the first.
func besides(t *testing.T, one *rig) *rig {
	t.Helper()
	two := beside(t, one)
	two.stop()
	two.spec = one.spec
	two.start()
	return two
}

// TestANewRowIsNotWrittenOver has another writer put the row there, or delete what is not there yet, between the look that found none and
// the write.
func TestANewRowIsNotWrittenOver(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lsn     int // of the other's change; ours has 10
		want    Kind
		deletes bool
	}{
		"newer": {20, Stale, false}, "older": {5, Indexed, false}, "the same": {10, "", false},
		"newer deletion": {20, Stale, true}, "older deletion": {5, Indexed, true},
	} {
		for _, ours := range []string{"few words", long} {
			for _, theirs := range []string{"other words", otherLong} {
				for _, repairs := range []bool{false, true} {
					t.Run(fmt.Sprint(name, len(ours), len(theirs), repairs), func(t *testing.T) {
						t.Parallel()
						synctest.Test(t, func(t *testing.T) {
							one := newRig(t, chunked)
							two := besides(t, one)
							newer := upserted(1, 10, ours)
							other, done := upserted(1, c.lsn, theirs), Indexed
							if c.want == "" {
								other = newer
							}
							if c.deletes {
								other, done = deleted(1, c.lsn), Deleted
							}
							if c.lsn > 10 {
								newer = other
							}
							between(one, "add", func() { require.Equal(t, []Kind{done}, kinds(t, two.submit(other))) })
							var p *receipt
							if repairs {
								p = one.mend(upserted(1, 10, ours), Repair{Text: true, Chunks: 2})
							} else {
								p = one.submit(upserted(1, 10, ours))[0]
							}
							kind := p.outcome(t).Kind
							if c.want != "" {
								require.Equal(t, c.want, kind)
							}
							require.NotEqual(t, Poison, kind)
							requireIndexIs(t, one, []*connector.Change{newer})
						})
					})
				}
			}
		}
	}
}

// TestARepairLeavesTheChunksOfANewRow: what it would clear away behind the row is another's by then.
func TestARepairLeavesTheChunksOfANewRow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one := newRig(t, chunked)
		two := besides(t, one)
		between(one, "add", func() { kinds(t, two.submit(upserted(1, 20, long))) })
		require.Equal(t, Stale, one.mend(upserted(1, 10, "short"), Repair{Chunks: 9}).outcome(t).Kind)
		require.Empty(t, one.store.of("delete"))
		requireIndexIs(t, one, []*connector.Change{upserted(1, 20, long)})
	})
}

// TestAnAnnouncementIsOfOneWriter has two announce a row, with as many records, so that nothing but the writer tells them apart. The second
// takes the row over, and the first sees it before it commits.
func TestAnAnnouncementIsOfOneWriter(t *testing.T) {
	t.Parallel()
	for name, lsns := range map[string][2]int{"the newer one second": {10, 20}, "the older one second": {20, 10}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				one := newRig(t, chunked)
				two := besides(t, one)
				announced, taken := make(chan struct{}), make(chan struct{})
				goOn := sync.OnceFunc(func() { close(taken) })
				defer goOn()
				between(two, "add", func() {
					select {
					case <-announced:
					case <-time.After(time.Minute): // nobody looks before the commit
					}
				})
				second := two.submit(upserted(1, lsns[1], otherLong))
				synctest.Wait()
				gets := 0
				one.store.hold = func(ctx context.Context, op string) {
					if op == "upsert" {
						_ = sleep(ctx, 2*fenceAge)
					}
					if op == "get" {
						if gets++; gets == 3 { // before the commit
							close(announced)
							<-taken
						}
					}
				}
				first := one.submit(upserted(1, lsns[0], long))
				require.Equal(t, []Kind{Indexed}, kinds(t, second))
				require.Equal(t, []string{"get", "add", "get", "get", "update", "upsert", "upsert"}, two.store.ops(), "it is announced anew")
				goOn()
				kinds(t, first)
				newest := upserted(1, 20, otherLong)
				if lsns[0] == 20 {
					newest = upserted(1, 20, long)
				}
				requireIndexIs(t, one, []*connector.Change{newest})
				e, _ := one.store.get("1")
				require.NotContains(t, e.meta, document.KeyBy)
			})
		})
	}
}

// TestAnAddThatIsLateDoesNothing: its client gave it up, and a newer change of the row came meanwhile.
func TestAnAddThatIsLateDoesNothing(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"few words", long} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				one := newRig(t, chunked)
				two := besides(t, one)
				given := false
				one.store.late = func(op string, _ []string) time.Duration {
					if op != "add" || given {
						return 0
					}
					given = true
					return time.Minute
				}
				p := one.submit(upserted(1, 10, text))
				synctest.Wait()
				kinds(t, two.submit(upserted(1, 20, otherLong)))
				require.Equal(t, []Kind{Stale}, kinds(t, p))
				one.store.pending.Wait()
				requireIndexIs(t, one, []*connector.Change{upserted(1, 20, otherLong)})
			})
		})
	}
}

// TestANewRecordWithKeysOfAnother: Chroma 1.5.9 shows lists of a deleted collection in new records, and an add cannot remove them.
func TestANewRecordWithKeysOfAnother(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"few words", long} {
		for _, lost := range []string{"", opAdd, "get"} { // the answer that is lost
			for _, repairs := range []bool{false, true} {
				t.Run(fmt.Sprint(text, lost, repairs), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						r := newRig(t, chunked)
						added, lost := false, lost
						r.store.after = func(op string, ids []string) error { // called with the lock held
							if op == opAdd {
								r.store.entries[ids[0]].meta["tags"] = []string{"of another"}
								added = true
							}
							if added && op == lost {
								lost = ""
								return errOutage
							}
							return nil
						}
						change := upserted(1, 10, text)
						if repairs {
							require.NotEqual(t, Poison, r.mend(change, Repair{Absent: true}).outcome(t).Kind)
						} else {
							require.NotEqual(t, []Kind{Poison}, kinds(t, r.submit(change)))
						}
						requireIndexIs(t, r, []*connector.Change{change})
					})
				})
			}
		}
	}
}

// TestALiveFunctionAndARepair fill an empty index together, each call in its own time. What is as of which moment differs by the row.
func TestALiveFunctionAndARepair(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 462))
				one := newRig(t, func(r *rig) { r.batch.InFlight = 4 })
				two := beside(t, one)
				slow := func(took []time.Duration) func(context.Context, string) {
					var mu sync.Mutex
					return func(ctx context.Context, _ string) {
						mu.Lock()
						took = append(took[1:], took[0])
						d := took[0]
						mu.Unlock()
						_ = sleep(ctx, d)
					}
				}
				draw := func() (took []time.Duration) {
					for range 8 {
						took = append(took, time.Duration(rng.IntN(1500))*time.Millisecond)
					}
					return took
				}
				one.store.hold, two.store.hold = slow(draw()), slow(draw())
				var newest []*connector.Change
				var receipts []*receipt
				for id := range 12 {
					live, repair := upserted(id, 1+rng.IntN(20), "live"), upserted(id, 1+rng.IntN(20), "read")
					switch {
					case live.Version.SameChange(repair.Version):
						repair = live
					case rng.IntN(3) == 0:
						live = deleted(id, int(live.Version.LSN))
					}
					receipts = append(receipts, one.submit(live)...)
					<-time.After(time.Duration(rng.IntN(200)) * time.Millisecond)
					receipts = append(receipts, two.mend(repair, Repair{Text: true}))
					if live.Version.StaleAgainst(repair.Version) {
						live = repair
					}
					newest = append(newest, live)
				}
				require.NotContains(t, kinds(t, receipts), Poison)
				requireIndexIs(t, one, newest)
			})
		})
	}
}
