package verify

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/document"
)

// TestRecordsOfOthersAreLeftAlone: an application, or another function, writes to the collection, too.
func TestRecordsOfOthersAreLeftAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t, chunked)
	r.fill(30)
	others := map[string]map[string]any{
		"77":         {"title": "an application's, under an id that a row may have"},
		"5#9":        {"title": "the same, of a chunk"},
		"note":       {"title": "an application's"},
		"app.x/1":    mark(), // of a function whose tables share the collection
		"a/b":        mark(), // of a table with another key
		"x%2fy":      mark(),
		"78":         {"title": "an application's, with chunks of ours behind it"},
		"79#1#2":     mark(),
		"h:SOMEHASH": mark(),
	}
	for id, meta := range others {
		r.forge(id, "of others", meta)
	}
	r.forge("78#1", "ours", map[string]any{document.KeyRow: "78"})
	r.forge(document.ProbeID, "rowvec", map[string]any{document.KeyProbe: int64(1)}) // nobody's, and not counted
	report := r.run()
	requireFaults(t, map[Kind][]string{Ghost: {"78"}}, report)
	require.Equal(t, len(others), report.Foreign)

	report = r.repair()
	require.True(t, report.Equal, "%+v", report)
	require.Equal(t, len(others), report.Foreign)
	left, err := r.col.Records(t.Context(), append(slices.Collect(maps.Keys(others)), "78#1"))
	require.NoError(t, err)
	require.Len(t, left, len(others))
	for id := range others {
		require.Equal(t, "of others", left[id].Document, id)
	}
}

// TestARecordAtTheIDOfARowIsTheRows: there the function writes, too.
func TestARecordAtTheIDOfARowIsTheRows(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(3)
	r.drop("2")
	r.forge("2", "of others", map[string]any{"title": "of others"})
	requireFaults(t, map[Kind][]string{Stale: {"2"}}, r.run())
	require.True(t, r.repair().Equal)
}

// haunt puts n records of rows that are not there behind those that are.
func (r *rig) haunt(n int) {
	r.t.Helper()
	ids, vectors, texts, metas := make([]string, n), make([][]float32, n), make([]string, n), make([]map[string]any, n)
	for i := range n {
		ids[i], vectors[i], texts[i], metas[i] = strconv.Itoa(100_000+i), []float32{1, 2, 3, 4}, "a ghost", mark()
	}
	require.NoError(r.t, r.col.Upsert(r.t.Context(), ids, vectors, texts, metas))
}

func (r *rig) left() int {
	r.t.Helper()
	n, err := r.col.Count(r.t.Context())
	require.NoError(r.t, err)
	return n
}

// TestTooManyGhostsAreLeft: they are rather the rows of another table, or this is another database.
func TestTooManyGhostsAreLeft(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rows, ghosts int
		refused      bool
	}{{5, 100, false}, {5, 101, true}, {1200, 133, false}, {1100, 133, true}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.fill(c.rows)
			r.haunt(c.ghosts)
			r.drop("3")
			report := r.repair()
			require.Equal(t, 1, report.Repair.Mended[Missing])
			require.Equal(t, c.refused, !report.Equal)
			if !c.refused {
				require.Equal(t, c.rows, r.left())
				require.Empty(t, report.Repair.Refused)
				return
			}
			require.Equal(t, c.ghosts, report.Faults[Ghost])
			require.Equal(t, c.rows+c.ghosts, r.left())
			records := c.rows - 1 + c.ghosts // without row 3
			require.Contains(t, report.Repair.Refused, fmt.Sprintf("%d of %d records are of rows", c.ghosts, records))
			require.Contains(t, report.Repair.Refused, fmt.Sprintf("no more than %d may go", max(100, records/10)))
			require.Contains(t, report.Repair.Refused, "--delete-ghosts")
			require.Equal(t, 1, report.Repair.Rounds, "nothing is left to mend")

			r.config.DeleteGhosts = true
			report = r.repair()
			require.True(t, report.Equal, "%+v", report)
			require.Empty(t, report.Repair.Refused)
			require.Equal(t, c.ghosts, report.Repair.Mended[Ghost])
			require.Equal(t, c.rows, r.left())
		})
	}
}

// TestASampleTellsTheShareOfGhosts: a few ghosts among a few records stand for many among all.
func TestASampleTellsTheShareOfGhosts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(40)
	r.haunt(960)
	r.config.Sample = 80
	report := r.repair()
	require.NotEmpty(t, report.Repair.Refused)
	require.Contains(t, report.Repair.Refused, "sample")
	require.Equal(t, 1000, r.left())
}

// TestCulling counts chunks, deletes no more than it may in later rounds, either, and leaves what it cannot hold to those.
func TestCulling(t *testing.T) {
	t.Parallel()
	chunks := func(n int) suspect { return suspect{listed: n} }
	k := culling{}
	require.False(t, k.take(chunks(60)), "not before all are counted")
	require.False(t, k.take(chunks(0)))
	require.Len(t, k.decide(500, 500, 500), 2)
	require.True(t, k.take(chunks(30)))
	require.False(t, k.take(chunks(30)), "over a hundred in all")
	require.True(t, k.take(chunks(9)))
	require.Empty(t, k.decide(500, 500, 500))

	k = culling{}
	for range 3 * maxHeld {
		k.take(chunks(1))
	}
	require.Len(t, k.decide(1_000_000, 1_000_000, 1_000_000), maxHeld)
	for range 2 * maxHeld {
		require.True(t, k.take(chunks(1)))
	}

	k = culling{}
	k.take(chunks(101))
	require.Empty(t, k.decide(500, 500, 500))
	require.NotEmpty(t, k.refused)
	require.False(t, k.take(chunks(1)))

	for name, c := range map[string]struct {
		before, found int
		kept          bool
	}{
		"a share of what there was":         {before: 3_000, found: 31, kept: true},
		"within it":                         {before: 3_000, found: 30},
		"scaled by what there is by now":    {before: 50, found: 11, kept: true},
		"and more may be of a larger one":   {before: 20_000, found: 100},
		"which is no larger than it is now": {before: 20_000, found: 101, kept: true},
	} {
		k = culling{}
		for range c.found {
			k.take(chunks(1))
		}
		require.Equal(t, c.kept, k.decide(c.before, 10_000, 1_000) == nil, "a sample of a tenth: %s", name)
		if c.kept {
			require.Contains(t, k.refused, fmt.Sprintf("%d of 1000 records in a sample, about %d in all, are of rows that the table does not have, "+
				"and no more than %d may go", c.found, 10*c.found, max(100, min(c.before, 10_000)/10)), name)
		}
	}

	k = culling{free: true}
	require.True(t, k.take(chunks(1_000_000)))
}
