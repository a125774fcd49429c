//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/embed/embedtest"
)

// TestReplayChangesNothing: the topic from its start, sent again after newer changes and deletes and read again by another process, leaves
// every record and every mark of the index as it is, and costs no call of the endpoint.
func TestReplayChangesNothing(t *testing.T) {
	const rows = 24
	endpoint := embedtest.New(embedtest.Options{Model: "fake", Dimensions: 32})
	t.Cleanup(endpoint.Close)
	d := deploy(t, "replayed", verifySettings("replayed", endpoint.URL()))
	startSource(t)
	d.subscribed(t, 1)
	client := newClient(t)
	kept := d.keep(t, client)
	fillVerify(t, "replayed", rows)
	require.Equal(t, map[string]int{"indexed": rows}, d.settles(t, rows))
	settled := rows + liveOn(t, "replayed")
	d.settles(t, settled)
	v := newVerifying(t, d)
	require.NoError(t, v.equal(t.Context()))
	before, asked := contents(t, d.collection), endpoint.Stats()

	first := receive(t, kept, rows)
	t.Run("the first messages are sent again", func(t *testing.T) {
		was, err := d.outcomes(t.Context())
		require.NoError(t, err)
		d.sendAgain(t, client, first...)
		settled += rows
		was["stale"] += rows
		require.Equal(t, was, d.settles(t, settled))
		require.Equal(t, before, contents(t, d.collection))
	})
	t.Run("another process reads the topic from its start", func(t *testing.T) {
		command(t, "functions", "stop", "--name", d.name)
		d.subscribed(t, 0)
		command(t, "topics", "reset-cursor", "persistent://"+d.topic(), "--subscription", d.name, "--time", "1d")
		command(t, "functions", "start", "--name", d.name)
		require.Equal(t, map[string]int{"stale": settled}, d.settles(t, settled), "each message once, and nothing to do for any")
		require.Equal(t, before, contents(t, d.collection))
	})
	t.Run("the first messages are sent to that process, too", func(t *testing.T) {
		d.sendAgain(t, client, first...)
		require.Equal(t, map[string]int{"stale": settled + rows}, d.settles(t, settled+rows))
		require.Equal(t, before, contents(t, d.collection))
	})
	require.Equal(t, asked, endpoint.Stats(), "what the endpoint was asked")
	eventually(t, 30*time.Second, func(ctx context.Context) error { return v.equal(ctx) })
	d.requireNoDeadLetters(t)
}

// liveOn takes the first rows of a table through newer changes, deletes among them, and returns how many there were.
func liveOn(t *testing.T, table string) (changes int) {
	t.Helper()
	for _, s := range []struct {
		statement string
		changes   int
	}{
		{"UPDATE app.%s SET title = 'Renamed' WHERE id = 1", 1},
		{"UPDATE app.%s SET price = 99.99, tags = NULL WHERE id = 2", 1},
		{"DELETE FROM app.%s WHERE id IN (3, 11)", 2}, // of one chunk, and of several
		{"UPDATE app.%s SET id = 104 WHERE id = 4", 2},
		{"DELETE FROM app.%s WHERE id = 5", 1},
		{"INSERT INTO app.%s (id, title, body) VALUES (5, 'Another row', 'It has the key of a deleted one.')", 1},
		{"UPDATE app.%s SET body = 'Short now.' WHERE id = 23", 1},
		{"UPDATE app.%s SET body = repeat(body || ' ', 5) WHERE id = 6", 1},
	} {
		execute(t, fmt.Sprintf(s.statement, table))
		changes += s.changes
	}
	tx, err := world.db.Begin(t.Context())
	require.NoError(t, err)
	for _, statement := range []string{"UPDATE app.%s SET title = 'Once' WHERE id = 7", "UPDATE app.%s SET title = 'Twice' WHERE id = 7", "DELETE FROM app.%s WHERE id = 8"} {
		_, err := tx.Exec(t.Context(), fmt.Sprintf(statement, table))
		require.NoError(t, err)
	}
	require.NoError(t, tx.Commit(t.Context()))
	return changes + 3
}
