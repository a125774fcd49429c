package indexer

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

// TestAnInsertThatTakesLongerThanASweepWaits has a row of many chunks be announced, its table be truncated at another instance, and the
// sweep come before the row is written.
func TestAnInsertThatTakesLongerThanASweepWaits(t *testing.T) {
	t.Parallel()
	many := strings.Repeat("Words that are many. ", 1200)
	for name, c := range map[string]struct {
		text string
		lsn  int
		call time.Duration
	}{
		"newer than the truncate":             {long, 9, 6 * time.Second},
		"newer, of several calls":             {many, 9, 4 * time.Second},
		"older than it, and of several calls": {many, 4, 4 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				one := newRig(t, chunked)
				two := beside(t, one)
				two.stop()
				two.spec = one.spec
				two.start()
				two.store.hold = holding("upsert", 0, c.call)
				p := two.submit(upserted(1, c.lsn, c.text))
				<-time.After(time.Second)
				truncate := one.submit(truncated(5))
				want := []*connector.Change{upserted(1, c.lsn, c.text)}
				require.Equal(t, []Kind{Truncated}, kinds(t, truncate))
				if kind := p[0].outcome(t).Kind; c.lsn < 5 {
					require.Equal(t, Stale, kind)
					want = nil
				} else {
					require.Equal(t, Indexed, kind)
				}
				requireIndexIs(t, one, want)
			})
		})
	}
}

// TestALongWriteIsNotDoneTwice looks again in the midst of every kind of change, and finds what it has written so far.
func TestALongWriteIsNotDoneTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, chunked)
		slow := func(ctx context.Context, op string) {
			if op != "get" {
				_ = sleep(ctx, 5*time.Second)
			}
		}
		r.store.hold, r.stones.hold = slow, slow
		r.store.entries["2"] = entry{document: "old", meta: map[string]any{"colour": "red"}}
		for _, c := range []struct {
			change *connector.Change
			ops    []string
		}{
			{upserted(1, 2, long), []string{"add", "upsert", "update"}},
			{upserted(1, 3, otherLong), []string{"update", "upsert", "upsert"}},   // over another text
			{upserted(1, 4, "few words"), []string{"update", "delete", "upsert"}}, // over a longer one
			{upserted(2, 5, long), []string{"update", "upsert", "upsert"}},        // over a record that is not ours
			{deleted(2, 6), []string{"update", "delete", "delete"}},               // after the tombstone
			{upserted(2, 7, long), []string{"add", "upsert", "update"}},           // over a tombstone
			{upserted(2, 8, long), []string{"update", "update"}},                  // metadata only
			{upserted(3, 9, ""), []string{}},                                      // no text at all
			{upserted(3, 10, long), []string{"add", "upsert", "update"}},          // over its tombstone
		} {
			r.store.mu.Lock()
			r.store.calls = nil
			r.store.mu.Unlock()
			require.NotEqual(t, Poison, r.submit(c.change)[0].outcome(t).Kind)
			ops := slices.DeleteFunc(r.store.ops(), func(op string) bool { return op == "get" })
			require.Equal(t, c.ops, ops, "%v", c.change)
		}
		r.store.mu.Lock()
		r.store.entries["4"] = entry{document: "old", meta: map[string]any{"colour": "red"}}
		r.store.mu.Unlock()
		require.Equal(t, []Kind{Deleted}, kinds(t, r.submit(deleted(4, 11))))
		require.Len(t, r.stones.of("upsert"), 3, "a tombstone for each row that went")
		requireIndexIs(t, r, []*connector.Change{upserted(1, 4, "few words"), upserted(2, 8, long), upserted(3, 10, long)})
		release := r.plug()
		both := r.submit(upserted(5, 12, "few"), upserted(6, 13, long))
		release()
		require.Equal(t, []Kind{Indexed, Indexed}, kinds(t, both), "one is done before the other")
	})
}
