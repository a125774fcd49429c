package indexer

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// What stalls is bounded as what waits is: then no more comes in, until the endpoint takes it.
func TestTextsThatStallAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		on := failing()
		r := newRig(t, func(r *rig) { r.embedder.fault = breaking(on.Load) })
		var all []*receipt
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Hour)
		defer cancel()
		for i := range 200 {
			rec, p := record(upserted(i, 1, fmt.Sprint("bad ", i)), 100)
			if err := r.table.Submit(ctx, rec); err != nil {
				break
			}
			all = append(all, p)
		}
		require.Less(t, len(all), waitingBatches*16+2*16+waitingBatches*16)
		on.Store(false)
		for _, p := range all {
			require.Equal(t, Indexed, p.outcome(t).Kind)
		}
		require.Equal(t, Indexed, r.submit(upserted(500, 1, "good"))[0].outcome(t).Kind)
	})
}

// inLine is how many rows stand in line.
func (r *rig) inLine() int {
	r.table.mu.Lock()
	defer r.table.mu.Unlock()
	return len(r.table.aside.line.rows)
}

// shelved is what counts as aside.
func (r *rig) shelved() load {
	r.table.mu.Lock()
	defer r.table.mu.Unlock()
	return r.table.queue.shelved
}

// stalled has a row stand in line with a text that the endpoint fails on.
func (r *rig) stalled(id, lsn int, title string) *receipt {
	r.t.Helper()
	p := r.submit(upserted(id, lsn, title))[0]
	<-time.After(time.Minute)
	require.False(r.t, p.settled())
	return p
}

// A row whose text stalled for a moment does not wait behind those whose texts always do.
func TestARowWaitsForItselfAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		blip := failing()
		r := newRig(t, func(r *rig) {
			r.batch.MaxRecords = 64
			r.embedder.fault = breaking(always)
			always := r.embedder.fault
			r.embedder.fault = func(ctx context.Context, texts []string) error {
				if blip.Load() && strings.Contains(strings.Join(texts, ","), "fine") {
					return errOutage
				}
				return always(ctx, texts)
			}
		})
		for i := range 30 {
			r.submit(upserted(i, 1, fmt.Sprint("bad ", i)))
		}
		<-time.After(2 * time.Hour)
		p := r.submit(upserted(100, 1, "fine"))[0]
		<-time.After(30 * time.Second)
		blip.Store(false)
		at := time.Now()
		require.Equal(t, Indexed, p.outcome(t).Kind)
		require.Less(t, time.Since(at), 40*time.Second)
	})
}

// The busiest of rows, and one that comes again with each reconnection, keep few changes while their text stalls, and leave room for others.
func TestARowAsideKeepsFewChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		on := failing()
		r := newRig(t, func(r *rig) { r.embedder.fault = breaking(on.Load) })
		first := r.stalled(1, 1, "bad")
		var all []*receipt
		for i := range 100 {
			all = append(all, r.submit(upserted(1, 2+i, "bad"), upserted(1, 2+i, "bad"))...)
			<-time.After(2 * time.Second)
		}
		require.LessOrEqual(t, r.shelved().records, 2*asideChanges+2, "each came twice")
		require.Equal(t, Superseded, first.outcome(t).Kind)
		require.Equal(t, Indexed, r.submit(upserted(2, 1, "good"))[0].outcome(t).Kind)
		last := all[len(all)-2:]
		require.False(t, last[0].settled() && last[0].outcome(t).Kind.Durable() || last[1].settled() && last[1].outcome(t).Kind.Durable(),
			"the newest must come again after a crash")
		on.Store(false)
		durable := 0
		for _, p := range last {
			if p.outcome(t).Kind.Durable() {
				durable++
			}
		}
		require.Positive(t, durable)
		e, _ := r.store.get("1")
		require.Equal(t, int64(101), e.meta["price"])
	})
}

// A change that lacks columns does not make those void that may have them.
func TestARowAsideKeepsChangesThatItsNewestNeeds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(r *rig) { r.embedder.fault = breaking(always) })
		var all []*receipt
		for i := range 25 {
			c := upserted(1, 1+i, "bad")
			if i > 0 {
				c.After["body"] = connector.Unavailable{}
			}
			all = append(all, r.submit(c)...)
			<-time.After(2 * time.Second)
		}
		for _, p := range all {
			require.False(t, p.settled())
		}
	})
}

// The vectors of a row's other chunks are kept while they are few, and do not fill the table's bound.
func TestAChunkThatStallsLeavesRoomForOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		on := failing()
		r := newRig(t, func(r *rig) {
			r.batch.MaxBytes = 4096
			r.spec.Chunk = &document.ChunkSpec{Tokens: 4}
			r.embedder.size, r.embedder.fault = 16, breaking(on.Load)
		})
		p := r.stalled(1, 1, strings.Repeat("some words ", 400)+"bad")
		require.LessOrEqual(t, r.shelved().bytes, 100+4096/64)
		require.Equal(t, Indexed, r.submit(upserted(2, 1, "good"))[0].outcome(t).Kind)
		on.Store(false)
		require.Equal(t, Indexed, p.outcome(t).Kind)
	})
}

// A repair among the older changes stays: only with it may a mark that cannot be read be written over.
func TestARowAsideKeepsItsRepair(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		on := failing()
		r := newRig(t, func(r *rig) { r.embedder.fault = breaking(on.Load) })
		r.submit(upserted(1, 1, "first"))[0].outcome(t)
		r.spoil("1", map[string]any{document.KeyFingerprint: 7, document.KeyChunks: "x"})
		mended := r.mend(upserted(1, 2, "bad"), Repair{Text: true, Chunks: 1})
		<-time.After(time.Minute)
		var all []*receipt
		for i := range asideChanges + 4 {
			all = append(all, r.submit(upserted(1, 3+i, "bad"))...)
			<-time.After(2 * time.Second)
		}
		require.False(t, mended.settled())
		on.Store(false)
		require.Equal(t, Indexed, all[len(all)-1].outcome(t).Kind)
		require.Equal(t, Superseded, mended.outcome(t).Kind)
	})
}

// Of changes of one version the last to arrive is the newest, also after the row was aside.
func TestARowAsideKeepsTheOrderOfArrival(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		on := failing()
		r := newRig(t, func(r *rig) { r.embedder.fault = breaking(on.Load) })
		r.submit(upserted(1, 1, "first"))[0].outcome(t)
		mended := r.mend(upserted(1, 2, "bad"), Repair{Text: true, Chunks: 1})
		<-time.After(time.Minute)
		last := r.stalled(1, 2, "bad, the last")
		on.Store(false)
		require.Equal(t, Indexed, last.outcome(t).Kind)
		require.Equal(t, Superseded, mended.outcome(t).Kind)
		e, _ := r.store.get("1")
		require.Equal(t, "bad, the last", e.document)
	})
}

// A deletion of the version of a change that stalls and is refused in the end is not refused with it.
func TestADeletionBesideARowAsideIsDone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		broken := failing()
		r := newRig(t, func(r *rig) {
			r.embedder.fault = func(ctx context.Context, texts []string) error {
				if err := breaking(always)(ctx, texts); err != nil && !broken.Load() {
					return errRefuse
				} else if err != nil {
					return err
				}
				return nil
			}
		})
		r.submit(upserted(1, 1, "old"))[0].outcome(t)
		release := r.plug()
		both := r.submit(deleted(1, 5), upserted(1, 5, "bad"))
		release()
		<-time.After(time.Minute)
		broken.Store(false)
		require.Equal(t, []Kind{Deleted, Poison}, kinds(t, both))
		_, there := r.store.get("1")
		require.False(t, there)
	})
}

// One row aside does not make a full queue the fault of what is aside.
func TestALineTellsWhatItStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(r *rig) { r.embedder.fault = breaking(always) })
		r.submit(upserted(999, 1, "a text that the endpoint takes"))[0].outcome(t)
		r.stalled(1, 1, "bad")
		require.NotContains(t, r.table.Condition().Cause, "no more changes")
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		for i := range 100 {
			rec, _ := record(upserted(2+i, 1, fmt.Sprint("bad ", i)), 100)
			if r.table.Submit(ctx, rec) != nil {
				break
			}
		}
		<-time.After(time.Minute)
		require.Contains(t, r.table.Condition().Cause, "no more changes are taken until some of them are done")
	})
}

// An outage comes over a row that is aside: nothing is asked for it, and its deletion, which needs no endpoint, does not wait.
func TestARowAsideInAnOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		down := failing()
		down.Store(false)
		r := newRig(t, func(r *rig) {
			r.batch.InFlight = 3
			r.embedder.fault = func(ctx context.Context, texts []string) error {
				if down.Load() {
					return errOutage
				}
				return breaking(always)(ctx, texts)
			}
		})
		p := r.stalled(1, 1, "bad")
		down.Store(true)
		waiting := r.submit(upserted(2, 1, "good"), upserted(3, 1, "good"))
		<-time.After(time.Minute)
		since := time.Now()
		<-time.After(10 * time.Minute)
		require.Zero(t, r.asked(since), "the gate is shut")
		require.NotContains(t, r.table.Condition().Cause, "takes other texts", "what others wait for is told first")
		gone := r.submit(deleted(1, 2))[0]
		require.Equal(t, Deleted, gone.outcome(t).Kind)
		require.Less(t, gone.took(), time.Second)
		require.Equal(t, Superseded, p.outcome(t).Kind)
		down.Store(false)
		require.Equal(t, []Kind{Indexed, Indexed}, kinds(t, waiting))
	})
}
