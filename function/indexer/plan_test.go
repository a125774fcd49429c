package indexer

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

func newBuilder(tb testing.TB, spec document.Spec) *document.Builder {
	tb.Helper()
	b, err := document.NewBuilder(spec)
	require.NoError(tb, err)
	return b
}

// itemsOf makes items of changes, in the order of arrival.
func itemsOf(changes ...*connector.Change) []*item {
	items := make([]*item, len(changes))
	for i, c := range changes {
		items[i] = &item{Record: Record{Change: c}, id: "1"}
	}
	return items
}

// storedAs is the state that the index holds after a change under some settings.
func storedAs(tb testing.TB, spec document.Spec, c *connector.Change) *document.State {
	tb.Helper()
	doc, err := newBuilder(tb, spec).Build(c)
	require.NoError(tb, err)
	state, err := document.ParseState(doc.Records(c.Version, nil)[0].Metadata)
	require.NoError(tb, err)
	return &state
}

func TestPlan(t *testing.T) {
	t.Parallel()
	broken := upserted(1, 30, "x")
	broken.After = nil
	columnless := upserted(1, 30, "x")
	delete(columnless.After, "title")
	otherModel := articles()
	otherModel.Identity = "model-2"
	moreColumns := articles()
	moreColumns.Metadata = append(moreColumns.Metadata, document.Field{Column: "id"})
	failedOver := upserted(1, 3, "x")
	failedOver.Version.CommitTime = version(20).CommitTime.Add(time.Second)

	for _, c := range []struct {
		name     string
		changes  []*connector.Change
		stored   *connector.Change // nil: nothing
		spec     document.Spec     // today's settings
		action   action
		winner   int // index of changes, -1 for none
		stale    []int
		poisoned []int
	}{
		{name: "a new row", changes: []*connector.Change{upserted(1, 10, "a")}, action: index},
		{name: "a new text", changes: []*connector.Change{upserted(1, 10, "b")}, stored: upserted(1, 9, "a"), action: index},
		{name: "an old text", changes: []*connector.Change{upserted(1, 10, "a")}, stored: upserted(1, 9, "a"), action: refresh},
		{name: "the same change", changes: []*connector.Change{upserted(1, 9, "a")}, stored: upserted(1, 9, "a"), action: skip, winner: -1, stale: []int{0}},
		{
			name: "the same change under another model", changes: []*connector.Change{upserted(1, 9, "a")}, stored: upserted(1, 9, "a"),
			spec: otherModel, action: index,
		},
		{
			name: "the same change with more columns", changes: []*connector.Change{upserted(1, 9, "a")}, stored: upserted(1, 9, "a"),
			spec: moreColumns, action: refresh,
		},
		{
			name: "an older change under another model", changes: []*connector.Change{upserted(1, 8, "a")}, stored: upserted(1, 9, "a"),
			spec: otherModel, action: skip, winner: -1, stale: []int{0},
		},
		{name: "an older change", changes: []*connector.Change{upserted(1, 8, "z")}, stored: upserted(1, 9, "a"), action: skip, winner: -1, stale: []int{0}},
		{name: "an older delete", changes: []*connector.Change{deleted(1, 8)}, stored: upserted(1, 9, "a"), action: skip, winner: -1, stale: []int{0}},
		{name: "lower LSN, later commit", changes: []*connector.Change{failedOver}, stored: upserted(1, 20, "a"), action: index},
		{name: "a delete", changes: []*connector.Change{deleted(1, 10)}, stored: upserted(1, 9, "a"), action: remove},
		{name: "a delete of nothing", changes: []*connector.Change{deleted(1, 10)}, action: remove},
		{name: "an empty text", changes: []*connector.Change{upserted(1, 10, "")}, stored: upserted(1, 9, "a"), action: remove},
		{
			name:    "the newest of many, whatever the order",
			changes: []*connector.Change{upserted(1, 12, "c"), upserted(1, 14, "e"), upserted(1, 8, "o"), upserted(1, 13, "d")},
			stored:  upserted(1, 9, "a"), action: index, winner: 1, stale: []int{2},
		},
		{
			name:    "a delete newer than an update",
			changes: []*connector.Change{deleted(1, 12), upserted(1, 11, "b")}, stored: upserted(1, 9, "a"), action: remove,
		},
		{name: "a duplicate in the batch", changes: []*connector.Change{upserted(1, 5, "a"), upserted(1, 5, "a")}, action: index, winner: 1},
		{
			name:    "poison gives way to the next newest",
			changes: []*connector.Change{upserted(1, 10, "a"), broken, upserted(1, 20, "b")}, action: index, winner: 2, poisoned: []int{1},
		},
		{name: "nothing but poison", changes: []*connector.Change{broken}, action: skip, winner: -1, poisoned: []int{0}},
		{name: "a column that is missing", changes: []*connector.Change{upserted(1, 10, "a"), columnless}, action: hold, winner: 1},
		{name: "a missing column that is superseded", changes: []*connector.Change{columnless, upserted(1, 31, "a")}, action: index, winner: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			spec := c.spec
			if spec.Table == "" {
				spec = articles()
			}
			var stored *document.State
			if c.stored != nil {
				stored = storedAs(t, articles(), c.stored)
			}
			items := itemsOf(c.changes...)
			d := planned(newBuilder(t, spec), items, stored)
			require.Equal(t, c.action, d.action)
			if c.winner < 0 {
				require.Nil(t, d.winner)
			} else {
				require.Same(t, items[c.winner], d.winner)
			}
			require.Len(t, d.stale, len(c.stale))
			for i, at := range c.stale {
				require.Same(t, items[at], d.stale[i])
			}
			require.Len(t, d.poisoned, len(c.poisoned))
			for i, at := range c.poisoned {
				require.Same(t, items[at], d.poisoned[i].item)
				require.Equal(t, ClassPoison, Classify(d.poisoned[i].err))
			}
			require.Equal(t, c.action == hold, d.err != nil)
			require.Equal(t, c.action == index || c.action == refresh, len(d.records) > 0)
		})
	}
}

// panicking is a builder whose template panics on one title.
type panicking struct{ *document.Builder }

func (b panicking) DraftRow(c *connector.Change, row connector.Row) (*document.Document, error) {
	if c.After["title"] == "boom" {
		var none *document.Document
		_ = none.Empty
	}
	return b.Builder.DraftRow(c, row)
}

func TestPlanTurnsAPanicIntoPoison(t *testing.T) {
	t.Parallel()
	items := itemsOf(upserted(1, 1, "fine"), upserted(1, 2, "boom"))
	d := planned(panicking{newBuilder(t, articles())}, items, nil)
	require.Same(t, items[0], d.winner)
	require.Len(t, d.poisoned, 1)
	require.Equal(t, "panic", Reason(d.poisoned[0].err))
}

func TestPlanKeepsWhatTheSourceDidNotSend(t *testing.T) {
	t.Parallel()
	c := upserted(1, 9, "a")
	stored := storedAs(t, articles(), c)
	again := upserted(1, 9, "a")
	again.After["price"] = connector.Unavailable{}
	d := planned(newBuilder(t, articles()), itemsOf(again), stored)
	require.Equal(t, skip, d.action, "a kept key is not a missing key")
}

func TestPlanRemovesAKeyThatBecameNull(t *testing.T) {
	t.Parallel()
	stored := storedAs(t, articles(), upserted(1, 9, "a"))
	c := upserted(1, 10, "a")
	c.After["price"] = nil
	d := planned(newBuilder(t, articles()), itemsOf(c), stored)
	require.Equal(t, refresh, d.action)
	value, sent := d.records[0].Metadata["price"]
	require.True(t, sent)
	require.Nil(t, value)
}

// planned plans without tombstones and without a table to read from.
func planned(b builder, items []*item, stored *document.State) decision {
	return planner{builder: b}.plan(items, known{stored: stored})
}
