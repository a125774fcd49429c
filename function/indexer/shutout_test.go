package indexer

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/document"
)

// trickle gives another table of the rig's pool and collection a change every so often, and returns the longest that one took.
func (r *rig) trickle(n int, every time.Duration) (longest time.Duration) {
	r.t.Helper()
	twin := NewTable(TableConfig{Table: "app.twin", Builder: newBuilder(r.t, articles())}, r.pool, r.writer, Options{})
	defer twin.Drain(r.t.Context())
	for i := range n {
		began := time.Now()
		rec, p := record(upserted(1000+i, 1, fmt.Sprint("good ", i)), 1)
		require.NoError(r.t, twin.Submit(r.t.Context(), rec))
		require.Equal(r.t, Indexed, p.outcome(r.t).Kind)
		longest = max(longest, time.Since(began))
		<-time.After(every)
	}
	return longest
}

// One table's text makes the endpoint hang whenever it is tried. A quiet table beside it hardly notices.
func TestARequestThatHangsShutsNobodyOut(t *testing.T) {
	t.Parallel()
	for _, every := range []time.Duration{time.Second, 10 * time.Second, 2 * time.Minute} {
		t.Run(every.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(r *rig) {
					r.embedder.fault = func(ctx context.Context, texts []string) error {
						if slices.Contains(texts, "slow") {
							if err := sleep(ctx, time.Minute); err != nil {
								return err
							}
							return errOutage
						}
						return sleep(ctx, 50*time.Millisecond)
					}
				})
				r.submit(upserted(1, 1, "slow"))
				<-time.After(time.Second)
				require.Less(t, r.trickle(100, every), gateHung+time.Second)
			})
		})
	}
}

// The mark of one table's truncate is damaged. That halts the table, and no other of its collection.
func TestADamagedMarkHaltsItsTableOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.stones.entries[document.TruncateID("app.articles")] = entry{meta: map[string]any{document.KeyLSN: "x"}}
		r.submit(upserted(1, 1, "a"))
		synctest.Wait()
		require.Equal(t, Halted, r.table.Condition().State)
		require.Less(t, r.trickle(100, time.Second), time.Second)
	})
}

// A request that is told to wait 20 s is not sent again before, although others were under way when it was told.
func TestRetryAfterIsObeyedBesideOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var tries []time.Time
		r := newRig(t, func(r *rig) {
			r.embedder.size = 1
			r.embedder.fault = func(ctx context.Context, texts []string) error {
				if slices.Contains(texts, "limited") {
					mu.Lock()
					tries = append(tries, time.Now())
					mu.Unlock()
					return faulty{class: ClassRetry, reason: "rate_limited", after: 20 * time.Second}
				}
				return sleep(ctx, 50*time.Millisecond)
			}
		})
		r.submit(upserted(1, 1, "limited"))
		r.trickle(100, time.Second)
		mu.Lock()
		defer mu.Unlock()
		require.Greater(t, len(tries), 3)
		for i := 1; i < len(tries); i++ {
			require.GreaterOrEqual(t, tries[i].Sub(tries[i-1]), 20*time.Second)
		}
	})
}
