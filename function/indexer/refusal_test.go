package indexer

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// refused is an answer of 400 or 422 as the client of the index classifies it.
type refused struct{ status int }

func (*refused) Error() string  { return "invalid request" }
func (*refused) Class() string  { return "poison" }
func (*refused) Reason() string { return "invalid_request" }
func (e *refused) Status() int  { return e.status }

// TestAnIndexThatRefusesEverythingHalts: a quota that is used up answers 422 to every write. No record is at fault.
func TestAnIndexThatRefusesEverythingHalts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		full := true
		r.store.before = func(op string, _ []string) error {
			if op == "upsert" && full {
				return &refused{422}
			}
			return nil
		}
		receipts := r.submit(upserted(1, 1, "a"), upserted(2, 1, "b"), upserted(3, 1, "c"))
		synctest.Wait()
		require.Equal(t, Halted, r.table.Condition().State)
		require.Contains(t, r.table.Condition().Cause, "refuses this record and has taken no other")
		time.Sleep(95 * time.Second) //nolint:forbidigo // inside synctest
		require.Equal(t, Halted, r.table.Condition().State)
		r.store.mu.Lock()
		full = false
		r.store.mu.Unlock()
		require.Equal(t, []Kind{Indexed, Indexed, Indexed}, kinds(t, receipts))
		require.Equal(t, Running, r.table.Condition().State)
	})
}

// TestARefusedRecordIsPoisonWhereOthersAreTaken: the others of its group, or one shortly before, vouch for the index.
func TestARefusedRecordIsPoisonWhereOthersAreTaken(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]bool{"of its group": false, "a write before": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.store.before = func(op string, ids []string) error {
					if op == "upsert" && slices.Contains(ids, "2") {
						return &refused{400}
					}
					return nil
				}
				if before {
					require.Equal(t, []Kind{Indexed}, kinds(t, r.submit(upserted(1, 1, "a"))))
					require.Equal(t, []Kind{Poison}, kinds(t, r.submit(upserted(2, 1, "b"))))
					return
				}
				require.Equal(t, []Kind{Indexed, Poison, Indexed}, kinds(t, r.submit(upserted(1, 1, "a"), upserted(2, 1, "b"), upserted(3, 1, "c"))))
			})
		})
	}
}
