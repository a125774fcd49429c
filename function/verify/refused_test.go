package verify

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/embed/embedtest"
	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/function/wire"
)

func TestWhatCannotBeMendedSaysWhy(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(5)
	r.drop("2", "3")
	r.endpoint.Control(embedtest.Poison("Article 3"))
	applier := &counted{Applier: r.pipeline}
	r.config.Applier = applier
	report := r.run()
	require.False(t, report.Equal)
	require.Equal(t, []int{2}, applier.parts, "nothing else is left to try")
	require.Equal(t, 1, report.Faults[Missing])
	require.Equal(t, 1, report.Repair.Mended[Missing])
	require.Len(t, report.Repair.Failed, 1)
	require.Equal(t, "3", report.Repair.Failed[0].Row)
	require.Equal(t, Missing, report.Repair.Failed[0].Kind)
	require.NotEmpty(t, report.Repair.Failed[0].Reason)
}

// passes counts how often the table is read.
type passes struct {
	*fakeTable
	n int
}

func (p *passes) Pages(ctx context.Context, t *Table, yield func([]Row) error) error {
	p.n++
	return p.fakeTable.Pages(ctx, t, yield)
}

// TestARoundThatMendsNothingIsTheLast: each finds another row that is refused.
func TestARoundThatMendsNothingIsTheLast(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(20)
	r.drop("2", "3")
	r.endpoint.Control(embedtest.Poison("3: What")) // of rows 3 and 13
	source, applier := &passes{fakeTable: r.table}, &counted{Applier: r.pipeline, after: func(int) { r.drop("13") }}
	r.config.Source, r.config.Applier = source, applier
	report := r.run()
	require.Equal(t, []int{2, 2}, applier.parts)
	require.Equal(t, 2, source.n)
	require.Equal(t, 2, report.Faults[Missing])
	require.Equal(t, 2, report.Repair.Rounds)
	require.Len(t, report.Repair.Failed, 2)
}

// TestWhatIsRemovedBesideARefusedChangeIsSeen: to remove the record was all that the row needed.
func TestWhatIsRemovedBesideARefusedChangeIsSeen(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(5)
	r.forge(fmt.Sprintf("3#%d", 2*maxTail), "far behind its end", map[string]any{document.KeyRow: "3"})
	r.endpoint.Control(embedtest.Poison("3: What"))
	applier := &counted{Applier: r.pipeline}
	r.config.Applier = applier
	report := r.run()
	require.Equal(t, 1, applier.poison)
	require.True(t, report.Equal, "%+v", report)
	require.Equal(t, 1, report.Repair.Mended[Chunks])
}

// TestAFailureThatWentIsNotNamed: refused, and then deleted by the function, before the comparison that finds another still there.
func TestAFailureThatWentIsNotNamed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(20)
	for _, id := range []string{"3", "5", "13"} {
		r.forge(id, "another text", nil)
	}
	r.endpoint.Control(embedtest.Poison("3: What")) // of rows 3 and 13
	r.config.Applier = &counted{Applier: r.pipeline, after: func(int) {
		r.table.remove("3")
		r.drop("3")
	}}
	report := r.run()
	require.Equal(t, 1, report.Total())
	require.Equal(t, 1, report.Repair.Rounds)
	require.Len(t, report.Repair.Failed, 1)
	require.Equal(t, "13", report.Repair.Failed[0].Row)
}

// TestARefusedRowThatHasChanged is deleted, or changed to one that can be mended, before the next round.
func TestARefusedRowThatHasChanged(t *testing.T) {
	t.Parallel()
	change := func(r *rig) {
		r.table.put(text("3", "Harmless", "Words.", "3.50", "{}", "2026-01-02 03:04:05.678+00"))
		r.drop("4")
	}
	for name, c := range map[string]struct {
		after  map[int]func(r *rig) // the parts that are mended
		parts  []int
		failed []string
	}{
		"deleted":                         {after: map[int]func(*rig){1: func(r *rig) { r.table.remove("3") }}, parts: []int{2, 1}},
		"changed":                         {after: map[int]func(*rig){1: change}, parts: []int{2, 2}},
		"changed, and lost after that":    {after: map[int]func(*rig){1: change, 2: func(r *rig) { r.drop("3") }}, parts: []int{2, 2, 1}},
		"changed, and another is refused": {after: map[int]func(*rig){1: change, 2: func(r *rig) { r.drop("13") }}, parts: []int{2, 2, 1}, failed: []string{"13"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.fill(20)
			r.forge("3", "another text", nil)
			r.forge("5", "another text", nil)               // so that something is mended, and compared again
			r.endpoint.Control(embedtest.Poison("3: What")) // of rows 3 and 13
			applier := &counted{Applier: r.pipeline, after: func(part int) {
				if act := c.after[part]; act != nil {
					act(r)
				}
			}}
			r.config.Applier = applier
			report := r.run()
			require.Equal(t, c.parts, applier.parts)
			require.Equal(t, len(c.failed) == 0, report.Equal, "%+v", report)
			var failed []string
			for _, f := range report.Repair.Failed {
				failed = append(failed, f.Row)
			}
			require.Equal(t, c.failed, failed)
		})
	}
}

// TestARefusedRowThatTheFunctionBroughtIsTriedAgain, although it is the only one that the next round finds.
func TestARefusedRowThatTheFunctionBroughtIsTriedAgain(t *testing.T) {
	t.Parallel()
	harmless := text("3", "Harmless", "Words.", "3.50", "{}", "2026-01-02 03:04:05.678+00")
	for name, c := range map[string]struct {
		brought Row
		lost    bool // once more
	}{
		"in an earlier state":               {brought: text("3", "Earlier", "Words.", "3.50", "{}", "2026-01-02 03:04:05.678+00")},
		"as it should be, and lost it then": {brought: harmless, lost: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.fill(5)
			r.drop("3")
			r.forge("5", "another text", nil)
			r.endpoint.Control(embedtest.Poison("3: What"))
			come := false
			r.table.onFind = func() {
				if r.table.fences > 1 && !come {
					come = true
					r.index(wire.Form{}, c.brought)
				}
			}
			r.config.Applier = &counted{Applier: r.pipeline, after: func(part int) {
				switch {
				case part == 1:
					r.table.put(harmless)
					r.forge("5", "another text", nil)
				case part == 2 && c.lost:
					r.drop("3")
				}
			}}
			report := r.run()
			require.True(t, come)
			require.True(t, report.Equal, "%+v", report)
			require.Equal(t, 3, report.Repair.Rounds)
		})
	}
}
