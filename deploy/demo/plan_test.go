package main

import (
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// table320 is the table as the demo fills it.
func table320(t *testing.T) map[string]article {
	t.Helper()
	products, err := catalogue()
	require.NoError(t, err)
	rows := make(map[string]article, len(products))
	for i, p := range products {
		rows[strconv.Itoa(i+1)] = article{ID: int64(i + 1), Title: p.title, Body: p.body, Price: price(p.price), Tags: p.tags}
	}
	return rows
}

func TestPlanFitsTheCatalogue(t *testing.T) {
	t.Parallel()
	changes, rewrites, err := plan(table320(t))
	require.NoError(t, err)
	var kinds []string
	ids := map[int64]bool{}
	for _, c := range changes {
		kinds = append(kinds, c.kind)
		require.False(t, ids[c.id], "row %d is changed twice: its first change might not be seen", c.id)
		ids[c.id] = true
		require.Equal(t, c.id, c.args[0])
	}
	require.Equal(t, []string{"insert", "insert", "new text", "new text", "new price", "new price", "delete", "delete"}, kinds)
	require.True(t, ids[321] && ids[322], "the new rows come after the last")
	require.Equal(t, int64(19), rewrites[0].id)
	require.Contains(t, rewrites[0].oldText(), "Classic hammock: Parachute nylon")
	require.Contains(t, rewrites[0].newText(), "Folding telescope: Shows the rings")
}

func TestPlanNamesTheRowThatIsMissing(t *testing.T) {
	t.Parallel()
	for _, title := range []string{"Classic hammock", "Premium espresso machine", "Classic spice rack"} {
		rows := table320(t)
		for id, a := range rows {
			if a.Title == title {
				delete(rows, id)
			}
		}
		_, _, err := plan(rows)
		require.ErrorContains(t, err, title)
	}
}

// TestArrived: before the change Chroma's record must not pass for the changed one, or the time shown would be wrong.
func TestArrived(t *testing.T) {
	t.Parallel()
	rows := table320(t)
	changes, _, err := plan(rows)
	require.NoError(t, err)
	for _, c := range changes {
		var before map[string]any
		if a, ok := rows[strconv.FormatInt(c.id, 10)]; ok {
			before = map[string]any{"title": a.Title, "price": a.Price}
		}
		require.False(t, c.arrived(before), "%s of %s", c.kind, c.what)
	}
	find := func(kind string) change {
		return changes[slices.IndexFunc(changes, func(c change) bool { return c.kind == kind })]
	}
	require.True(t, find("insert").arrived(map[string]any{"title": "Snow shovel"}))
	require.True(t, find("new text").arrived(map[string]any{"title": "Folding telescope"}))
	require.True(t, find("new price").arrived(map[string]any{"price": "646.56"}))
	require.True(t, find("delete").arrived(nil))
}

func TestSearchOfTheRewrittenRow(t *testing.T) {
	t.Parallel()
	r := rewrite{id: 19, oldTitle: "Hammock", oldBody: "Hangs.", newTitle: "Telescope", newBody: "Shows."}
	now, other := hit{ID: "19", Text: "Telescope: Shows."}, hit{ID: "7", Text: "Hat: Warm."}
	require.NoError(t, r.foundFirst([]hit{now, other}))
	require.Error(t, r.foundFirst([]hit{other, now}))
	require.Error(t, r.foundFirst([]hit{{ID: "19", Text: "Hammock: Hangs."}}))
	require.Error(t, r.foundFirst(nil))
	require.NoError(t, r.gone([]hit{other}))
	require.Error(t, r.gone([]hit{other, now}))
	require.Error(t, r.gone([]hit{{ID: "19#1", Text: "Hammock: Hangs."}}))
}
