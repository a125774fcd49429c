package indexer

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

// unreadable are changes of n rows on which the template of measured fails.
func unreadable(n int) []*connector.Change {
	list := make([]*connector.Change, n)
	for i := range list {
		list[i] = upserted(i+1, i+1, "")
		list[i].After["title"] = int64(5)
	}
	return list
}

func measured(r *rig) { r.spec.Text = "{{len .title}} x" }

// Bad rows may come first, dead letters that were sent again, say. The first good one behind them tells whose fault it is.
func TestATableHaltedByBadRowsGoesOnWithAGoodOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, measured)
		bad := r.submit(unreadable(13)...)
		synctest.Wait()
		require.Equal(t, Halted, r.table.Condition().State)
		good := r.submit(upserted(50, 50, "four"))
		require.Equal(t, []Kind{Indexed}, kinds(t, good))
		for _, p := range bad {
			require.Equal(t, Poison, p.outcome(t).Kind)
		}
		require.Equal(t, Running, r.table.Condition().State)
	})
}

func TestATemplateThatFailsOnAFullQueueHalts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, measured)
		all := unreadable(300)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		taken := 0
		for _, c := range all {
			rec, _ := record(c, 1)
			if r.table.Submit(ctx, rec) != nil {
				break
			}
			taken++
		}
		require.Less(t, taken, 100, "it does not take the whole topic")
		require.Equal(t, Halted, r.table.Condition().State)
	})
}
