package verify

import (
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
				Config: Config{Settle: defaultSettle(), Applier: &counted{}}, report: newReport("app.articles", 0), seen: map[string]struct{}{},
				ending: true, lag: time.Minute, missing: 201,
			}
			x.report.Rows = 2000
			x.settle = newSettling(x.Settle)
			c.change(x)
			x.settled(1, suspect{id: "1", since: time.Now()}, &finding{kind: Missing}, digest{})
			x.settled(1, suspect{id: "2", since: time.Now()}, &finding{kind: Stale}, digest{})
			require.Equal(t, c.waits, x.settle.n)
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
		"filled by the repair":   {mended: map[Kind]int{Missing: 150}, rounds: 2},
		"filled by the function": {brought: 150, mended: map[Kind]int{Stale: 1}, rounds: 1},
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
