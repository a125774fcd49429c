package indexer

import (
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// A row that waits for Postgres holds up no other of its batch.
func TestARowThatWaitsForItsColumnsWaitsAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var away atomic.Bool
		away.Store(true)
		r := newRig(t, toasted, reading(&source{row: connector.Row{"body": "B"}, fault: func() error {
			if away.Load() {
				return errOutage
			}
			return nil
		}}))
		release := r.plug()
		waits := r.submit(part(5, "a"))[0]
		other := upserted(2, 6, "other")
		goes := r.submit(other)[0]
		release()
		require.Equal(t, Indexed, goes.outcome(t).Kind)
		synctest.Wait()
		require.False(t, waits.settled())
		require.Equal(t, Retrying, r.table.Condition().State)
		away.Store(false)
		require.Equal(t, Indexed, waits.outcome(t).Kind)
		require.Equal(t, "a: B", r.text())
	})
}

// What was read is planned on what the index holds afterwards.
func TestARowThatGoesOnWhileItsColumnsAreRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		from := &source{row: connector.Row{"body": "B"}}
		r := newRig(t, toasted, reading(from))
		from.fault = func() error { // another instance writes meanwhile
			from.fault = nil
			other := newRig(t, toasted, func(o *rig) { o.store, o.stones = r.store, r.stones })
			kinds(t, other.submit(whole(9, "c", "C")))
			return nil
		}
		require.Equal(t, []Kind{Stale}, kinds(t, r.submit(part(5, "a"))))
		require.Equal(t, "c: C", r.text())
	})
}

func TestARecordOfTheReleaseBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, toasted)
		kinds(t, r.submit(whole(1, "a", "B1")))
		kinds(t, r.submit(part(5, "a")))
		delete(r.store.entries["1"].meta, document.KeyOpen)
		require.Equal(t, []Kind{Stale}, kinds(t, r.submit(whole(1, "a", "B1"))))
		require.Equal(t, []Kind{Indexed}, kinds(t, r.submit(whole(3, "a", "B3"))))
		require.Equal(t, "a: B3", r.text())
		require.Equal(t, []Kind{Stale}, kinds(t, r.submit(whole(2, "a", "B2"))))
		require.Equal(t, []Kind{Indexed}, kinds(t, r.submit(whole(4, "a", "B4"))))
	})
}
