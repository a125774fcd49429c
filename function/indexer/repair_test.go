package indexer

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// mend submits a change with what is known of its row's records.
func (r *rig) mend(c *connector.Change, hint Repair) *receipt {
	r.t.Helper()
	rec, p := record(c, 100)
	rec.Repair = &hint
	require.NoError(r.t, r.table.Submit(r.t.Context(), rec))
	return p
}

// spoil merges metadata into a record behind everybody's back.
func (r *rig) spoil(id string, meta map[string]any) {
	r.t.Helper()
	require.NoError(r.t, r.store.Update(r.t.Context(), []string{id}, []map[string]any{meta}))
}

func TestARepairDoubtsWhatTheMarkSays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, chunked)
		kinds(t, r.submit(upserted(1, 5, long)))
		whole := r.store.ids()
		n := len(whole)
		tail := document.ChunkIDs("1", n, n+2)
		for _, id := range tail {
			r.store.put(id, &entry{document: "a tail", meta: map[string]any{}})
		}
		r.spoil(whole[1], map[string]any{"extra": "too many"})

		require.Equal(t, Indexed, r.mend(upserted(1, 7, long), Repair{Text: true, Chunks: n + 2, Keys: []string{"extra"}}).outcome(t).Kind)
		require.Equal(t, whole, r.store.ids())
		e, _ := r.store.get(whole[1])
		require.NotContains(t, e.meta, "extra")
		require.Equal(t, []Kind{Deleted}, kinds(t, r.submit(deleted(1, 8))))
		require.Empty(t, r.store.ids())
	})
}

func TestARepairOfMetadataEmbedsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		kinds(t, r.submit(upserted(1, 5, "a")))
		r.spoil("1", map[string]any{"price": "wrong", "extra": true})
		require.Equal(t, MetadataOnly, r.mend(upserted(1, 7, "a"), Repair{Chunks: 1}).outcome(t).Kind)
		e, _ := r.store.get("1")
		require.Equal(t, int64(7), e.meta["price"])
		require.NotContains(t, e.meta, "extra")
		require.Equal(t, Stale, r.mend(upserted(1, 6, "b"), Repair{Text: true, Chunks: 9}).outcome(t).Kind, "newer work stays")
	})
}

func TestARepairClearsChunksWithoutAFirstRecord(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, chunked)
		kinds(t, r.submit(upserted(1, 5, long)))
		n := len(r.store.ids())
		require.NoError(t, r.store.Delete(t.Context(), []string{"1"}))
		require.Equal(t, Indexed, r.mend(upserted(1, 7, "short"), Repair{Chunks: n}).outcome(t).Kind)
		require.Equal(t, []string{"1"}, r.store.ids())
	})
}

// TestOnlyARepairWritesOverADamagedMark, and not over one that somebody else has mended meanwhile.
func TestOnlyARepairWritesOverADamagedMark(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, chunked)
		kinds(t, r.submit(upserted(1, 5, long)))
		whole := r.store.ids()
		damage := map[string]any{document.KeyLSN: "not a number", document.KeyChunks: "many"}
		r.spoil("1", damage)
		require.Equal(t, []Kind{Poison}, kinds(t, r.submit(upserted(1, 9, "b"))))
		require.Equal(t, Indexed, r.mend(upserted(1, 7, "short"), Repair{Text: true, Chunks: len(whole)}).outcome(t).Kind)
		require.Equal(t, []string{"1"}, r.store.ids())
		e, _ := r.store.get("1")
		state, err := document.ParseState(e.meta)
		require.NoError(t, err)
		require.True(t, state.Version.SameChange(version(7)))

		r.spoil("1", damage)
		require.Equal(t, Deleted, r.mend(deleted(1, 8), Repair{Text: true}).outcome(t).Kind)
		require.Empty(t, r.store.ids())
	})
}

// TestARepairYieldsToWhatIsWrittenWhileItEmbeds: the announcement stands behind the fence, so that the other's mark stays whole.
func TestARepairYieldsToWhatIsWrittenWhileItEmbeds(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]map[string]any{"readable": {}, "damaged": {document.KeyLSN: "not a number"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, chunked)
				live := newRig(t, chunked, func(l *rig) { l.store, l.stones = r.store, r.stones })
				kinds(t, r.submit(upserted(1, 5, "short")))
				r.spoil("1", damage)
				var newer entry
				r.embedder.fault = func(context.Context, []string) error {
					r.embedder.fault = nil
					if err := r.store.Delete(t.Context(), []string{"1"}); err != nil {
						return err
					}
					kinds(t, live.submit(upserted(1, 20, long)))
					newer, _ = r.store.get("1")
					<-time.After(2 * fenceAge)
					return nil
				}
				require.Equal(t, Stale, r.mend(upserted(1, 7, "other words that make two"), Repair{Text: true, Chunks: 3}).outcome(t).Kind)
				left, _ := r.store.get("1")
				require.Equal(t, newer.meta, left.meta)
				require.Equal(t, []Kind{Deleted}, kinds(t, live.submit(deleted(1, 21))))
				require.Empty(t, r.store.ids())
			})
		})
	}
}
