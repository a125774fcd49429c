package verify

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/function/wire"
)

func TestASharedCollectionHoldsOtherTablesRows(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(r *rig) { r.spec.PrefixIDs = true })
	r.fill(10)
	r.forge("app.other/1", "a row of the other table", mark())
	r.forge("app.other/2#1", "a chunk of it", mark())
	r.forge("app.third/1", "of a table that is gone, or of another function's", mark())
	r.forge("app.articles/77", "a ghost", mark())
	r.forge("app.articles/x", "a ghost that can be no row", mark())
	r.forge("app.articles/y", "of an application", map[string]any{"title": "x"})
	r.forge("app.articles/y#1", "a ghost behind it", mark())
	r.drop("app.articles/3")
	want := map[Kind][]string{Missing: {"app.articles/3"}, Ghost: {"app.articles/77", "app.articles/x", "app.articles/y"}}
	report := r.run()
	requireFaults(t, want, report)
	require.Equal(t, 1, report.Foreign, "another table counts the other")
	r.config.Answers = true
	report = r.run()
	requireFaults(t, want, report)
	require.Equal(t, 2, report.Foreign)
	require.True(t, r.repair().Equal)
	left, err := r.col.Records(t.Context(), []string{"app.other/1", "app.other/2#1", "app.third/1", "app.articles/77", "app.articles/x", "app.articles/y"})
	require.NoError(t, err)
	require.Len(t, left, 4)
}

// TestLongKeysAreHashes: an id that is a hash tells its key in the record.
func TestLongKeysAreHashes(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(r *rig) {
		r.table.key = []int{1, 0}
		r.spec.Chunk = &document.ChunkSpec{Tokens: 8}
	})
	for id := range 10 {
		row := article(id)
		row[1].Text = strings.Repeat("long key ", 30) + row[1].Text
		r.table.put(row)
		r.index(wire.Form{}, row)
	}
	requireFaults(t, nil, r.run())
	gone := r.table.sorted()[4]
	r.table.mu.Lock()
	delete(r.table.rows, r.table.keyText(Key{gone[1], gone[0]}))
	r.table.mu.Unlock()
	r.forge("h:NOSUCHHASH", "of nobody", mark())
	there := r.table.sorted()[5]
	r.forge("h:NEITHER", "of no row, though it says so", mark(map[string]any{document.KeyFullKey: url.PathEscape(there[1].Text) + "/" + there[0].Text}))
	report := r.run()
	require.Equal(t, 1, report.Faults[Ghost], "%+v", report)
	require.Equal(t, 1, report.Total())
	require.Equal(t, 2, report.Foreign)
	report = r.repair()
	require.True(t, report.Equal, "%+v", report)
	left, err := r.col.Records(t.Context(), []string{"h:NOSUCHHASH", "h:NEITHER"})
	require.NoError(t, err)
	require.Len(t, left, 2)
}

// TestAKeyThatIsNoPrimaryKey: tables.<t>.key names the columns, and one of them may be null.
func TestAKeyThatIsNoPrimaryKey(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(r *rig) {
		r.table.key, r.table.primary = []int{0, 2}, false
		r.spec.Key = []string{"id", "body"}
	})
	null := article(1)
	null[2] = Value{Null: true}
	r.table.put(null, article(2))
	r.index(wire.Form{}, null, article(2), article(3))
	requireFaults(t, map[Kind][]string{Ghost: {"3/What%20is%20to%20be%20said%20of%203."}}, r.run())
	require.True(t, r.repair().Equal)
	requireFaults(t, nil, r.run())
}

func TestKeysThatIDsDoNotTellLeaveGhostsUnchecked(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(r *rig) { r.table.columns[0].Type = "interval" })
	r.table.put(article(1))
	r.index(wire.Form{}, article(1))
	r.forge("77", "a ghost", mark())
	report := r.run()
	requireFaults(t, nil, report)
	require.Equal(t, "ghosts", report.Unchecked[0].What)
	require.Contains(t, report.Unchecked[0].Why, "interval")
}
