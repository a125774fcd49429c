package verify

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/function/wire"
)

// byRow reads a page for each row, and calls before ahead of each.
type byRow struct {
	*fakeTable
	before func()
}

func (b byRow) Pages(_ context.Context, _ *Table, yield func([]Row) error) error {
	for _, row := range b.sorted() {
		b.before()
		if err := yield([]Row{row}); err != nil {
			return err
		}
	}
	return nil
}

// TestWhatComesWhileTheTableIsReadIsNoFault: a change is later than the patience of a run that has seen none arrive yet.
func TestWhatComesWhileTheTableIsReadIsNoFault(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(400)
	r.drop("3", "4")
	looks, came := atomic.Int32{}, false
	r.table.onFind = func() { looks.Add(1) }
	r.config.Source = byRow{r.table, func() {
		if !came && int(looks.Load()) > len(r.config.Settle)+1 {
			came = true
			r.index(wire.Form{}, article(4))
		}
	}}
	report := r.run()
	require.True(t, came)
	requireFaults(t, map[Kind][]string{Missing: {"3"}}, report)
	require.Equal(t, 1, report.OnTheWay)
}

// TestAFaultOfARowThatChangesNowAndThenIsAFault: the row rests at the end, and its changes have not come.
func TestAFaultOfARowThatChangesNowAndThenIsAFault(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(400)
	r.drop("3")
	looks, changes, last := atomic.Int32{}, 0, int32(0)
	r.table.onFind = func() { looks.Add(1) }
	r.config.Source = byRow{r.table, func() {
		<-time.After(time.Millisecond / 2)                            // a page takes that long, so that there are looks enough
		if now := looks.Load(); now > last+1 && changes <= maxTries { // so that it is seen to rest between its changes
			last = now
			changes++
			row := article(3)
			row[1].Text += strings.Repeat("!", changes)
			r.table.put(row)
		}
	}}
	report := r.run()
	require.Greater(t, changes, maxTries)
	requireFaults(t, map[Kind][]string{Missing: {"3"}}, report)
}

// TestAChangeOfWhatIsNotIndexedTellsNothingOfTheOlder: rows that the index lost come back one by one, as they were, with changes of columns that it
// does not have. The others are not waited for.
func TestAChangeOfWhatIsNotIndexedTellsNothingOfTheOlder(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(3)
	for i := 10; i < 30; i++ {
		r.table.put(article(i))
	}
	r.epoch = time.Now().Add(time.Hour)
	next := 10
	r.table.onFind = func() {
		if next < 29 {
			r.index(wire.Form{}, article(next))
			next++
		}
	}
	report := r.run()
	require.Greater(t, report.Faults[Missing], 1)
	require.Equal(t, 20, report.Faults[Missing]+report.OnTheWay)
}

// TestHeavySuspectsAreNotKept: to compare them again and again would take longer than the pass.
func TestHeavySuspectsAreNotKept(t *testing.T) {
	t.Parallel()
	c := &comparison{Config: Config{Settle: defaultSettle()}, report: newReport("app.articles", 0), tally: newTally(9)}
	c.settle = newSettling(c.Settle)
	missing := &finding{kind: Missing}
	c.settled(1, suspect{id: "1", bytes: pageBytes}, missing, digest{})
	require.Zero(t, c.report.Total())
	c.settled(1, suspect{id: "2", bytes: 1}, missing, digest{})
	require.Equal(t, 1, c.report.Total())
	_, batch := c.settle.take(time.Now().Add(time.Hour))
	require.Len(t, batch, 1)
	c.settled(1, suspect{id: "3", bytes: 1}, missing, digest{})
	require.Equal(t, 1, c.report.Total(), "there is room again")
}

// TestARefusedRowIsNotWaitedFor: what was refused in an earlier round is not on its way.
func TestARefusedRowIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	c := &comparison{
		Config: Config{Settle: defaultSettle()}, report: newReport("app.articles", 0), tally: newTally(9),
		ending: true, lag: time.Minute, refused: map[string]struct{}{"1": {}},
	}
	c.settle = newSettling(c.Settle)
	c.settled(1, suspect{id: "1", since: time.Now()}, &finding{kind: Missing}, digest{})
	c.settled(1, suspect{id: "2", since: time.Now()}, &finding{kind: Missing}, digest{})
	require.Equal(t, 1, c.report.Total())
	require.Equal(t, 1, c.settle.n)
	c.settled(1, suspect{id: "1", since: time.Now()}, &finding{kind: Ghost}, digest{})
	require.Equal(t, 2, c.settle.n, "its deletion may be on its way")
}

// empty is an index that has lost all.
type empty struct{ Index }

func (empty) Records(context.Context, []string) (map[string]chroma.Match, error) { return nil, nil }

// TestSuspectsAreLookedUpTogether, whatever moment each of them is due at.
func TestSuspectsAreLookedUpTogether(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const n = 50
	for i := range n {
		r.table.put(article(i))
	}
	r.config.Index, r.config.Settle, r.config.sizes = empty{}, defaultSettle(), usual()
	synctest.Test(t, func(t *testing.T) {
		c, err := prepare(t.Context(), r.config)
		require.NoError(t, err)
		c.ending, c.lag = true, maxPatience/patience
		for _, row := range r.table.sorted() {
			c.settle.put(1, suspect{id: row[0].Text, key: Key{row[0]}, since: time.Now()})
			<-time.After(20 * time.Millisecond)
		}
		require.NoError(t, c.again(t.Context(), 0))
		require.Equal(t, n, c.report.Faults[Missing])
		require.LessOrEqual(t, r.table.reads, 2*int(maxPatience/time.Second), "one by one it would be twelve hundred")
	})
}
