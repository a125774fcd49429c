package indexer

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/document"
)

// chunked makes the rig's rows of several records.
func chunked(r *rig) { r.spec.Chunk = &document.ChunkSpec{Tokens: 4} }

const long = "Many words follow one another here. Then there are some more of them. And at last it ends."

func TestWriterWritesAFirstRecordLast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, chunked)
		kinds(t, r.submit(upserted(1, 1, long)))
		require.Equal(t, []string{"get", "add", "get", "upsert", "get", "update"}, r.store.ops(), "announced, written, committed")
		require.Equal(t, []string{"1"}, r.store.of("add")[0].ids)
		require.NotContains(t, r.store.of("upsert")[0].ids, "1")
		size := len(r.store.ids())
		require.Greater(t, size, 3)

		kinds(t, r.submit(upserted(1, 2, "Many words")))
		require.Less(t, len(r.store.ids()), size)
		deletes := r.store.of("delete")
		require.Len(t, deletes, 1, "the tail")
		e, _ := r.store.get("1")
		require.EqualValues(t, len(r.store.ids()), e.meta[document.KeyChunks])

		kinds(t, r.submit(upserted(1, 3, long), deleted(1, 4)))
		require.Empty(t, r.store.ids(), "a delete takes every chunk")
		deletes = r.store.of("delete")
		require.Equal(t, []string{"1"}, deletes[len(deletes)-1].ids, "the commit mark goes last")
	})
}

func TestWriterOrdersAGroup(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(r *rig) { r.batch.InFlight = 8 })
		kinds(t, r.submit(upserted(1, 1, "gone"), upserted(2, 1, "same"), upserted(3, 1, "old")))
		gate := r.holdWriter("update")
		first := r.submit(upserted(2, 2, "same"))
		synctest.Wait()
		second := r.submit(upserted(1, 2, "back"), upserted(4, 1, "new"))
		synctest.Wait()
		before := len(r.store.ops())
		third := r.submit(deleted(3, 2))
		synctest.Wait()
		close(gate)
		kinds(t, append(append(first, second...), third...))
		ops := r.store.ops()[before:]
		require.Less(t, indexOf(ops, "delete"), indexOf(ops, "upsert"))
		require.Equal(t, []string{"1"}, r.store.of("upsert")[0].ids)
		adds := r.store.of("add")
		require.Equal(t, []string{"4"}, adds[len(adds)-1].ids)
		require.Less(t, indexOf(ops, "delete"), indexOf(ops, "add"), "what waited is one group")
	})
}

// holdWriter makes the next call of op wait until the gate is closed.
func (r *rig) holdWriter(op string) (gate chan struct{}) {
	gate = make(chan struct{})
	r.store.hold = func(ctx context.Context, called string) {
		if called == op {
			select {
			case <-gate:
			case <-ctx.Done():
			}
		}
	}
	return gate
}

func indexOf(list []string, word string) int {
	for i, w := range list {
		if w == word {
			return i
		}
	}
	return -1
}

func TestWriterTakesGroupsOfAThousand(t *testing.T) {
	t.Parallel()
	w := NewWriter(nil)
	table := &Table{draining: make(chan struct{})}
	answers := make(chan written, 30)
	for range 25 {
		w.submit(&job{table: table, writes: make([]write, 100), answer: answers})
	}
	w.submit(&job{table: table, writes: make([]write, 5000), answer: answers})
	require.Len(t, w.take(), 10)
	require.Len(t, w.take(), 10)
	require.Len(t, w.take(), 5)
	require.Len(t, w.take(), 1, "a giant goes alone")
	require.Empty(t, w.take())
}

func TestWriterBisectsARefusedGroup(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(r *rig) {
			r.store.before = func(op string, ids []string) error {
				if op == "add" && indexOf(ids, "5") >= 0 {
					return errRefuse
				}
				return nil
			}
		})
		release := r.plug()
		var receipts []*receipt
		for i := range 9 {
			receipts = append(receipts, r.submit(upserted(i, 1, "x"))...)
		}
		release()
		for i, p := range receipts {
			o := p.outcome(t)
			if i == 5 {
				require.Equal(t, Poison, o.Kind)
				require.Equal(t, "write", o.Stage)
			} else {
				require.Equal(t, Indexed, o.Kind, "row %d", i)
			}
		}
	})
}

func TestWriterOpensLateAndAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		opened, gone := 0, false
		r := newRig(t, func(r *rig) {
			fine := r.open
			r.open = func(ctx context.Context) (Store, error) {
				if opened++; opened < 3 {
					return nil, errOutage
				}
				if gone {
					gone = false
					r.store.entries = make(map[string]entry)
				}
				return fine(ctx)
			}
			r.store.before = func(string, []string) error {
				if gone {
					return faulty{class: ClassPoison, reason: "collection_missing"}
				}
				return nil
			}
		})
		require.Zero(t, opened)
		require.Equal(t, []Kind{Indexed}, kinds(t, r.submit(upserted(1, 1, "x"))))
		require.Equal(t, 3, opened)
		gone = true
		require.Equal(t, []Kind{Indexed}, kinds(t, r.submit(upserted(1, 2, "x"))), "the text must be embedded again")
		require.Equal(t, 4, opened)
	})
}

func TestWriterHaltsItsTables(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		mended := time.Now().Add(time.Minute)
		r := newRig(t, func(r *rig) {
			r.store.before = func(op string, _ []string) error {
				if op == "add" && time.Now().Before(mended) {
					return faulty{class: ClassHalt, reason: "dimension"}
				}
				return nil
			}
		})
		p := r.submit(upserted(1, 1, "x"))[0]
		synctest.Wait()
		require.Equal(t, Halted, r.table.Condition().State)
		require.Contains(t, r.table.Condition().Cause, "add 1 records: ")
		require.Equal(t, Indexed, p.outcome(t).Kind)
		require.Equal(t, Running, r.table.Condition().State)
	})
}

func TestWriterStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := NewWriter(func(context.Context) (Store, error) { return newFakeStore(), nil })
		w.Stop(t.Context())
		w.Stop(t.Context())
		w.Run(t.Context())
		answers := make(chan written, 1)
		w.submit(&job{answer: answers})
		require.Equal(t, ClassInterrupted, Classify((<-answers).err))
	})
}

func TestALostAnswerIsFoundDone(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"add", "upsert", "update", "delete"} {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				kinds(t, r.submit(upserted(1, 1, "x")))
				lost := false
				r.store.after = func(called string, _ []string) error {
					if called == op && !lost {
						lost = true
						return errOutage
					}
					return nil
				}
				change := map[string]func() Kind{
					"add":    func() Kind { return kinds(t, r.submit(upserted(2, 2, "y")))[0] },
					"upsert": func() Kind { return kinds(t, r.submit(upserted(1, 2, "y")))[0] },
					"update": func() Kind { return kinds(t, r.submit(upserted(1, 2, "x")))[0] },
					"delete": func() Kind { return kinds(t, r.submit(deleted(1, 2)))[0] },
				}[op]
				want := map[string]Kind{"add": Indexed, "upsert": Indexed, "update": MetadataOnly, "delete": Deleted}[op]
				require.Equal(t, want, change(), "the change is in the index because of this record")
				require.True(t, lost)
				calls := 0
				for _, c := range r.store.of(op) {
					calls += len(c.ids)
				}
				require.Equal(t, map[string]int{"add": 2, "upsert": 1, "update": 1, "delete": 1}[op], calls, "not written twice")
			})
		})
	}
}

func TestRecordsOfAGroupAreCutIntoCalls(t *testing.T) {
	t.Parallel()
	s := newFakeStore()
	j := &job{table: &Table{}, id: "1"}
	for i := range 2500 {
		j.add(removeRest, document.Record{ID: fmt.Sprint("tail ", i)}, nil)
	}
	j.add(removeFirst, document.Record{ID: "1"}, nil)
	g := &group{writer: NewWriter(nil), jobs: []*job{j}}
	require.NoError(t, g.apply(t.Context(), s))
	sizes := make([]int, 0, 4)
	for _, c := range s.of("delete") {
		sizes = append(sizes, len(c.ids))
	}
	require.Equal(t, []int{1000, 1000, 500, 1}, sizes)
}
