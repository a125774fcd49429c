package verify

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/function/wire"
)

// shrinking is a collection from which rows go while its ids are listed.
type shrinking struct {
	Index
	before func(offset int)
}

func (s shrinking) IDs(ctx context.Context, offset, limit int) ([]string, error) {
	s.before(offset)
	return s.Index.IDs(ctx, offset, limit) //nolint:wrapcheck // a test's
}

// TestGhostsAreFoundWhileRecordsMove: rows are deleted while the ids are listed page by page, more of them than pages overlap, so that
// all that is behind moves up. Nothing is skipped, whether or not the records are remembered.
func TestGhostsAreFoundWhileRecordsMove(t *testing.T) {
	t.Parallel()
	for _, remembered := range []int{0, 70, 1000} {
		t.Run(strconv.Itoa(remembered), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			var ghosts []string
			for i := 1; i <= 200; i++ {
				row := article(i)
				r.index(wire.Form{}, row)
				if i%10 == 0 {
					ghosts = append(ghosts, strconv.Itoa(i))
				} else {
					r.table.put(row)
				}
			}
			r.config.sizes = sizes{page: 30, overlap: 5, check: 7, expected: remembered}
			gone, pages := 0, 0
			r.config.Index = shrinking{r.col, func(int) {
				pages++
				for range 9 {
					if gone++; gone < 60 && gone%10 != 0 {
						r.table.remove(strconv.Itoa(gone))
						r.drop(strconv.Itoa(gone))
					}
				}
			}}
			report := r.run()
			requireFaults(t, map[Kind][]string{Ghost: ghosts}, report)
			require.Equal(t, 191, report.Records, "each once, but for the nine that go before the first page")
			require.Greater(t, pages, 6)
			require.Less(t, pages, 40)
		})
	}
}

// short is a collection that gives fewer ids than it is asked for, or more than it lists.
type short struct {
	Index
	most, more int
}

func (s short) IDs(ctx context.Context, offset, limit int) ([]string, error) {
	return s.Index.IDs(ctx, offset, min(limit, s.most)) //nolint:wrapcheck // a test's
}

func (s short) Count(ctx context.Context) (int, error) {
	n, err := s.Index.Count(ctx)
	return n + s.more, err //nolint:wrapcheck // a test's
}

// TestAShortPageIsNotTheEnd: the index is listed to the last of the records that it counts.
func TestAShortPageIsNotTheEnd(t *testing.T) {
	t.Parallel()
	for _, most := range []int{1, 4, 13} {
		r := newRig(t)
		r.fill(50)
		r.forge("500", "a ghost", mark())
		r.config.sizes = sizes{page: 30, overlap: 5, check: 7, expected: 1000}
		r.config.Index = short{r.col, most, 0}
		requireFaults(t, map[Kind][]string{Ghost: {"500"}}, r.run())
		r.config.Index = short{r.col, most, 2}
		_, err := Run(t.Context(), r.config)
		require.ErrorContains(t, err, "counts 53 records and lists 51")
	}
}

// TestATailOfAStaleRowIsNotOnTheWay: the row is reported once, as stale.
func TestATailOfAStaleRowIsNotOnTheWay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(5)
	r.forge("3", "another text", nil)
	r.forge("3#1", "a tail", mark())
	report := r.run()
	requireFaults(t, map[Kind][]string{Stale: {"3"}}, report)
	require.Zero(t, report.OnTheWay)
	require.True(t, r.repair().Equal)
	requireFaults(t, nil, r.run())
}

// TestATailBehindAChangeIsFound: the row differs when its tail is compared, because a change is on its way, and the tail stays when it has come.
func TestATailBehindAChangeIsFound(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(5)
	r.forge("3#1", "a tail", mark())
	changed := article(3)
	changed[1].Text = "Changed"
	looks := 0
	r.table.onFind = func() {
		switch looks++; looks {
		case 2: // the tail is compared for the first time
			r.table.put(changed)
		case 3:
			r.index(wire.Form{}, changed)
		}
	}
	report := r.run()
	requireFaults(t, map[Kind][]string{Chunks: {"3"}}, report)
	require.Greater(t, looks, 2)
}

// heavy notes how much metadata is read at a time.
type heavy struct {
	Index
	most *int
}

func (h heavy) Get(ctx context.Context, ids []string) (map[string]map[string]any, error) {
	found, err := h.Index.Get(ctx, ids)
	sum := 0
	for _, meta := range found {
		sum += recordWeight(chroma.Match{Metadata: meta})
	}
	*h.most = max(*h.most, sum)
	return found, err //nolint:wrapcheck // a test's
}

// TestLargeMetadataIsReadInParts has 24 MB of it in records that no row explains.
func TestLargeMetadataIsReadInParts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(3)
	for i := range 96 {
		r.forge(strconv.Itoa(1000+i), "a ghost", mark(map[string]any{"title": strings.Repeat("x", 1<<18)}))
	}
	most := 0
	r.config.Index = heavy{r.col, &most}
	report := r.run()
	require.Equal(t, 96, report.Faults[Ghost])
	require.LessOrEqual(t, most, pageBytes+pageBytes/8)
	require.Greater(t, most, 1<<20)
}

func TestExpectedIsBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(10)
	entries, err := entriesIn(&Table{Name: r.table.name, Columns: r.table.columns, Key: []int{0}, Primary: true}, wire.Form{}, r.config.Builder, r.table.sorted())
	require.NoError(t, err)
	x := newExpected(4)
	for _, e := range entries {
		x.add(e)
	}
	x.sort()
	require.Len(t, x.hashes, 4)
	require.True(t, x.has("4"))
	require.False(t, x.has("5"))
	require.False(t, x.has("11"))
}
