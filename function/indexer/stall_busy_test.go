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
