package indexer

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

// A row that moves onto the id of one that was there takes over nothing of it: not under a key that the settings name, either.
func TestARowThatMovesOntoAnother(t *testing.T) {
	t.Parallel()
	for _, fetches := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, toasted, func(r *rig) {
				if r.spec.Key = []string{"sku"}; fetches {
					r.columns = anyRow{"body": "B2"}
				}
			})
			keyed := func(c *connector.Change, sku string) *connector.Change {
				c.Key, c.After["sku"] = nil, sku
				return c
			}
			kinds(t, r.submit(keyed(whole(1, "a", "B1"), "A"), keyed(whole(2, "a", "B2"), "B")))
			moved := keyed(part(7, "a"), "A")
			moved.Before = connector.Row{"sku": "B"}
			got := kinds(t, r.submit(moved))
			_, old := r.store.get("B")
			require.False(t, old)
			e, _ := r.store.get("A")
			if fetches {
				require.Equal(t, []Kind{Indexed}, got)
				require.Equal(t, "a: B2", e.document)
			} else {
				require.Equal(t, []Kind{Poison}, got)
			}
		})
	}
}
