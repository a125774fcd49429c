//go:build e2e

package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deadletter"
	"github.com/rowvec/rowvec/embed/embedtest"
)

// The rows of TestRedrive, by what becomes of them after their letter.
const (
	rewritten = 1 + iota
	deleted
	waiting    // nothing newer
	repriced   // a newer change that leaves the large text of the letter alone, and so does not know it
	cutDeleted // the letter lacks the large text
	cutWaiting
	cutRewritten
	moved // its key changes
	letterRows
)

const refusedText = "cannot-be-embedded"

// large is kept out of line by Postgres, so that an update of other columns does not have it.
var large = strings.Repeat("What is to be said takes long. ", 150)

// TestRedrive: dead letters that are sent again when their cause is gone bring what nothing newer has settled, and change nothing where
// something has: a newer change, a delete. Each goes to the instance that has its row.
func TestRedrive(t *testing.T) {
	execute(t, "ALTER TABLE app.redriven REPLICA IDENTITY DEFAULT, ALTER body SET STORAGE EXTERNAL")
	endpoint := embedtest.New(embedtest.Options{Model: "fake", Dimensions: 32})
	t.Cleanup(endpoint.Close)
	endpoint.Control(embedtest.Poison(refusedText))
	settings := map[string]any{
		"parallelism": 2, "userConfig/embedding/baseURL": endpoint.URL(), "userConfig/embedding/model": "fake", "userConfig/embedding/dimensions": 32,
	}
	d := deploy(t, "redriven", settings)
	startSource(t)
	d.subscribed(t, 2)
	client := newClient(t)
	letters := d.provoke(t, client)

	t.Run("where the row is, while the cause lasts", func(t *testing.T) {
		was := byRow(letters)
		d.sendAgain(t, client, letters...)
		d.settles(t, 12+len(letters))
		for row, m := range byRow(d.letters(t, client, 2*len(letters))[len(letters):]) {
			require.Equal(t, was[row].Properties()[deadletter.PropInstance], m.Properties()[deadletter.PropInstance], "row %s", row)
			require.Equal(t, was[row].Properties()[deadletter.PropReason], m.Properties()[deadletter.PropReason], "row %s", row)
		}
	})
	execute(t, "UPDATE app.redriven SET body = 'Better.' WHERE id = $1", rewritten)
	execute(t, "UPDATE app.redriven SET price = 99.99 WHERE id = $1", repriced)
	execute(t, "DELETE FROM app.redriven WHERE id IN ($1, $2)", deleted, cutDeleted)
	execute(t, "UPDATE app.redriven SET title = 'New', body = 'Better, too.' WHERE id = $1", cutRewritten)
	execute(t, "UPDATE app.redriven SET id = 100 + id, body = 'Better there.' WHERE id = $1", moved)
	require.Equal(t, map[string]int{"indexed": 7, "metadata_only": 1, "deleted": 3, "poison": 16}, d.settles(t, 27))

	// Both causes are mended, and other processes run the function.
	endpoint.Control(nil)
	settings["userConfig/postgres/url"] = world.env.PostgresURL
	d.update(t, settings)
	d.startsAnew(t, 2)
	d.redrive(t, client, endpoint, byRow(letters))
}

// provoke has every row dead-lettered, and returns the letters. Four rows are in the index before.
func (d *deployment) provoke(t *testing.T, client pulsar.Client) []pulsar.Message {
	t.Helper()
	for id := int64(rewritten); id < letterRows; id++ {
		r := makeRow(id)
		if r.Body = refusedText; id >= repriced && id <= cutRewritten {
			r.Body = large
		}
		insert(t, d.table, r)
	}
	require.Equal(t, map[string]int{"indexed": 4, "poison": 4}, d.settles(t, 8))
	execute(t, "UPDATE app.redriven SET body = $2 WHERE id = $1", repriced, refusedText+large)
	execute(t, "UPDATE app.redriven SET title = 'Renamed' WHERE id BETWEEN $1 AND $2", cutDeleted, cutRewritten)
	require.Equal(t, map[string]int{"indexed": 4, "poison": 8}, d.settles(t, 12))
	letters := d.letters(t, client, 8)
	reasons := make(map[string]int)
	for _, m := range letters {
		reasons[m.Properties()[deadletter.PropReason]]++
	}
	require.Equal(t, map[string]int{"bad_request": 5, "unavailable_column": 3}, reasons)
	require.Len(t, byRow(letters), len(letters))
	return letters
}

// redrive sends the letters to a function that has not been given anything yet.
func (d *deployment) redrive(t *testing.T, client pulsar.Client, endpoint *embedtest.Server, letters map[string]pulsar.Message) {
	t.Helper()
	send := func(rows ...string) {
		for _, row := range rows {
			d.sendAgain(t, client, letters[row])
		}
	}
	t.Run("where something newer was", func(t *testing.T) {
		before, asked := contents(t, d.collection), endpoint.Stats()
		send("1", "2", "5", "7", "8")
		require.Equal(t, map[string]int{"stale": 5}, d.settles(t, 5))
		require.Equal(t, before, contents(t, d.collection))
		require.Equal(t, asked, endpoint.Stats(), "what the endpoint was asked")
	})
	t.Run("where nothing newer was", func(t *testing.T) {
		send("3", "4", "6")
		require.Equal(t, map[string]int{"stale": 5, "indexed": 3}, d.settles(t, 8))
		eventually(t, 10*time.Second, func(ctx context.Context) error { return equal(ctx, d.table, d.collection) })
	})
	t.Run("once more", func(t *testing.T) {
		before, asked := contents(t, d.collection), endpoint.Stats()
		send("8", "7", "6", "5", "4", "3", "2", "1")
		require.Equal(t, map[string]int{"stale": 13, "indexed": 3}, d.settles(t, 16))
		require.Equal(t, before, contents(t, d.collection))
		require.Equal(t, asked, endpoint.Stats(), "what the endpoint was asked")
	})
}

// byRow are letters by the row that they are of.
func byRow(letters []pulsar.Message) map[string]pulsar.Message {
	rows := make(map[string]pulsar.Message)
	for _, m := range letters {
		rows[m.Properties()[deadletter.PropRow]] = m
	}
	return rows
}

// requireTypedRedrive: a letter whose types only the broker's schemas tell is sent again after the table, and with it the topic's schema,
// has changed. It brings what its columns meant.
func (d *deployment) requireTypedRedrive(t *testing.T, endpoint *embedtest.Server) {
	t.Helper()
	execute(t, `INSERT INTO app.typed (id, title, body, price, big, day, at, clock, span, days) VALUES (300, 'Sent again', $1, -7.25,
		98765432109876543210.5, '2026-03-04', '2026-03-04 05:06:07.000008', '05:06:07', '3 hours', '{2026-03-04}')`, refusedText)
	letters := d.letters(t, newClient(t), 1)
	require.Equal(t, "300", letters[0].Properties()[deadletter.PropRow])
	require.NotEmpty(t, letters[0].Properties()[deadletter.PropSchemaVersion])
	// As the README says; the broker's default refuses the new schema, and the source stops.
	command(t, "namespaces", "set-schema-compatibility-strategy", "--compatibility", "ALWAYS_COMPATIBLE", "public/default")
	execute(t, `ALTER TABLE app.typed DROP days, ALTER big TYPE numeric(30,5)`)
	insert(t, d.table, makeRow(301))
	eventually(t, 10*time.Second, holds(d.collection, "301"))

	endpoint.Control(nil)
	d.sendAgain(t, newClient(t), letters...)
	eventually(t, 10*time.Second, holds(d.collection, "300"))
	requireMetadata(t, d.collection, "300", map[string]any{
		"title": "Sent again", "price": "-7.25", "big": "98765432109876543210.5", "day": "2026-03-04", "at": "2026-03-04T05:06:07.000008",
		"clock": "05:06:07", "span": "PT3H", "days": []string{"2026-03-04"},
	})
	d.isWell(t, 10*time.Second, 1)
}
