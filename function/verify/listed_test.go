package verify

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/wire"
)

// busy is a collection to which rows come, and from which they go, before and after each look at its ids.
type busy struct {
	Index
	before, after func()
	pages         *int
}

var errEndless = errors.New("the listing does not end")

func (b busy) IDs(ctx context.Context, offset, limit int) ([]string, error) {
	if *b.pages++; *b.pages > 60 {
		return nil, errEndless
	}
	b.before()
	defer b.after()
	return b.Index.IDs(ctx, offset, limit) //nolint:wrapcheck // a test's
}

// TestAPassEndsBesideSteadyChanges has rows come and go at each page. What is there all the while is compared.
func TestAPassEndsBesideSteadyChanges(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ inserted, deleted, insertedAfter, deletedAfter, page int }{
		"inserts before a page":          {inserted: 1, page: 30},
		"inserts after it":               {insertedAfter: 1, page: 30},
		"more than a page brings":        {inserted: 20, insertedAfter: 20, page: 30},
		"on one page":                    {insertedAfter: 3, page: 1000},
		"deletes before a page":          {deleted: 2, page: 30},
		"deletes after it":               {deletedAfter: 2, page: 30},
		"deletes on one page":            {deleted: 2, deletedAfter: 2, page: 1000},
		"deletes before, inserts after":  {deleted: 2, insertedAfter: 1, page: 30},
		"inserts before, deletes after":  {inserted: 1, deletedAfter: 2, page: 30},
		"as many come as go":             {inserted: 1, deleted: 1, insertedAfter: 1, deletedAfter: 1, page: 30},
		"more than pages overlap, moved": {deleted: 7, insertedAfter: 7, page: 30},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.fill(200)
			r.drop("7")
			r.forge("500", "a ghost", mark())
			pages, next, gone := 0, 1000, 10
			change := func(inserted, deleted int) func() {
				return func() {
					for range inserted {
						next++
						r.table.put(article(next))
						r.index(wire.Form{}, article(next))
					}
					for range deleted {
						gone++
						r.table.remove(strconv.Itoa(gone))
						r.drop(strconv.Itoa(gone))
					}
				}
			}
			r.config.sizes = sizes{page: c.page, overlap: 5, check: 7, expected: 1000}
			r.config.Index = busy{r.col, change(c.inserted, c.deleted), change(c.insertedAfter, c.deletedAfter), &pages}
			report := r.run()
			requireFaults(t, map[Kind][]string{Missing: {"7"}, Ghost: {"500"}}, report)
			require.GreaterOrEqual(t, report.Records, 200-gone)
			require.LessOrEqual(t, report.Records, 200+next-1000)
			if c.deleted+c.deletedAfter == 0 {
				require.LessOrEqual(t, pages, 10)
			}
		})
	}
}

// TestGhostsOfAPageThatIsListedAgainAreCountedOnce: 130 ghosts of 2,000 records, or of the 1,500 that are left of them, are no more than a
// tenth, and would be if they were counted with the page that is listed again because so many rows went.
func TestGhostsOfAPageThatIsListedAgainAreCountedOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(2000)
	for id := 801; id <= 930; id++ {
		r.table.remove(strconv.Itoa(id))
	}
	offsets := []int{}
	r.config.sizes = sizes{page: 1000, overlap: 100, check: 500, expected: 10_000}
	r.config.Index = shrinking{r.col, func(offset int) {
		if offsets = append(offsets, offset); len(offsets) == 2 {
			var front []string
			for id := 1; id <= 500; id++ {
				front = append(front, strconv.Itoa(id))
			}
			r.table.remove(front...)
			r.drop(front...)
		}
	}}
	report := r.repair()
	require.Equal(t, []int{0, 900, 0}, offsets[:3], "the first page is listed again")
	require.Empty(t, report.Repair.Refused)
	require.True(t, report.Equal, "%+v", report)
	require.Equal(t, 130, report.Repair.Mended[Ghost])
	require.Equal(t, 1370, r.left())
}

func TestListed(t *testing.T) {
	t.Parallel()
	l := newListed(6)
	require.Equal(t, []string{"a", "b", "c"}, l.add(0, []string{"a", "b", "c"}))
	require.Equal(t, []string{"d"}, l.add(2, []string{"c", "d"}), "the overlap")
	require.Equal(t, []string{"x"}, l.add(0, []string{"b", "x", "d"}), "a page that is listed again, when a and c are gone")
	require.Equal(t, []string{"e"}, l.add(3, []string{"e"}))
	require.Equal(t, 6, l.n, "the first page is forgotten")
	require.Len(t, l.pages, 3)

	l = newListed(0)
	l.add(0, []string{"a", "b"})
	require.Empty(t, l.add(1, []string{"b"}), "the last page is remembered in any case")
}
