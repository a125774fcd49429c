package verify

import (
	"context"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

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
			require.Greater(t, pages, 6)
			require.Less(t, pages, 40)
		})
	}
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
