package verify

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/embed/embedtest"
)

func TestASampleLooksAtAsMuch(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(300)
	r.config.Sample = 100
	report := r.run()
	requireFaults(t, nil, report)
	require.Equal(t, 100, report.Sampled)
	require.Equal(t, 100, report.Rows)
	require.Equal(t, 100, report.Records)
}

// drawing is a table whose samples are another one each time.
type drawing struct{ *fakeTable }

func (d drawing) Sample(_ context.Context, t *Table, n int) ([]Row, error) {
	rows := d.sorted()
	rand.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	rows = rows[:min(n, len(rows))]
	for i, row := range rows {
		rows[i] = d.reduced(t, row)
	}
	return rows, nil
}

// TestARepairJudgesItsFirstSample: a fault of it that cannot be mended is not forgotten because another sample does not have it.
func TestARepairJudgesItsFirstSample(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(200)
	r.config.Source, r.config.Sample = drawing{r.table}, 10
	var all []string
	for _, row := range r.table.sorted() {
		all = append(all, row[0].Text)
	}
	r.drop(all...)
	r.endpoint.Control(embedtest.Poison("1"))
	report := r.repair()
	unmended := report.Faults[Missing]
	require.Equal(t, 10, unmended+report.Repair.Mended[Missing])
	require.Equal(t, r.left(), report.Repair.Mended[Missing], "nothing else was looked at")
	require.Equal(t, unmended == 0, report.Equal)
}

// places is a collection whose listed ids are noted.
type places struct {
	Index
	pages [][]string
}

func (p *places) IDs(ctx context.Context, offset, limit int) ([]string, error) {
	page, err := p.Index.IDs(ctx, offset, limit)
	p.pages = append(p.pages, slices.Clone(page))
	return page, err //nolint:wrapcheck // a test's
}

// TestASampleOfRecordsIsDrawnOnceInFewPages, and none of them twice.
func TestASampleOfRecordsIsDrawnOnceInFewPages(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(10)
	r.haunt(4990)
	p := &places{Index: r.col}
	r.config.Index, r.config.Sample, r.config.DeleteGhosts = p, 2000, true
	report := r.repair()
	require.True(t, report.Equal, "%+v", report)
	require.Len(t, p.pages, sampleRuns)
	drawn := slices.Concat(p.pages...)
	require.Len(t, drawn, 2000)
	require.Len(t, slices.Compact(slices.Sorted(slices.Values(drawn))), 2000)
	require.InDelta(t, 3000, r.left(), 10, "the ghosts of the sample are gone, and no others")
}
