package indexer

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

var left = connector.Unavailable{}

// annotated is a table with a large column in its metadata.
func annotated(r *rig) { r.spec.Metadata = []document.Field{{Column: "price"}, {Column: "notes"}} }

// jotted is a change of row 1 in a annotated table.
func jotted(op connector.Op, lsn int, title string, notes any) *connector.Change {
	c := upserted(1, lsn, title)
	c.Op, c.After["notes"] = op, notes
	return c
}

// large is a change of row 1 whose title and body are both large.
func large(lsn int, title, body any) *connector.Change {
	c := upserted(1, lsn, "")
	c.After["title"], c.After["body"] = title, body
	return c
}

// begun is an insert of row 1 that left its body out: its key moved here.
func begun(lsn int, title string) *connector.Change {
	c := part(lsn, title)
	c.Op = connector.Insert
	return c
}

// seenRow is what became of row 1: its text, its metadata, and what became of the changes of the last delivery.
type seenRow struct {
	text  string
	notes any
	kinds []Kind
}

// delivered delivers changes, those of one list in one batch.
func delivered(t *testing.T, option func(*rig), table connector.Row, batches ...[]*connector.Change) (got seenRow) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		options := []func(*rig){option}
		if table != nil {
			options = append(options, reading(&source{row: table}))
		}
		r := newRig(t, options...)
		for _, batch := range batches {
			release := r.plug()
			receipts := r.submit(batch...)
			release()
			got.kinds = kinds(t, receipts)
			synctest.Wait()
			r.embedder.fault = nil
		}
		e, _ := r.store.get("1")
		got.text, got.notes = e.document, e.meta["notes"]
	})
	return got
}

type changes = []*connector.Change

func TestMetadataThatNewerChangesLeftOut(t *testing.T) {
	t.Parallel()
	const insert, update = connector.Insert, connector.Update
	stored := changes{jotted(insert, 1, "a", "A")}
	set, unset := jotted(update, 2, "a", "B"), jotted(update, 3, "a", left)
	for name, c := range map[string]struct {
		table   connector.Row
		batches []changes
		want    any
	}{
		"in one batch":               {nil, []changes{stored, {set, unset}}, "B"},
		"in one batch, with a table": {connector.Row{"notes": "B"}, []changes{stored, {set, unset}}, "B"},
		"a new row":                  {nil, []changes{{set, unset}}, "B"},
		"late":                       {nil, []changes{stored, {unset}, {set}}, "B"},
		"late, of a new row":         {nil, []changes{{unset}, {set}}, "B"},
		"twice, the newer first":     {nil, []changes{{jotted(update, 4, "a", left)}, {jotted(update, 3, "a", "C")}, {set}}, "C"},
		"late, and out of the batch": {nil, []changes{stored, {jotted(update, 4, "a", left)}, {set, unset}}, "B"},
		"of a row before":            {nil, []changes{stored, {deleted(1, 6), jotted(insert, 7, "b", left)}}, nil},
		"of a row before, late":      {nil, []changes{stored, {jotted(update, 8, "b", left)}, {deleted(1, 6)}}, nil},
		"of a row before, read":      {connector.Row{"notes": "N"}, []changes{stored, {deleted(1, 6), jotted(insert, 7, "b", left)}}, "N"},
		"of a row before, late read": {connector.Row{"notes": "N"}, []changes{stored, {jotted(update, 8, "b", left)}, {deleted(1, 6)}}, "N"},
		"the insert again":           {connector.Row{"notes": "N"}, []changes{{jotted(insert, 7, "b", left)}, {jotted(insert, 7, "b", left)}}, "N"},
	} {
		require.Equal(t, c.want, delivered(t, annotated, c.table, c.batches...).notes, name)
	}
}

func TestMetadataThatNobodyKnowsIsCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, annotated)
		kinds(t, r.submit(jotted(connector.Insert, 7, "a", left)))
		require.Equal(t, 1, r.ledger.dropped)
		kinds(t, r.submit(jotted(connector.Update, 8, "a", "N"), jotted(connector.Update, 9, "a", left)))
		require.Equal(t, 1, r.ledger.dropped)
	})
}

func TestTwoLargeColumnsOfAText(t *testing.T) {
	t.Parallel()
	stored, table := changes{large(5, "A5", "B5")}, connector.Row{"title": "A6", "body": "B5"}
	half, none := large(6, "A6", left), large(7, left, left)
	for name, c := range map[string]struct {
		table   connector.Row
		batches []changes
		text    string
		kinds   []Kind
	}{
		"in one batch":           {table, []changes{stored, {half, none}}, "A6: B5", []Kind{Superseded, Indexed}},
		"late":                   {table, []changes{stored, {none}, {half}}, "A6: B5", []Kind{Indexed}},
		"all in one batch":       {nil, []changes{{large(5, "A5", "B5"), half, none}}, "A6: B5", []Kind{Superseded, Superseded, Indexed}},
		"without a table":        {nil, []changes{stored, {half}, {none}, {half}}, "A5: B5", []Kind{Poison}},
		"the other comes late":   {nil, []changes{{none, half}, {large(5, "A5", "B5"), half, none}}, "A6: B5", []Kind{Superseded, Superseded, Indexed}},
		"the older brings both":  {nil, []changes{stored, {none}, {large(6, "A6", "B6")}}, "A6: B6", []Kind{Indexed}},
		"two bring one each":     {nil, []changes{stored, {large(8, left, left)}, {large(6, left, "B6"), large(7, "A7", left)}}, "A7: B6", []Kind{Superseded, Indexed}},
		"a value by its hash":    {nil, []changes{stored, {large(5, "A5", "B5"), large(9, "A9", left)}}, "A9: B5", []Kind{Superseded, Indexed}},
		"same value, other time": {nil, []changes{stored, {large(9, left, left)}, {large(7, "A5", left)}, {large(6, "A6", "B5")}}, "A5: B5", []Kind{MetadataOnly}},
	} {
		got := delivered(t, toasted, c.table, c.batches...)
		require.Equal(t, c.text, got.text, name)
		require.Equal(t, c.kinds, got.kinds, name)
	}
}

func TestAKeyThatIsUsedAgain(t *testing.T) {
	t.Parallel()
	stored, table := changes{whole(1, "a", "B1")}, connector.Row{"title": "a", "body": "B2"}
	for name, c := range map[string]struct {
		table   connector.Row
		batches []changes
		text    string
	}{
		"in one batch":            {nil, []changes{stored, {deleted(1, 6), begun(7, "a")}}, ""},
		"read":                    {table, []changes{stored, {deleted(1, 6), begun(7, "a")}}, "a: B2"},
		"the insert first":        {nil, []changes{stored, {begun(7, "a")}, {deleted(1, 6)}}, ""},
		"read, the insert first":  {table, []changes{stored, {begun(7, "a")}, {deleted(1, 6)}}, "a: B2"},
		"an update first":         {nil, []changes{stored, {part(8, "a")}, {whole(7, "a", "B2")}, {deleted(1, 6)}}, "a: B2"},
		"read, an update first":   {table, []changes{stored, {part(8, "a")}, {deleted(1, 6)}}, "a: B2"},
		"a text is left out late": {nil, []changes{{deleted(1, 6)}, {part(8, "a")}, {whole(7, "a", "B2"), part(8, "a")}}, "a: B2"},
	} {
		require.Equal(t, c.text, delivered(t, toasted, c.table, c.batches...).text, name)
	}
	late := delivered(t, toasted, nil, stored, changes{part(8, "a")}, changes{deleted(1, 6)})
	require.Equal(t, []Kind{Poison}, late.kinds, "the text is of another row, and whose it is nobody knows")
}

// What was read from the table for a change is as of that change, although the row went on meanwhile.
func TestColumnsThatWereReadBeforeTheRowWentOn(t *testing.T) {
	t.Parallel()
	b := newBuilder(t, document.Spec{Table: "app.articles", Text: "{{.title}}: {{.body}}", Identity: "m"})
	p := planner{builder: b, fetches: true}
	first := p.plan(itemsOf(whole(1, "a", "B1")), known{})
	ahead := p.plan(itemsOf(part(21, "a")), known{stored: first.want})
	require.Equal(t, refresh, ahead.action)
	items := itemsOf(part(8, "a"))
	items[0].fetched = connector.Row{"body": "B8"}
	read := p.plan(items, known{stored: ahead.want})
	require.Equal(t, index, read.action)
	require.Equal(t, version(21), read.want.Version)
	require.Equal(t, version(8), read.want.AsOf("body"))
	require.Equal(t, index, p.plan(itemsOf(whole(20, "a", "B20")), known{stored: read.want}).action)
}

// A primary key may change while the columns that make the id do not: the source sends a removal and a row of one version.
func TestARemovalAndARowOfOneVersion(t *testing.T) {
	t.Parallel()
	for _, order := range []changes{{deleted(1, 5), upserted(1, 5, "a")}, {upserted(1, 5, "a"), deleted(1, 5)}} {
		for _, batches := range [][]changes{{order}, {order[:1], order[1:]}} {
			require.Equal(t, "a", delivered(t, annotated, nil, append([]changes{{upserted(1, 1, "a")}}, batches...)...).text)
		}
	}
}

func TestAReplayAppliesAnotherColumnUnderTheSameKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		c := upserted(1, 5, "a")
		c.After["cost"] = int64(99)
		kinds(t, r.submit(c))
		r.stop()
		r.spec.Metadata = []document.Field{{Column: "cost", As: "price"}}
		r.start()
		require.Equal(t, []Kind{MetadataOnly}, kinds(t, r.submit(c)))
		e, _ := r.store.get("1")
		require.EqualValues(t, 99, e.meta["price"])
		require.Equal(t, []Kind{Stale}, kinds(t, r.submit(c)))
	})
}

func TestSameValue(t *testing.T) {
	t.Parallel()
	require.True(t, sameValue(int64(5), 5.0), "a store may print both alike")
	require.True(t, sameValue([]int64{1}, []any{1.0}))
	require.False(t, sameValue("5", int64(5)))
	require.False(t, sameValue([]string{"1"}, []int64{1}))
}
