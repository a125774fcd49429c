package indexer

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// sized is a store that takes vectors of one size.
type sized struct {
	*fakeStore
	size   int
	silent bool // it does not say which
}

type sizeError struct {
	faulty
	want int
}

func (e sizeError) Dimensions() int { return e.want }

func (s sized) Upsert(ctx context.Context, ids []string, vectors [][]float32, documents []string, metadatas []map[string]any) error {
	if err := s.fits(vectors); err != nil {
		return err
	}
	return s.fakeStore.Upsert(ctx, ids, vectors, documents, metadatas)
}

func (s sized) Add(ctx context.Context, ids []string, vectors [][]float32, documents []string, metadatas []map[string]any) error {
	if err := s.fits(vectors); err != nil {
		return err
	}
	return s.fakeStore.Add(ctx, ids, vectors, documents, metadatas)
}

func (s sized) fits(vectors [][]float32) error {
	for _, v := range vectors {
		switch {
		case len(v) != len(vectors[0]):
			return errRefuse
		case len(v) == s.size:
		case s.silent:
			return faulty{class: ClassHalt, reason: reasonMisfit}
		default:
			return sizeError{faulty{class: ClassHalt, reason: reasonMisfit}, s.size}
		}
	}
	return nil
}

// served is an endpoint whose vectors have as many numbers as its model gives.
type served struct {
	*fakeEmbedder
	size atomic.Int64
}

func (e *served) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	vectors, err := e.fakeEmbedder.Embed(ctx, texts)
	for i := range vectors {
		vectors[i] = append(vectors[i], make([]float32, 3)...)[:e.size.Load()]
	}
	return vectors, err
}

// rightSize is what the rigs' collections have.
const rightSize = 3

// newMisfit starts a table before an endpoint that serves another model than the one that filled the collection.
func newMisfit(t *testing.T, options ...func(*rig)) (*rig, *served) {
	t.Helper()
	r := newRig(t, append([]func(*rig){func(r *rig) {
		r.open = func(context.Context) (Store, error) { return sized{r.store, rightSize, false}, nil }
	}}, options...)...)
	endpoint := &served{fakeEmbedder: r.embedder}
	endpoint.size.Store(2 * rightSize)
	r.pool.embedder = endpoint
	return r, endpoint
}

func silent(r *rig) {
	r.open = func(context.Context) (Store, error) { return sized{r.store, rightSize, true}, nil }
}

func requireRightSize(t *testing.T, r *rig, rows int) {
	t.Helper()
	require.Len(t, r.store.ids(), rows)
	for _, id := range r.store.ids() {
		e, _ := r.store.get(id)
		require.Len(t, e.vector, rightSize, "record %s", id)
	}
}

// requireSettled wants a row indexed within a time.
func requireSettled(t *testing.T, p *receipt, within time.Duration) {
	t.Helper()
	<-time.After(within)
	require.True(t, p.settled())
	require.Equal(t, Indexed, p.outcome(t).Kind)
}

// TestTheRightModelAgain: the endpoint serves a wrong model for five minutes.
func TestTheRightModelAgain(t *testing.T) {
	t.Parallel()
	one := func(r *rig) { r.batch = Batch{MaxRecords: 1, InFlight: 4} }
	for name, options := range map[string][]func(*rig){
		"one group":                       nil,
		"groups behind it":                {one},
		"a store that does not say which": {silent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r, endpoint := newMisfit(t, options...)
				begin := make(chan struct{}) // once halted the table would not take the second
				r.embedder.fault = func(context.Context, []string) error { <-begin; return nil }
				receipts := r.submit(upserted(1, 1, "a"), upserted(2, 1, "b"))
				close(begin)
				synctest.Wait()
				for i := 3; i <= 4 && r.table.Condition().State != Halted; i++ {
					receipts = append(receipts, r.submit(upserted(i, 1, fmt.Sprint("c", i)))...)
					synctest.Wait()
				}
				for _, c := range r.embedder.seen() {
					require.NotContains(t, c.ids, plainText, "an endpoint of two models is not asked without a pause")
				}
				asked := len(r.embedder.seen())
				<-time.After(5*time.Minute - time.Second)
				require.Equal(t, Halted, r.table.Condition().State)
				require.Contains(t, r.table.Condition().Cause, reasonMisfit)
				require.Empty(t, r.store.ids())
				for _, p := range receipts {
					require.False(t, p.settled(), "neither acknowledged nor a dead letter")
				}
				probes := r.embedder.seen()[asked:]
				require.Len(t, probes, 9, "one in each step of 30 s")
				for _, probe := range probes {
					require.Equal(t, []string{plainText}, probe.ids)
				}
				endpoint.size.Store(rightSize)
				<-time.After(31 * time.Second)
				require.Equal(t, Running, r.table.Condition().State)
				for _, p := range receipts {
					require.True(t, p.settled())
					require.Equal(t, Indexed, p.outcome(t).Kind)
				}
				requireRightSize(t, r, len(receipts))
			})
		})
	}
}

// TestAnotherWrongModel: it is right only when it is the collection's.
func TestAnotherWrongModel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, endpoint := newMisfit(t)
		p := r.submit(upserted(1, 1, "a"))[0]
		synctest.Wait()
		endpoint.size.Store(rightSize + 1)
		<-time.After(5 * time.Minute)
		require.Equal(t, Halted, r.table.Condition().State)
		texts := 0
		for _, c := range r.embedder.seen() {
			if c.ids[0] == "a" {
				texts++
			}
		}
		require.Equal(t, 1, texts, "rows are not embedded again for a size that is no better")
		endpoint.size.Store(rightSize)
		requireSettled(t, p, 31*time.Second)
		requireRightSize(t, r, 1)
	})
}

// TestARowOfManyRecordsAndTwoModels: what is of the right size already is not embedded again.
func TestARowOfManyRecordsAndTwoModels(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, endpoint := newMisfit(t, chunked, func(r *rig) { r.embedder.size = 1 })
		endpoint.size.Store(rightSize)
		kinds(t, r.submit(upserted(1, 1, long)))
		rows := len(r.store.ids())
		requests := 0
		r.embedder.fault = func(context.Context, []string) error {
			if requests++; requests == 3 {
				endpoint.size.Store(2 * rightSize)
			}
			return nil
		}
		r.pool.slots.most = 1
		p := r.submit(upserted(1, 2, "Now it begins otherwise. "+long))[0]
		synctest.Wait()
		require.Equal(t, Halted, r.table.Condition().State)
		<-time.After(3 * time.Minute)
		require.False(t, p.settled())
		wrong := len(r.embedder.seen())
		endpoint.size.Store(rightSize)
		requireSettled(t, p, 31*time.Second)
		require.Greater(t, len(r.store.ids()), rows)
		requireRightSize(t, r, len(r.store.ids()))
		require.Less(t, len(r.embedder.seen())-wrong, len(r.store.ids())+1, "one to ask, and those that were wrong")
	})
}

// TestWhatBearsNoVectorGoesOn: a deletion in the group of a misfit is done with it.
func TestWhatBearsNoVectorGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, endpoint := newMisfit(t, func(r *rig) { r.batch.InFlight = 8 })
		endpoint.size.Store(rightSize)
		kinds(t, r.submit(upserted(1, 1, "a"), upserted(2, 1, "same")))
		endpoint.size.Store(2 * rightSize)
		gate := r.holdWriter("update")
		first := r.submit(upserted(2, 2, "same"))
		synctest.Wait()
		receipts := r.submit(upserted(3, 2, "b"), deleted(1, 2), upserted(2, 3, "same"))
		synctest.Wait()
		close(gate)
		kinds(t, first)
		<-time.After(time.Minute)
		endpoint.size.Store(rightSize)
		<-time.After(31 * time.Second)
		require.True(t, receipts[0].settled())
		require.Equal(t, []Kind{Indexed, Deleted, MetadataOnly}, kinds(t, receipts))
		requireRightSize(t, r, 2)
	})
}

// TestAMisfitLeavesAnEndpointAlone that is being left alone.
func TestAMisfitLeavesAnEndpointAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, endpoint := newMisfit(t)
		var busy atomic.Bool
		r.embedder.fault = func(context.Context, []string) error {
			if busy.Load() {
				return faulty{class: ClassRetry, reason: "rate_limited", after: 2 * time.Minute}
			}
			return nil
		}
		p := r.submit(upserted(1, 1, "a"))[0]
		synctest.Wait()
		asked := len(r.embedder.seen())
		busy.Store(true)
		<-time.After(115 * time.Second)
		require.Len(t, r.embedder.seen(), asked+1, "the endpoint asked for two minutes")
		require.Equal(t, Halted, r.table.Condition().State)
		busy.Store(false)
		endpoint.size.Store(rightSize)
		requireSettled(t, p, time.Minute)
	})
}

func TestAMisfitDrains(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, _ := newMisfit(t)
		p := r.submit(upserted(1, 1, "a"))[0]
		<-time.After(time.Minute)
		r.stop()
		require.Equal(t, Interrupted, p.outcome(t).Kind)
		require.Empty(t, r.store.ids())
	})
}
