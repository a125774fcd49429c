package indexer

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
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

// An endpoint that begins to refuse everything while the texts of a request are told apart condemns none that it would have taken.
func TestAnEndpointThatRefusesEverythingFromNowOn(t *testing.T) {
	t.Parallel()
	for limit := range int64(9) {
		synctest.Test(t, func(t *testing.T) {
			var taken atomic.Int64
			var over atomic.Bool
			r := newRig(t, func(r *rig) { r.embedder = &fakeEmbedder{size: 4} })
			r.embedder.fault = func(_ context.Context, texts []string) error {
				switch {
				case strings.HasPrefix(texts[0], "plug "):
				case slices.Contains(texts, "bad"), taken.Load() >= limit && !over.Load():
					return errRefuse
				default:
					taken.Add(1)
				}
				return nil
			}
			release := r.plug()
			var receipts []*receipt
			for i, text := range []string{"a", "b", "c", "d", "bad", "f", "g", "h"} {
				receipts = append(receipts, r.submit(upserted(i, 1, text))...)
			}
			release()
			<-time.After(time.Hour)
			over.Store(true)
			for i, kind := range kinds(t, receipts) {
				require.Equal(t, i == 4, kind == Poison, "row %d, %d requests taken", i, limit)
			}
		})
	}
}
