package verify

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma/chromatest"
	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/function/wire"
)

func TestEqual(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(150)
	report := r.run()
	requireFaults(t, nil, report)
	require.Equal(t, 150, report.Rows)
	require.Equal(t, 150, report.Records)
	require.Empty(t, report.Unchecked)
	require.Zero(t, report.OnTheWay)
	require.Zero(t, r.table.reads, "no row is read twice")
}

func TestEachKindOfFaultIsFound(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(100)
	r.drop("7")
	r.forge("8", "another text", nil)                                             // its mark still says that it is right
	r.patch("9", map[string]any{document.KeyFingerprint: "0123456789abcdef"})     // as of another model
	r.patch("10", map[string]any{document.KeyLSN: "not a number"})                // a damaged mark
	r.forge("500", "of nobody", mark(map[string]any{"title": "x"}))               // a row that is not there
	r.patch("11", map[string]any{"title": "another"})                             // another value
	r.patch("12", map[string]any{"extra": int64(1)})                              // one too many
	r.patch("13", map[string]any{"cost": nil})                                    // one too few
	r.patch("14", map[string]any{"tags": []string{"new"}})                        // a shorter list
	r.forge("15#1", "a tail", map[string]any{document.KeyRow: "15"})              // a chunk beyond the end
	r.patch("16", map[string]any{document.KeyChunks: int64(3)})                   // a mark that counts too many
	r.table.put(text("17", "", "", "\x00", "\x00", "2026-01-02 03:04:05.678+00")) // ": " is no empty text
	requireFaults(t, map[Kind][]string{
		Missing: {"7"}, Stale: {"8", "9", "10", "17"}, Ghost: {"500"}, Metadata: {"11", "12", "13", "14"}, Chunks: {"15", "16"},
	}, r.run())
}

func TestExamplesSayWhatWasExpectedAndFound(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(3)
	r.patch("1", map[string]any{"title": "evil \x1b[31m\u202e"})
	r.forge("2", strings.Repeat("long ", 100), nil)
	report := r.run()
	require.Equal(t, []Example{{Row: "1", Expected: `title = "Article 1"`, Found: `title = "evil \x1b[31m\u202e"`}}, report.Examples[Metadata])
	e := report.Examples[Stale][0]
	require.Equal(t, `"Article 2: What is to be said of 2."`, e.Expected)
	require.LessOrEqual(t, len([]rune(e.Found)), maxShown)
	require.NotContains(t, e.Found, "\x1b")
}

func TestExamplesAreBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(80)
	for _, row := range r.table.sorted()[:60] {
		r.drop(row[0].Text)
	}
	report := r.run()
	require.Equal(t, 60, report.Faults[Missing])
	require.Len(t, report.Examples[Missing], maxExamples)
}

func TestAnEmptyTextDoesNotBelongInTheIndex(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(r *rig) { r.spec.Text = "{{.body}}" })
	r.fill(5)
	empty := article(6)
	empty[2] = Value{Null: true}
	r.table.put(empty)
	requireFaults(t, nil, r.run())
	r.forge("6", "of others", nil)
	requireFaults(t, nil, r.run())
	r.patch("6", mark())
	requireFaults(t, map[Kind][]string{Ghost: {"6"}}, r.run())
	require.True(t, r.repair().Equal)
}

func TestRowsOnTheirWayAreNoFaults(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(20)
	changed := article(3)
	changed[1].Text = "Changed"
	r.table.put(changed, article(21))
	r.table.remove("4")
	done := false
	r.table.onFind = func() { // the first time that suspects, or keys, are looked up
		if !done {
			done = true
			r.index(wire.Form{}, changed, article(21))
			r.drop("4")
		}
	}
	report := r.run()
	requireFaults(t, nil, report)
	require.Contains(t, []int{2, 3}, report.OnTheWay, "the third is seen only if its record is listed before it goes")
}

// TestALaggingFunctionIsGivenTime: each time that the suspects are compared again, one more change has arrived.
func TestALaggingFunctionIsGivenTime(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(3)
	for i := 10; i < 20; i++ {
		r.table.put(article(i))
	}
	next := 10
	r.table.onFind = func() {
		if next < 19 { // the last never comes
			r.index(wire.Form{}, article(next))
			next++
		}
	}
	report := r.run()
	requireFaults(t, map[Kind][]string{Missing: {"19"}}, report)
	require.Equal(t, 9, report.OnTheWay)
}

// TestANewerChangeTellsNothingOfTheOlder: rows that the index lost come back one by one with changes of their own. The others are not waited for.
func TestANewerChangeTellsNothingOfTheOlder(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(3)
	for i := 10; i < 30; i++ {
		r.table.put(article(i))
	}
	next := 10
	r.table.onFind = func() {
		if next < 29 {
			changed := article(next)
			changed[1].Text = "Changed"
			r.table.put(changed)
			r.index(wire.Form{}, changed)
			next++
		}
	}
	report := r.run()
	require.Greater(t, report.Faults[Missing], 1)
	require.Equal(t, 20, report.Faults[Missing]+report.OnTheWay)
}

func TestARowThatNeverRestsIsUnsettled(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(3)
	n := 0
	r.table.onFind = func() {
		n++
		row := article(2)
		row[1].Text += strings.Repeat("!", n)
		r.table.put(row)
	}
	r.drop("2")
	report := r.run()
	require.Equal(t, 1, report.Unsettled)
	require.Zero(t, report.Total())
	require.False(t, report.Equal)
}

func TestSettingsAtFaultAreErrors(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(1)
	r.spec.Text = "{{.title}}{{index . \"titel\"}}"
	r.config.Builder, r.config.Text = r.builder(), r.spec.Text
	_, err := Run(t.Context(), r.config)
	require.ErrorContains(t, err, "titel")
}

func TestAnIndexThatIsAwayForAMomentIsWaitedFor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(3)
	var gets atomic.Int32
	r.server.Control(func(q chromatest.Request) *chromatest.Response {
		if q.Op == "get" && gets.Add(1) <= 2 {
			return &chromatest.Response{Status: 503}
		}
		return nil
	})
	requireFaults(t, nil, r.run())
	require.Greater(t, gets.Load(), int32(2))
}
