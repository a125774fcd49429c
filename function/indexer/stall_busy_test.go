package indexer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Each of many requests has texts that stall. They do not shut the gate before the one that is searched.
func TestARequestAmongManyIsSearchedSoon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(r *rig) {
			r.batch, r.embedder.size, r.pool = Batch{}, 64, NewEmbedPool(r.embedder, 8)
			r.embedder.fault = func(ctx context.Context, texts []string) error {
				if err := sleep(ctx, 100*time.Millisecond); err != nil {
					return err
				}
				return breaking(always)(ctx, texts)
			}
		})
		for i := range 3000 {
			title := fmt.Sprint("good ", i)
			if i%20 == 7 {
				title = fmt.Sprint("bad ", i)
			}
			r.submit(upserted(i, 1, title))
		}
		for began := time.Now(); r.inLine() == 0; <-time.After(gateTrying) {
			require.Less(t, time.Since(began), 20*time.Second)
		}
	})
}

// An endpoint takes a request every six seconds. After failures that began a search, or could have, the little that it takes is not spent on other texts.
func TestALimitBesideFailures(t *testing.T) {
	t.Parallel()
	for _, failures := range []int32{1, stallFailures} {
		for _, after := range []time.Duration{0, 6 * time.Second} {
			synctest.Test(t, func(t *testing.T) {
				var asked atomic.Int32
				var took atomic.Int64
				began := time.Now()
				r := newRig(t, func(r *rig) {
					r.embedder.fault = func(context.Context, []string) error {
						switch n := asked.Add(1); {
						case n <= failures:
							return errOutage
						case n <= failures+4: // others use it up
						case int64(time.Since(began)/(6*time.Second)) > took.Load():
							took.Store(int64(time.Since(began) / (6 * time.Second)))
							return nil
						}
						return status429{faulty{class: ClassRetry, reason: "rate_limited", after: after}}
					}
				})
				p := r.submit(upserted(1, 1, "a"))[0]
				require.Equal(t, Indexed, p.outcome(t).Kind)
				require.Less(t, p.took(), time.Minute)
			})
		}
	}
}

// An endpoint that takes one request at a time, with nothing in hand, refuses the one right after another text: it tells all the same.
func TestASearchUnderALimit(t *testing.T) {
	t.Parallel()
	for every, within := range map[time.Duration]time.Duration{2 * time.Second: 10 * time.Minute, 20 * time.Second: time.Hour, time.Minute: 3 * time.Hour} {
		for _, told := range []bool{false, true} {
			searchUnderLimit(t, every, within, told)
		}
	}
}

func searchUnderLimit(t *testing.T, every, within time.Duration, told bool) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var next time.Time
		r := newRig(t, eights, func(r *rig) {
			r.embedder.fault = func(ctx context.Context, texts []string) error {
				mu.Lock()
				defer mu.Unlock()
				switch left := time.Until(next); {
				case left <= 0:
					next = time.Now().Add(every)
					return breaking(always)(ctx, texts)
				case told:
					return status429{faulty{class: ClassRetry, reason: "rate_limited", after: left}}
				default:
					return status429{faulty{class: ClassRetry, reason: "rate_limited"}}
				}
			}
		})
		r.submit(upserted(99, 1, "a text that the endpoint takes"))[0].outcome(t)
		all := r.twoRequests(func(of string, i int) string {
			if i == 5 {
				return of + " bad"
			}
			return fmt.Sprint(of, " good ", i)
		})
		began := time.Now()
		for i, p := range all {
			if i%8 != 5 {
				require.Equal(t, Indexed, p.outcome(t).Kind)
			}
		}
		require.Less(t, time.Since(began), within)
	})
}

// searched hands in a request of eight texts that stall, and waits until it is searched.
func (r *rig) searched() {
	r.t.Helper()
	r.submit(upserted(99, 1, "a text that the endpoint takes"))[0].outcome(r.t)
	release := r.plug()
	for i := range 8 {
		r.submit(upserted(i, 1, fmt.Sprint("bad ", i)))
	}
	release()
	for is := false; !is; _, is = r.pool.voucher.searches() {
		<-time.After(gateTrying)
	}
}

// A setting turns wrong while a request is searched, and that one hangs: the others, which leave the endpoint to it, are halted all the same.
func TestAHaltBesideASearch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		revoked := failing()
		revoked.Store(false)
		r := newRig(t, eights, func(r *rig) {
			r.embedder.fault = func(ctx context.Context, texts []string) error {
				switch {
				case !revoked.Load():
					return errors.Join(sleep(ctx, time.Second), breaking(always)(ctx, texts))
				case strings.HasPrefix(texts[0], "another"):
					return errKey
				default:
					return errors.Join(sleep(ctx, time.Minute), errKey)
				}
			}
		})
		r.searched()
		revoked.Store(true)
		other := newRig(t, func(o *rig) { o.embedder, o.pool = r.embedder, r.pool })
		other.submit(upserted(200, 1, "another"))
		<-time.After(5 * time.Second)
		require.Equal(t, Halted, other.table.Condition().State)
		require.Contains(t, other.table.Condition().Cause, errKey.Error())
	})
}

// Texts that hang are searched for many minutes. What failed once meanwhile, for other reasons, does not wait for the end of it.
func TestALongSearchHoldsUpNoGoodRow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var failed atomic.Bool
		r := newRig(t, eights, func(r *rig) {
			r.embedder.fault = func(ctx context.Context, texts []string) error {
				if strings.HasPrefix(texts[0], "unlucky") && failed.CompareAndSwap(false, true) {
					return errOutage
				}
				if err := breaking(always)(ctx, texts); err != nil {
					return errors.Join(sleep(ctx, time.Minute), err)
				}
				return nil
			}
		})
		r.searched()
		other := newRig(t, func(o *rig) { o.embedder, o.pool = r.embedder, r.pool })
		p := other.submit(upserted(200, 1, "unlucky"))[0]
		require.Equal(t, Indexed, p.outcome(t).Kind)
		require.Less(t, p.took(), 30*time.Second)
		require.True(t, failed.Load())
	})
}

// A limit is met while texts that hang are searched. That is no failure: nobody waits for the end of the search for its sake.
func TestALimitDoesNotWaitForASearch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const after = 2 * time.Second
		var until atomic.Pointer[time.Time]
		r := newRig(t, eights, func(r *rig) {
			r.embedder.fault = func(ctx context.Context, texts []string) error {
				if err := breaking(always)(ctx, texts); err != nil {
					return errors.Join(sleep(ctx, time.Minute), err)
				}
				at := time.Now().Add(after)
				if until.CompareAndSwap(nil, &at) || time.Now().Before(*until.Load()) {
					return status429{faulty{class: ClassRetry, reason: "rate_limited", after: time.Until(*until.Load())}}
				}
				return nil
			}
		})
		past := time.Now()
		until.Store(&past)
		r.searched()
		until.Store(nil)
		var all []*receipt
		for i := range 2 { // one that meets the limit, and one that stands at the gate which that shut
			other := newRig(t, func(o *rig) { o.embedder, o.pool = r.embedder, r.pool })
			all = append(all, other.submit(upserted(200+i, 1, fmt.Sprint("good ", i)))...)
		}
		for _, p := range all {
			require.Equal(t, Indexed, p.outcome(t).Kind)
			require.Less(t, p.took(), after+3*time.Second)
		}
	})
}

// A request with a refused text and one that hangs waits for another's search. Who has a refused text, too, does not wait for both.
func TestARequestIsNotBisectedWhileItWaitsForASearch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		holds := map[string]chan struct{}{"hold b": make(chan struct{}), "hold c": make(chan struct{})}
		r := newRig(t, eights, func(r *rig) {
			r.pool = NewEmbedPool(r.embedder, 8)
			r.embedder.fault = func(ctx context.Context, texts []string) error {
				if hold := holds[texts[0]]; hold != nil {
					<-hold
				}
				if err := refusing(errRefuse, "b refused", "c refused")(ctx, texts); err != nil {
					return err
				}
				if err := breaking(always)(ctx, texts); err != nil {
					return errors.Join(sleep(ctx, time.Minute), err)
				}
				return nil
			}
		})
		r.searched()
		request := func(of string, texts ...string) (all []*receipt) {
			o := newRig(t, eights, func(o *rig) { o.embedder, o.pool, o.batch.InFlight = r.embedder, r.pool, 1 })
			o.submit(upserted(900, 1, "hold "+of))
			synctest.Wait() // the next wait for it, and make one request
			for i, text := range texts {
				all = append(all, o.submit(upserted(i, 1, of+" "+text))...)
			}
			close(holds["hold "+of])
			return all
		}
		request("b", "bad", "good", "refused")
		for len(r.pool.lane) == 0 {
			<-time.After(gateTrying)
		}
		c := request("c", "good", "better", "refused")
		for _, p := range c[:2] {
			require.Equal(t, Indexed, p.outcome(t).Kind)
			require.Less(t, p.took(), 2*time.Minute)
		}
		require.Equal(t, Poison, c[2].outcome(t).Kind)
	})
}
