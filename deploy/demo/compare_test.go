package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
)

func hat() article {
	return article{
		ID: 2, Title: "Hat", Body: "Warm.", Price: "9.90", Tags: []string{"clothing", "new"},
		Created: time.Date(2026, 1, 2, 3, 4, 5, 678900000, time.FixedZone("", 3600)),
	}
}

// record is how Chroma holds hat, with another value for one key.
func record(key string, value any) chroma.Match {
	metadata := map[string]any{
		"title": "Hat", "price": "9.90", "tags": []any{"clothing", "new"}, "created_at": "2026-01-02T02:04:05.6789Z",
		"_rv_lsn": int64(1), "gone": nil,
	}
	if key != "" {
		metadata[key] = value
	}
	return chroma.Match{ID: "2", Document: "Hat: Warm.", Metadata: metadata}
}

func TestFault(t *testing.T) {
	t.Parallel()
	require.Empty(t, hat().fault(record("", nil)))
	for want, m := range map[string]chroma.Match{
		`title is "Hut"`:          record("title", "Hut"),
		"price is 9.9":            record("price", 9.9),
		"tags are [clothing]":     record("tags", []any{"clothing"}),
		"created_at is 2026-01-0": record("created_at", "2026-01-02"),
		"created_at is 2026-01-1": record("created_at", "2026-01-12T02:04:05.6789Z"),
		"[created_at extra price": record("extra", "x"),
		"[created_at price tags]": record("title", nil),
		`the document is "Hat"`:   {ID: "2", Document: "Hat", Metadata: record("", nil).Metadata},
	} {
		require.Contains(t, hat().fault(m), want)
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	rows := map[string]article{"2": hat(), "10": hat(), "3": hat()}
	d := compare(rows, map[string]chroma.Match{"2": record("", nil), "3": record("price", "1"), "11": record("", nil)})
	require.Equal(t, 1, d.right)
	require.Equal(t, []string{
		`row 3: price is 1, expected "9.90"`, "row 10: is missing", "row 11: is in the collection and not in the table",
	}, d.faults, "in the order of the ids")
	require.EqualError(t, d.err(), d.faults[0]+"\n"+d.faults[1]+"\n"+d.faults[2])

	same := compare(map[string]article{"2": hat()}, map[string]chroma.Match{"2": record("", nil)})
	require.Equal(t, 1, same.right)
	require.NoError(t, same.err())
	require.ErrorContains(t, compare(table320(t), nil).err(), "and 315 more")
}
