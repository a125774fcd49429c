package indexer

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Another instance has swept for a truncate: a row aside is looked up now and then.
func TestARowAsideIsOvertakenByATruncateElsewhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(r *rig) { r.embedder.fault = breaking(always) })
		p := r.stalled(1, 1, "bad")
		other := NewTable(TableConfig{Table: "app.articles", Builder: newBuilder(t, articles())}, r.pool, r.writer, Options{})
		defer other.Drain(t.Context())
		rec, swept := record(truncated(5), 1)
		require.NoError(t, other.Submit(t.Context(), rec))
		require.Equal(t, Truncated, swept.outcome(t).Kind)
		at := time.Now()
		require.Equal(t, Stale, p.outcome(t).Kind)
		require.Less(t, time.Since(at), reviveSlow+2*reviveMost)
	})
}

// A truncate comes while the row is searched, or asked for: it misses neither.
func TestATruncateBesideATextThatIsAskedFor(t *testing.T) {
	t.Parallel()
	for _, after := range []time.Duration{time.Second, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, func(r *rig) {
				r.embedder.fault = func(ctx context.Context, texts []string) error {
					if err := breaking(always)(ctx, texts); err != nil {
						_ = sleep(ctx, 30*time.Second)
						return err
					}
					return nil
				}
			})
			p := r.submit(upserted(1, 1, "bad"))[0]
			<-time.After(after)
			for r.embedder.busy() == 0 {
				<-time.After(time.Second)
			}
			require.Equal(t, Truncated, r.submit(truncated(5))[0].outcome(t).Kind)
			require.Equal(t, Stale, p.outcome(t).Kind)
		})
	}
}

func TestATruncateEndsTheWaitOfATextThatStalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(r *rig) { r.embedder.fault = breaking(always) })
		p := r.stalled(1, 1, "bad")
		require.Equal(t, Truncated, r.submit(truncated(5))[0].outcome(t).Kind)
		require.Equal(t, Stale, p.outcome(t).Kind)
	})
}
