package verify

import (
	"context"
	"maps"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/wire"
)

// TestALostIndexIsNotWaitedFor in the first round of a repair, and only there.
func TestALostIndexIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change  func(c *comparison)
		waits   int
		missing int
	}{
		"much is lost":         {change: func(*comparison) {}, missing: 1},
		"a tenth is lost":      {change: func(c *comparison) { c.missing = 200 }, waits: 2},
		"a hundred rows":       {change: func(c *comparison) { c.missing, c.report.Rows = lostRows, lostRows }, waits: 2},
		"in a later round":     {change: func(c *comparison) { c.round = 1 }, waits: 2},
		"without mending them": {change: func(c *comparison) { c.Applier = nil }, waits: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := &comparison{
				Config: Config{Settle: defaultSettle(), Applier: &counted{}}, report: newReport("app.articles", 0), tally: newTally(9),
				ending: true, lag: time.Minute, missing: 201,
			}
			x.report.Rows = 2000
			x.settle = newSettling(x.Settle)
			c.change(x)
			x.settled(1, suspect{id: "1", since: time.Now()}, &finding{kind: Missing}, digest{})
			x.settled(1, suspect{id: "2", since: time.Now()}, &finding{kind: Stale}, digest{})
			x.settled(1, suspect{id: "3", since: time.Now()}, &finding{kind: Ghost, gone: true}, digest{})
			require.Equal(t, c.waits+1, x.settle.n, "ghosts are waited for")
			require.Equal(t, c.missing, x.report.Total())
			require.Equal(t, c.missing > 0, x.left)
		})
	}
}

// TestWhatWasLeftIsMendedInTheNextRound: a row that may be on its way while a lost index is filled, by the repair or by the function alone.
func TestWhatWasLeftIsMendedInTheNextRound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		brought int // rows that the function brings
		mended  map[Kind]int
		rounds  int
	}{
		"filled by the repair":   {mended: map[Kind]int{Missing: 151, Stale: 1}, rounds: 2},
		"filled by the function": {brought: 150, mended: map[Kind]int{Missing: 1, Stale: 1}, rounds: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.config.Settle = []time.Duration{time.Millisecond, 300 * time.Millisecond}
			r.fill(300)
			late, lost := article(1), article(2)
			late[1].Text, lost[1].Text = "Rewritten", "Rewritten, too"
			r.table.put(late, lost)
			for i := range 150 {
				r.drop(strconv.Itoa(100 + i))
			}
			looks := atomic.Int32{}
			r.table.onFind = func() {
				if looks.Add(1) != 2 {
					return
				}
				r.index(wire.Form{}, late) // so that row 2 may be as late
				r.drop("3")                // which has been compared
				for i := range c.brought {
					r.index(wire.Form{}, article(100+i))
				}
			}
			report := r.repair()
			require.True(t, report.Equal, "%+v", report)
			require.Equal(t, c.rounds, report.Repair.Rounds)
			for _, k := range Kinds() {
				require.Equal(t, c.mended[k], report.Repair.Mended[k], k)
			}
		})
	}
}

// TestGhostsAreCountedBesideALostIndex, all of them, before the first is deleted, and as a share of what was there before it was filled.
func TestGhostsAreCountedBesideALostIndex(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ rows, kept, ghosts int }{
		"beside a late change":        {rows: 300, kept: 100, ghosts: 101},
		"with much mended on the way": {rows: 6000, ghosts: 150},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			rows := make([]Row, c.rows)
			for i := range rows {
				rows[i] = article(i + 1)
			}
			r.table.put(rows...)
			if c.kept > 0 {
				r.config.Settle = []time.Duration{time.Millisecond, 300 * time.Millisecond}
				r.index(wire.Form{}, rows[c.rows-c.kept:]...)
			}
			r.haunt(c.ghosts)
			looks := atomic.Int32{}
			r.table.onFind = func() {
				if looks.Add(1) == 2 {
					r.index(wire.Form{}, rows[0]) // so that a ghost's deletion may be as late
				}
			}
			report := r.repair()
			require.Equal(t, c.ghosts, report.Faults[Ghost])
			require.Contains(t, report.Repair.Refused, strconv.Itoa(c.ghosts))
			require.Equal(t, c.ghosts+c.rows, r.left())
		})
	}
}

// TestALostIndexIsFilledWhileGhostsAreWaitedFor: the deletion of one arrives once it is filled, or would be too late.
func TestALostIndexIsFilledWhileGhostsAreWaitedFor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.config.Settle = []time.Duration{time.Millisecond, 500 * time.Millisecond}
	r.fill(300)
	for i := range 150 {
		r.drop(strconv.Itoa(100 + i))
	}
	late := article(1)
	late[1].Text = "Rewritten"
	r.table.put(late)
	r.haunt(1)
	looks := atomic.Int32{}
	r.table.onFind = func() {
		switch {
		case looks.Add(1) == 2:
			r.index(wire.Form{}, late)
		case r.left() == 301:
			r.drop("100000")
		}
	}
	report := r.repair()
	require.True(t, report.Equal, "%+v", report)
	require.Equal(t, map[Kind]int{Missing: 150}, found(report.Repair.Mended))
}

// TestWhatIsLostDoesNotWait beside more ghosts than are held at a time, either: then the pass over the records waits.
func TestWhatIsLostDoesNotWait(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.config.Settle = []time.Duration{time.Millisecond, time.Millisecond}
	r.config.Applier = r.pipeline
	r.config.sizes = usual()
	r.fill(2)
	r.drop("1")
	r.haunt(1)
	c, err := prepare(t.Context(), r.config)
	require.NoError(t, err)
	c.missing = lostRows + 1
	c.found = []suspect{{id: "1", key: c.table.key(article(1)), kind: Missing}}
	c.settle.put(0, suspect{id: "100000", records: true})
	r.table.onFind = func() {
		if r.left() == 3 {
			r.drop("100000")
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.NoError(t, c.again(ctx, 0))
	require.Zero(t, c.culling.found, "the ghost was deleted in time")
	require.Equal(t, 2, r.left())
}

// found leaves out the kinds of which there is none.
func found(faults map[Kind]int) map[Kind]int {
	maps.DeleteFunc(faults, func(_ Kind, n int) bool { return n == 0 })
	return faults
}
