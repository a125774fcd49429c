package search

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jellydator/ttlcache/v3"
	"golang.org/x/sync/singleflight"

	"github.com/rowvec/rowvec/chroma"
)

// entryOverhead is about what an entry of the cache takes besides text and vector.
const entryOverhead = 256

// vectors makes the vectors of questions and keeps them for a while.
type vectors struct {
	embedder Embedder
	timeout  time.Duration
	none     bool // is kept
	cache    *ttlcache.Cache[string, []float32]
	flights  singleflight.Group

	// A request for a vector belongs to all who wait for it: it ends with them only when the Index is closed.
	life context.Context
	end  context.CancelFunc

	mu      sync.Mutex // of work against close
	closed  bool
	working sync.WaitGroup
}

func newVectors(e Embedder, timeout time.Duration, o Options) *vectors {
	v := &vectors{embedder: e, timeout: timeout, none: o.CacheEntries < 0}
	v.life, v.end = context.WithCancel(context.Background())
	v.cache = ttlcache.New(
		ttlcache.WithTTL[string, []float32](orDefault(o.CacheTTL, 10*time.Minute)),
		ttlcache.WithDisableTouchOnHit[string, []float32](), // an endpoint's model may change behind its name
		ttlcache.WithCapacity[string, []float32](uint64(orDefault(o.CacheEntries, 10_000))),
		ttlcache.WithMaxCost(uint64(orDefault(o.CacheBytes, 64<<20)), func(i ttlcache.CostItem[string, []float32]) uint64 {
			return uint64(len(i.Key) + 4*len(i.Value) + entryOverhead)
		}),
	)
	return v
}

// of returns the vector of a question's text, and whether it was at hand. Equal texts at the same time need one request.
func (v *vectors) of(ctx context.Context, text string) (vector []float32, cached bool, err error) {
	if item := v.cache.Get(text); item != nil {
		return item.Value(), true, nil
	}
	answer := make(chan singleflight.Result, 1)
	if !v.start(func() {
		found, err, shared := v.flights.Do(text, func() (any, error) { return v.request(text) })
		answer <- singleflight.Result{Val: found, Err: err, Shared: shared}
	}) {
		return nil, false, &Error{Kind: Unavailable, Message: "the search is being shut down", reason: ReasonClosed}
	}
	select {
	case <-ctx.Done():
		return nil, false, fmt.Errorf("the embedding endpoint: %w", ctx.Err())
	case a := <-answer:
		vector, _ = a.Val.([]float32)
		return vector, false, a.Err
	}
}

func (v *vectors) request(text string) ([]float32, error) {
	ctx, cancel := context.WithTimeout(v.life, v.timeout)
	defer cancel()
	vector, err := v.embedder.EmbedQuery(ctx, text)
	switch {
	case err == nil:
		if !v.none {
			v.cache.Set(text, vector, ttlcache.DefaultTTL)
		}
		return vector, nil
	case v.life.Err() != nil:
		return nil, &Error{Kind: Unavailable, Message: "the search is being shut down", reason: ReasonClosed}
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded): // the client's own limits know before that the time will not do
		return nil, &Error{
			Kind: Unavailable, Service: Embedding, Message: "the embedding endpoint gives no answer in time; ask again", reason: ReasonTimeout, err: err,
		}
	default:
		return nil, err //nolint:wrapcheck // classified by the caller
	}
}

// doubt forgets the vector of a text when err says that it is of another length than the index has: the endpoint may give the right one by now.
func (v *vectors) doubt(text string, err error) {
	if told := classified(nil); errors.As(err, &told) && told.Reason() == chroma.ReasonDimensionMismatch {
		v.cache.Delete(text)
	}
}

// start runs work in a goroutine that close waits for; false when closed.
func (v *vectors) start(work func()) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return false
	}
	v.working.Go(work)
	return true
}

func (v *vectors) close() {
	v.mu.Lock()
	v.closed = true
	v.mu.Unlock()
	v.end()
	v.working.Wait()
}
