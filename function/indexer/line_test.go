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
		require.LessOrEqual(t, r.table.queue.shelved.records, asideChanges+1)
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
		require.LessOrEqual(t, r.table.queue.shelved.bytes, 100+4096/64)
		require.Equal(t, Indexed, r.submit(upserted(2, 1, "good"))[0].outcome(t).Kind)
		on.Store(false)
		require.Equal(t, Indexed, p.outcome(t).Kind)
	})
}

func TestATruncateEndsTheWaitOfATextThatStalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(r *rig) { r.embedder.fault = breaking(always) })
		p := r.stalled(1, 1, "bad")
		truncate := &connector.Change{Op: connector.Truncate, Table: connector.Table{Schema: "app", Name: "articles"}, Version: version(5)}
		require.Equal(t, Truncated, r.submit(truncate)[0].outcome(t).Kind)
		require.Equal(t, Stale, p.outcome(t).Kind)
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
