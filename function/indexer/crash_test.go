package indexer

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

const otherLong = "Wholly other words stand here now. They are as many as before. And this is the end of it."

// TestACrashAmongChunksIsMended ends a process between any two writes of a row of many records. The next one never sees the change
// that was under way, but another: a document that shrank, a delete, or the very text that was there before. It must leave neither a
// ghost nor a hole, nor a chunk of the other text.
func TestACrashAmongChunksIsMended(t *testing.T) {
	t.Parallel()
	underWay := []*connector.Change{upserted(1, 2, long), upserted(1, 2, otherLong), upserted(1, 2, "few words"), deleted(1, 2)}
	next := []*connector.Change{upserted(1, 9, "short"), upserted(1, 9, long), deleted(1, 9)}
	for _, stored := range []string{"", "few words", long, "foreign"} {
		for _, lost := range underWay {
			for _, then := range next {
				for crash := range 6 {
					name := fmt.Sprint(stored, " ", lost.Op, lost.After["title"], " ", then.Op, then.After["title"], " ", crash)
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						synctest.Test(t, func(t *testing.T) { crashed(t, stored, lost, then, crash) })
					})
				}
			}
		}
	}
}

// crashed has a process die after some writes of one change and gives the next change to another.
func crashed(t *testing.T, stored string, lost, then *connector.Change, crash int) {
	t.Helper()
	r := newRig(t, chunked)
	switch stored {
	case "":
	case "foreign":
		r.store.entries["1"] = entry{document: "old", meta: map[string]any{"colour": "red"}}
	default:
		kinds(t, r.submit(upserted(1, 1, stored)))
	}
	writes := 0
	r.store.before = func(op string, _ []string) error {
		if op == "get" {
			return nil
		}
		if writes++; writes > crash {
			return errOutage
		}
		return nil
	}
	p := r.submit(lost)
	synctest.Wait()
	r.stop()
	kinds(t, p)
	r.store.before = nil
	r.start()
	kinds(t, r.submit(then))
	requireIndexIs(t, r, []*connector.Change{lost, then})
}

func TestAChangeOfSeveralRecordsIsAnnounced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, chunked)
		kinds(t, r.submit(upserted(1, 1, long)))
		r.store.before = func(op string, _ []string) error {
			if op == "delete" {
				return errOutage
			}
			return nil
		}
		p := r.submit(upserted(1, 2, "short"))
		synctest.Wait()
		e, _ := r.store.get("1")
		state, err := document.ParseState(e.meta)
		require.NoError(t, err)
		require.Equal(t, version(1), state.Version, "the fence holds meanwhile")
		require.Empty(t, state.Fingerprint)
		require.Equal(t, len(r.store.ids()), state.Chunks)
		r.stop()
		kinds(t, p)
	})
}
