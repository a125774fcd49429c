package indexer

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// fill has n rows stand in line.
func (r *rig) fill(n int) (all []*receipt) {
	r.t.Helper()
	r.submit(upserted(999, 1, "a text that the endpoint takes"))[0].outcome(r.t)
	for i := range n {
		all = append(all, r.submit(upserted(i, 1, fmt.Sprint("bad ", i)))...)
	}
	<-time.After(time.Hour)
	require.Equal(r.t, n, r.inLine())
	return all
}

// wide is a table that takes many rows at a time.
func wide(r *rig) { r.batch.MaxRecords, r.embedder.size = 128, 16 }

// However many rows stand there, no two are asked for within a second; and all of them come back in few requests.
func TestALongLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		on := failing()
		r := newRig(t, wide, func(r *rig) { r.embedder.fault = breaking(on.Load) })
		all := r.fill(100)
		since := time.Now()
		<-time.After(10 * time.Minute)
		var last time.Time
		for _, c := range r.embedder.seen() {
			if c.at.Before(since) || !strings.Contains(strings.Join(c.ids, ","), "bad") {
				continue
			}
			require.GreaterOrEqual(t, c.at.Sub(last), time.Second)
			last = c.at
		}
		on.Store(false)
		back := time.Now()
		for _, p := range all {
			require.Equal(t, Indexed, p.outcome(t).Kind)
		}
		require.Less(t, r.asked(back), 20)
		require.Less(t, time.Since(back), 10*time.Second)
	})
}

// A text that takes the endpoint's time is left alone for longer.
func TestASlowTextRestsLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(r *rig) {
			r.embedder.fault = func(ctx context.Context, texts []string) error {
				if err := breaking(always)(ctx, texts); err != nil {
					_ = sleep(ctx, 20*time.Second)
					return err
				}
				return nil
			}
		})
		r.fill(1)
		since := time.Now()
		<-time.After(2 * time.Hour)
		require.LessOrEqual(t, r.asked(since), int(2*time.Hour/(reviveShare*20*time.Second))+1)
		require.Positive(t, r.asked(since))
	})
}

// A setting turns wrong while nobody but the line asks: it is probed as a halt is, and told.
func TestALineInAHalt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		revoked, on := failing(), failing()
		revoked.Store(false)
		r := newRig(t, wide, func(r *rig) {
			r.embedder.fault = func(ctx context.Context, texts []string) error {
				if revoked.Load() {
					return errKey
				}
				return breaking(on.Load)(ctx, texts)
			}
		})
		all := r.fill(50)
		revoked.Store(true)
		<-time.After(2 * time.Minute)
		require.Equal(t, Halted, r.table.Condition().State)
		require.Contains(t, r.table.Condition().Cause, errKey.Error())
		since := time.Now()
		<-time.After(10 * time.Minute)
		require.LessOrEqual(t, len(r.embedder.seen())-len(r.before(since)), 21, "one each 30 s")
		revoked.Store(false)
		on.Store(false)
		back := time.Now()
		for _, p := range all {
			require.Equal(t, Indexed, p.outcome(t).Kind)
		}
		require.Less(t, time.Since(back), 40*time.Second)
	})
}

// The endpoint goes away, and then says that it has too much to do, while nobody but the line asks: one request tries per step.
func TestALineInAnOutage(t *testing.T) {
	t.Parallel()
	for _, outage := range []error{errOutage, status429{errOutage}} {
		synctest.Test(t, func(t *testing.T) {
			down, on := failing(), failing()
			down.Store(false)
			r := newRig(t, wide, func(r *rig) {
				r.embedder.fault = func(ctx context.Context, texts []string) error {
					if down.Load() {
						return outage
					}
					return breaking(on.Load)(ctx, texts)
				}
			})
			all := r.fill(50)
			down.Store(true)
			<-time.After(time.Minute)
			require.NotContains(t, r.table.Condition().Cause, "takes other texts")
			since := time.Now()
			<-time.After(10 * time.Minute)
			require.LessOrEqual(t, len(r.embedder.seen())-len(r.before(since)), 600/4*2)
			down.Store(false)
			on.Store(false)
			back := time.Now()
			for _, p := range all {
				require.Equal(t, Indexed, p.outcome(t).Kind)
			}
			require.Less(t, time.Since(back), 20*time.Second)
		})
	}
}
