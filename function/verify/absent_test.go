package verify

import (
	"context"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/function/indexer"
	"github.com/rowvec/rowvec/function/wire"
)

// counted counts the changes of each part that is mended, and has somebody act before the first, or after each.
type counted struct {
	Applier
	parts  []int
	poison int
	before func()
	after  func(part int)
}

func (c *counted) Apply(ctx context.Context, changes []indexer.Record) ([]indexer.Outcome, error) {
	c.parts = append(c.parts, len(changes))
	if len(c.parts) == 1 && c.before != nil {
		c.before()
	}
	outcomes, err := c.Applier.Apply(ctx, changes)
	for _, o := range outcomes {
		if o.Kind == indexer.Poison {
			c.poison++
		}
	}
	if c.after != nil {
		c.after(len(c.parts))
	}
	return outcomes, err
}

// TestARowThatCameMeanwhileIsLeft: the function brings a row that was missing, before it is looked at for the mending, or after. It is not
// written over, whatever its state; a state that is wrong is mended in the next round, as that of a row that is there.
func TestARowThatCameMeanwhileIsLeft(t *testing.T) {
	t.Parallel()
	early := article(2)
	early[1].Text = "An earlier title"
	for name, c := range map[string]struct {
		brought Row
		looked  bool // comes after the look
		parts   []int
	}{
		"as it should be":                 {article(2), false, []int{0}},
		"in an earlier state":             {early, false, []int{0, 1}},
		"as it should be, after the look": {article(2), true, []int{1}},
		"in an earlier state, after it":   {early, true, []int{1, 1}},
		"announced":                       {nil, false, []int{0, 1}},
		"announced, after the look":       {nil, true, []int{1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.fill(5)
			r.drop("2")
			applier, come := &counted{Applier: r.pipeline}, false
			bring := func() {
				come = true
				if c.brought == nil {
					r.index(wire.Form{}, early)
					r.patch("2", map[string]any{document.KeyFingerprint: ""})
					return
				}
				r.index(wire.Form{}, c.brought)
			}
			if c.looked {
				applier.before = bring
			} else {
				r.table.onFind = func() {
					if r.table.fences > 0 && !come {
						bring()
					}
				}
			}
			r.config.Applier = applier
			report := r.run()
			require.True(t, come)
			require.True(t, report.Equal, "%+v", report)
			require.Equal(t, c.parts, applier.parts)
			require.Equal(t, 1, report.Repair.Mended[Missing])

			found, err := r.col.Get(t.Context(), []string{"2"})
			require.NoError(t, err)
			state, err := document.ParseState(found["2"])
			require.NoError(t, err)
			repaired := state.Version.CommitTime.Equal(state.Version.Emitted) && !state.Version.CommitTime.Before(fenceEpoch)
			require.Equal(t, len(c.parts) == 2, repaired, "whose version the row has: the repair's or the function's")
		})
	}
}

// TestARoundThatLeavesRowsIsNoVainOne: a row without its first record has more of a tail than the state that the function brings meanwhile tells of.
// To mend it takes a round for what it was left, one for the row and one for the tail.
func TestARoundThatLeavesRowsIsNoVainOne(t *testing.T) {
	t.Parallel()
	r := newRig(t, chunked)
	r.fill(3)
	r.table.put(long(40, 2))
	r.index(wire.Form{}, long(40, 2))
	for i := range 4 {
		r.forge("40#"+strconv.Itoa(6+i), "a tail", mark())
	}
	r.drop("40")
	r.config.Applier = &counted{Applier: r.pipeline, before: func() { r.index(wire.Form{}, long(40, 1)) }}
	report := r.run()
	require.True(t, report.Equal, "%+v", report)
}

// TestAMissingRowThatWasDeletedMeanwhile: the function brought it, and has its deletion still to come. It is left, unless no comparison would
// find it, as its id does not tell its key.
func TestAMissingRowThatWasDeletedMeanwhile(t *testing.T) {
	t.Parallel()
	for name, ghosts := range map[string]string{"ghosts can be found": "", "ghosts cannot be found": "the key does not tell"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, brought := &plan{c: &comparison{ghosts: ghosts}, version: connector.Version{LSN: 2}}, chroma.Match{Metadata: mark()}
			require.Equal(t, ghosts == "", p.came(nil, brought))
			require.True(t, p.came(&entry{}, brought))
		})
	}
}

// TestWhatThisRepairBroughtHasNotCome: an earlier part of the same round has added the row, and this one has its tail.
func TestWhatThisRepairBroughtHasNotCome(t *testing.T) {
	t.Parallel()
	version, err := articles().Fence(t.Context())
	require.NoError(t, err)
	p := &plan{c: &comparison{}, version: version}
	meta := mark()
	document.SetVersion(meta, version)
	require.False(t, p.came(&entry{}, chroma.Match{Metadata: meta}))
	meta[document.KeyFingerprint] = ""
	require.True(t, p.came(&entry{}, chroma.Match{Metadata: meta}), "a newer change has announced itself")
	meta = mark()
	document.SetVersion(meta, connector.Version{LSN: 1, CommitTime: fenceEpoch})
	require.True(t, p.came(&entry{}, chroma.Match{Metadata: meta}))
}
