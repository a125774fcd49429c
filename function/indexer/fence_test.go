package indexer

import (
	"context"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

func TestAgedAsksBothClocks(t *testing.T) {
	t.Parallel()
	now := time.Now()
	require.False(t, aged(now, now.Add(fenceAge)))
	require.True(t, aged(now, now.Add(fenceAge+1)))
	wall := now.Round(0)
	require.True(t, aged(wall, wall.Add(time.Hour)), "a machine that slept knows it by the wall clock only")
	require.False(t, aged(now, wall.Add(-time.Hour)), "a clock that was set back")
}

// TestAnAgedReadIsReadAgain has another instance write the row while ours is at the endpoint.
func TestAnAgedReadIsReadAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		took    time.Duration
		foreign int // LSN that the other instance wrote, 0 for none
		want    Kind
		title   string
		gets    int
	}{
		"young enough":          {took: 100 * time.Millisecond, want: Indexed, title: "ours", gets: 2},
		"nothing changed":       {took: 101 * time.Millisecond, want: Indexed, title: "ours", gets: 3},
		"a newer one was there": {took: 6 * time.Second, foreign: 20, want: Stale, title: "theirs", gets: 3},
		"an older one as well":  {took: 6 * time.Second, foreign: 5, want: Indexed, title: "ours", gets: 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.embedder.fault = func(ctx context.Context, _ []string) error {
					if c.foreign > 0 {
						r.foreign("1", c.foreign, "theirs")
					}
					return sleep(ctx, c.took)
				}
				require.Equal(t, []Kind{c.want}, kinds(t, r.submit(upserted(1, 10, "ours"))))
				e, _ := r.store.get("1")
				require.Equal(t, c.title, e.document)
				require.Len(t, r.store.of("get"), c.gets)
				require.Len(t, r.embedder.seen(), 1, "the vector is used again")
			})
		})
	}
}

// foreign writes a row as another instance would.
func (r *rig) foreign(id string, lsn int, title string) {
	r.t.Helper()
	doc, err := newBuilder(r.t, r.spec).Build(upserted(1, lsn, title))
	require.NoError(r.t, err)
	rec := doc.Records(version(lsn), nil)[0]
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	r.store.entries[id] = entry{document: title, vector: vectorOf(title), meta: rec.Metadata}
}

func TestARetriedWriteReadsAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		failed := false
		r.store.before = func(op string, _ []string) error {
			if op == "add" && !failed {
				failed = true
				r.store.entries["1"] = entry{document: "theirs", meta: map[string]any{
					document.KeyLSN: int64(20), document.KeyCommitTime: version(20).CommitTime.UnixMilli(),
					document.KeyFingerprint: "f", document.KeyChunks: int64(1),
				}}
				return errOutage
			}
			return nil
		}
		require.Equal(t, []Kind{Stale}, kinds(t, r.submit(upserted(1, 10, "ours"))))
		e, _ := r.store.get("1")
		require.Equal(t, "theirs", e.document)
	})
}

func TestADamagedMarkIsNotWrittenOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.store.entries["1"] = entry{document: "old", meta: map[string]any{document.KeyLSN: "what"}}
		o := r.submit(upserted(1, 1, "x"))[0].outcome(t)
		require.Equal(t, Poison, o.Kind)
		require.Equal(t, document.ReasonBadState, o.Reason)
		e, _ := r.store.get("1")
		require.Equal(t, "old", e.document)
	})
}

func TestAForeignRecordIsTakenOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.store.entries["1"] = entry{document: "old", meta: map[string]any{"colour": "red"}}
		require.Equal(t, []Kind{Indexed}, kinds(t, r.submit(upserted(1, 1, "x"))))
		e, _ := r.store.get("1")
		require.NotContains(t, e.meta, "colour")
		r.store.entries["2"] = entry{document: "old", meta: map[string]any{"colour": "red"}}
		require.Equal(t, []Kind{Deleted}, kinds(t, r.submit(deleted(2, 1))))
		require.Equal(t, []string{"1"}, r.store.ids())
	})
}

func TestLookupBisectsARefusedID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.store.before = func(op string, ids []string) error {
			if op == "get" && indexOf(ids, "2") >= 0 {
				return errRefuse
			}
			return nil
		}
		release := r.plug()
		receipts := r.submit(upserted(1, 1, "x"), upserted(2, 1, "x"), upserted(2, 2, "x"), upserted(3, 1, "x"))
		release()
		require.Equal(t, []Kind{Indexed, Poison, Poison, Indexed}, kinds(t, receipts))
	})
}

// A group's phases take their time. A row that is written in a later one of them alone is read again before.
func TestAMarkIsFencedAgainAfterTheOtherPhases(t *testing.T) {
	t.Parallel()
	for op, before := range map[string]*connector.Change{
		"add": nil, "upsert": upserted(1, 5, "before"), "update": upserted(1, 5, "ours"),
	} {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, chunked, func(r *rig) { r.batch.InFlight = 4 })
				if before != nil {
					kinds(t, r.submit(before))
				}
				theirs := storedMeta(t, r.spec, upserted(1, 20, "theirs"))
				busy, came, late := make(chan struct{}), false, false
				r.store.hold = func(ctx context.Context, op string) {
					if puts(op) {
						<-busy
						_ = sleep(ctx, 200*time.Millisecond)
					}
				}
				r.store.before = func(is string, ids []string) error {
					if is == "add" && indexOf(ids, "2") >= 0 {
						require.NotContains(t, ids, "1", "not in the same phase")
						r.store.entries["1"], came = entry{document: "theirs", meta: theirs}, true
					} else if is == op && came {
						late = late || indexOf(ids, "1") >= 0
					}
					return nil
				}
				other := r.submit(upserted(9, 1, "other"))
				synctest.Wait()
				receipts := r.submit(upserted(1, 10, "ours"), upserted(2, 10, long)) // make one group, behind a writer that is busy
				synctest.Wait()
				close(busy)
				require.Equal(t, []Kind{Stale, Indexed}, kinds(t, receipts))
				kinds(t, other)
				e, _ := r.store.get("1")
				require.Equal(t, "theirs", e.document)
				require.Equal(t, theirs, e.meta)
				require.False(t, late, "an %s was sent", op)
			})
		})
	}
}

// storedMeta is the metadata of a row's first record as the store has it.
func storedMeta(t *testing.T, spec document.Spec, c *connector.Change) map[string]any {
	t.Helper()
	doc, err := newBuilder(t, spec).Build(c)
	require.NoError(t, err)
	meta := doc.Records(c.Version, nil)[0].Metadata
	maps.DeleteFunc(meta, func(_ string, value any) bool { return value == nil })
	return meta
}
