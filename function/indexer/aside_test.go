package indexer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

// narrow gives a table two batches of one record each.
func narrow(r *rig) { r.batch = Batch{MaxRecords: 1, MaxBytes: 1 << 16, InFlight: 2} }

// shelf is a table to read from that has every row, and counts who reads.
type shelf struct {
	takes time.Duration
	fault func() error

	mu           sync.Mutex
	active, most int
	at           []time.Time
}

func (s *shelf) Fetch(ctx context.Context, c *connector.Change, _ []connector.Column, _ []string) (connector.Row, bool, error) {
	s.mu.Lock()
	s.active++
	s.most, s.at = max(s.most, s.active), append(s.at, time.Now())
	s.mu.Unlock()
	err := sleep(ctx, s.takes)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active--
	if err == nil && s.fault != nil {
		err = s.fault()
	}
	return connector.Row{"body": fmt.Sprint("B", c.After["id"])}, err == nil, err
}

// reads is how often it was asked.
func (s *shelf) reads() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.at)
}

// lacks is a change of a row that left its body out.
func lacks(id, lsn int) *connector.Change {
	c := upserted(id, lsn, "a")
	c.After["body"] = connector.Unavailable{}
	return c
}

func several(n int, change func(id int) *connector.Change) (list []*connector.Change) {
	for id := range n {
		list = append(list, change(id+1))
	}
	return list
}

// TestRowsThatWaitForASweepKeepNoSlot has more rows wait than there are batches.
func TestRowsThatWaitForASweepKeepNoSlot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one := newRig(t)
		two := newRig(t, narrow, func(r *rig) { r.store, r.stones = one.store, one.stones })
		kinds(t, one.submit(several(2, func(id int) *connector.Change { return upserted(id, 1, "old") })...))
		truncate := one.submit(truncated(5))
		synctest.Wait()
		waiting := two.submit(several(2, func(id int) *connector.Change { return upserted(id, 6, "new") })...)
		from := time.Now()
		require.Equal(t, []Kind{Indexed}, kinds(t, two.submit(upserted(9, 7, "other"))))
		require.Less(t, time.Since(from), time.Second)
		synctest.Wait()
		require.False(t, waiting[0].settled() || waiting[1].settled())
		require.Equal(t, Retrying, two.table.Condition().State)
		require.Contains(t, two.table.Condition().Cause, "truncate")
		waiting = append(waiting, two.submit(deleted(1, 8))...)
		require.Equal(t, []Kind{Truncated, Indexed, Indexed, Deleted}, kinds(t, append(truncate, waiting...)))
		synctest.Wait()
		require.Equal(t, Running, two.table.Condition().State)
		requireIndexIs(t, one, []*connector.Change{upserted(2, 6, "new"), upserted(9, 7, "other")})
		require.Zero(t, two.ledger.inFlight)
	})
}

func TestRowsThatWaitForPostgresKeepNoSlot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		away := true
		from := &shelf{fault: func() error {
			if away {
				return errOutage
			}
			return nil
		}}
		r := newRig(t, toasted, narrow, func(r *rig) { r.columns = from })
		waiting := r.submit(several(2, func(id int) *connector.Change { return lacks(id, 6) })...)
		begun := time.Now()
		require.Equal(t, []Kind{Indexed}, kinds(t, r.submit(upserted(9, 7, "other"))))
		require.Less(t, time.Since(begun), time.Second)
		<-time.After(10 * time.Minute)
		require.False(t, waiting[0].settled() || waiting[1].settled())
		require.Equal(t, Retrying, r.table.Condition().State)
		require.Less(t, from.reads(), 200, "who is away is asked by one row at a time, and more and more seldom")
		from.mu.Lock()
		away = false
		from.mu.Unlock()
		waiting = append(waiting, r.submit(deleted(1, 8))...)
		got := kinds(t, waiting)
		require.Contains(t, []Kind{Indexed, Superseded}, got[0], "the deletion comes in when there is room, which row 2 may make, and goes with its row")
		require.Equal(t, []Kind{Indexed, Deleted}, got[1:])
		synctest.Wait()
		require.Equal(t, Running, r.table.Condition().State)
	})
}

// TestRowsAreReadTogether has every read take a second.
func TestRowsAreReadTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		from := &shelf{takes: time.Second}
		r := newRig(t, toasted, func(r *rig) { r.columns = from })
		begun := time.Now()
		receipts := r.submit(several(4*readers, func(id int) *connector.Change { return lacks(id, 6) })...)
		for _, p := range receipts {
			require.Equal(t, Indexed, p.outcome(t).Kind)
		}
		require.Equal(t, readers, from.most)
		require.LessOrEqual(t, time.Since(begun), 5*time.Second)
		e, _ := r.store.get("7")
		require.Equal(t, "a: B7", e.document)
	})
}

// TestARowThatPostgresDoesNotShowYet holds up no other row that is read.
func TestARowThatPostgresDoesNotShowYet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		r := newRig(t, toasted, func(r *rig) { r.columns = slow{until: begun.Add(time.Minute)} })
		first := r.submit(lacks(1, 6))
		for id := range 50 {
			from := time.Now()
			require.Equal(t, []Kind{Indexed}, kinds(t, r.submit(lacks(10+id, 6))))
			require.LessOrEqual(t, time.Since(from), time.Second)
		}
		require.False(t, first[0].settled())
		first = append(first, r.submit(upserted(1, 7, "whole"))...)
		require.Equal(t, []Kind{Superseded, Indexed}, kinds(t, first), "what came behind it goes with it")
		require.Less(t, time.Since(begun), 2*time.Minute)
	})
}

// slow shows row 1 late.
type slow struct{ until time.Time }

func (s slow) Fetch(_ context.Context, c *connector.Change, _ []connector.Column, _ []string) (connector.Row, bool, error) {
	if c.After["id"] == int64(1) && time.Now().Before(s.until) {
		return nil, false, errOutage
	}
	return connector.Row{"body": "B"}, true, nil
}

// TestWhatIsAsideIsBounded fills a table with rows that wait.
func TestWhatIsAsideIsBounded(t *testing.T) {
	t.Parallel()
	for name, bytes := range map[string]int{"by number": 1, "by bytes": 1 << 14} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				away := true
				from := &shelf{fault: func() error {
					if away {
						return errOutage
					}
					return nil
				}}
				r := newRig(t, toasted, narrow, func(r *rig) { r.batch.MaxRecords, r.columns = 4, from })
				var receipts []*receipt
				for id := 1; ; id++ {
					rec, p := record(lacks(id, 6), bytes)
					receipts = append(receipts, p)
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					err := r.table.Submit(ctx, rec)
					cancel()
					if errors.Is(err, context.DeadlineExceeded) {
						break
					}
					require.NoError(t, err)
					require.Less(t, id, 100)
					synctest.Wait()
				}
				taken := len(receipts) - 1
				if bytes == 1 {
					require.GreaterOrEqual(t, taken, waitingBatches*r.batch.MaxRecords)
				} else {
					require.GreaterOrEqual(t, taken*bytes, r.batch.MaxBytes)
				}
				require.LessOrEqual(t, taken, (waitingBatches+r.batch.InFlight)*r.batch.MaxRecords)
				from.mu.Lock()
				away = false
				from.mu.Unlock()
				for _, p := range receipts[:taken] {
					require.Equal(t, Indexed, p.outcome(t).Kind)
				}
				require.Zero(t, r.ledger.inFlight)
				require.Zero(t, r.shelved().records+r.shelved().bytes)
			})
		})
	}
}

// TestWhatIsAsideIsLeftByADrain drains with rows that wait for a sweep, rows that wait for Postgres, and one that Postgres is at.
func TestWhatIsAsideIsLeftByADrain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one := newRig(t, toasted)
		two := newRig(t, toasted, func(r *rig) {
			r.store, r.stones = one.store, one.stones
			r.columns = &shelf{takes: 2 * time.Second}
		})
		kinds(t, one.submit(upserted(1, 1, "old")))
		one.submit(truncated(5))
		synctest.Wait()
		waiting := two.submit(upserted(1, 6, "new"), upserted(1, 7, "newer"), lacks(2, 7), lacks(2, 8), lacks(3, 9))
		synctest.Wait()
		from := time.Now()
		two.table.Drain(t.Context())
		require.LessOrEqual(t, time.Since(from), 2*time.Second)
		require.Equal(t, []Kind{Interrupted, Interrupted, Interrupted, Interrupted, Interrupted}, kinds(t, waiting))
		require.Zero(t, two.ledger.inFlight)
	})
}

// TestARowThatCannotBeReadGivesWay has the newest change of a row be poison after it was set aside.
func TestARowThatCannotBeReadGivesWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, toasted, func(r *rig) { r.columns = &shelf{fault: func() error { return errRefuse }} })
		release := r.plug()
		receipts := r.submit(upserted(1, 6, "whole"), lacks(1, 7), lacks(2, 8))
		release()
		require.Equal(t, []Kind{Indexed, Poison, Poison}, kinds(t, receipts))
		require.Equal(t, []Kind{Indexed}, kinds(t, r.submit(upserted(2, 9, "later"))))
		require.Zero(t, r.shelved().records)
	})
}

// wait gives rows that were set aside some time: not always enough.
func (w *world) wait(t *Table) {
	for range 3 {
		t.mu.Lock()
		blocked, lacking := len(t.aside.blocked), len(t.aside.lacking)
		t.mu.Unlock()
		w.tally.blocked, w.tally.lacking = w.tally.blocked+blocked, w.tally.lacking+lacking
		if lacking == 0 {
			return
		}
		<-time.After(time.Second)
		synctest.Wait()
	}
}
