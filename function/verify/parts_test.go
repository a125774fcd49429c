package verify

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/function/indexer"
)

// scales notes the heaviest calls, in bytes.
type scales struct {
	mu                  sync.Mutex
	found, read, mended int
}

func (s *scales) note(most *int, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*most = max(*most, bytes)
}

type weighedTable struct {
	*fakeTable
	*scales
}

func (w weighedTable) Pages(_ context.Context, _ *Table, yield func([]Row) error) error {
	for page := range slices.Chunk(w.sorted(), 4) {
		if err := yield(page); err != nil {
			return err
		}
	}
	return nil
}

func (w weighedTable) Find(ctx context.Context, t *Table, keys []Key) ([]Row, error) {
	rows, err := w.fakeTable.Find(ctx, t, keys)
	sum := 0
	for _, row := range rows {
		sum += row.weight()
	}
	w.note(&w.found, sum)
	return rows, err
}

type weighedIndex struct {
	*chroma.Collection
	*scales
}

func (w weighedIndex) Records(ctx context.Context, ids []string) (map[string]chroma.Match, error) {
	records, err := w.Collection.Records(ctx, ids)
	sum := 0
	for _, m := range records {
		sum += recordWeight(m)
	}
	w.note(&w.read, sum)
	return records, err
}

type weighedApplier struct {
	Applier
	*scales
}

func (w weighedApplier) Apply(ctx context.Context, changes []indexer.Record) ([]indexer.Outcome, error) {
	sum := 0
	for _, c := range changes {
		body, _ := c.Change.After["body"].(string)
		sum += len(body)
	}
	w.note(&w.mended, sum)
	return w.Applier.Apply(ctx, changes)
}

// TestLargeRowsAreComparedAndMendedInParts has 12 MB of rows with 12 MB of wrong records, and 12 MB of ghosts.
func TestLargeRowsAreComparedAndMendedInParts(t *testing.T) {
	t.Parallel()
	const rows, size = 48, 1 << 18
	r := newRig(t)
	for id := range rows {
		row := article(id)
		row[2].Text = strings.Repeat("x", size)
		r.table.put(row)
		r.forge(strconv.Itoa(id), strings.Repeat("y", size), nil)
		r.forge(strconv.Itoa(1000+id), strings.Repeat("z", size), mark())
	}
	s := &scales{}
	r.config.Source, r.config.Index, r.config.Applier = weighedTable{r.table, s}, weighedIndex{r.col, s}, weighedApplier{r.pipeline, s}
	report := r.run()
	require.True(t, report.Equal, "%+v", report)
	require.Equal(t, map[Kind]int{Missing: 0, Stale: rows, Ghost: rows, Chunks: 0, Metadata: 0}, report.Repair.Mended)
	require.LessOrEqual(t, s.found, pageBytes)
	require.LessOrEqual(t, s.mended, pageBytes)
	require.Greater(t, s.mended, size, "several at a time")
	require.LessOrEqual(t, s.read, pageBytes)
}

func TestPartsFollowWhatRowsWeigh(t *testing.T) {
	t.Parallel()
	c := &comparison{weight: firstWeight}
	sizes := func(batch []suspect) (n []int) {
		for part := range c.parts(batch) {
			n = append(n, len(part))
		}
		return n
	}
	require.Equal(t, []int{16, 16, 8}, sizes(make([]suspect, 40)))
	c.weight = 1
	require.Equal(t, []int{settleBatch, 5}, sizes(make([]suspect, settleBatch+5)))
	known := []suspect{{bytes: pageBytes / 2}, {bytes: pageBytes / 2}, {bytes: 3 * pageBytes}, {bytes: 10}, {bytes: pageBytes - 10}, {bytes: 10}}
	require.Equal(t, []int{2, 1, 2, 1}, sizes(known))
	require.Empty(t, sizes(nil))

	c.weight = firstWeight
	v := &view{rows: map[string]*entry{"1": {id: "1", bytes: 1000}}, records: map[string]chroma.Match{
		"1":   {ID: "1", Document: strings.Repeat("x", 500), Metadata: map[string]any{"tags": []string{strings.Repeat("x", 300)}}},
		"1#1": {ID: "1#1", Document: strings.Repeat("x", 200)},
	}}
	batch := []suspect{{id: "1", extra: []string{"1#1"}}, {id: "2"}}
	c.weigh(v, batch)
	require.InDelta(t, 2000+5*perValue, batch[0].bytes, 2*perValue)
	require.Positive(t, batch[1].bytes)
	require.Equal(t, firstWeight/2, c.weight, "one light part is not believed at once")
}

// TestPagesGrowStepByStep: small rows may be followed by large ones.
func TestPagesGrowStepByStep(t *testing.T) {
	t.Parallel()
	small, large := slices.Repeat([]Row{text("1")}, firstPage), slices.Repeat([]Row{text(strings.Repeat("x", 1<<20))}, firstPage)
	require.Equal(t, growth*firstPage, nextPage(small))
	require.Equal(t, maxPage, nextPage(slices.Repeat(small, 50)))
	require.Equal(t, 7, nextPage(large))
}
