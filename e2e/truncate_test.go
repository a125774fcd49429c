//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/embed/embedtest"
	"github.com/rowvec/rowvec/function"
	"github.com/rowvec/rowvec/function/document"
)

const (
	truncatedRows = 3000
	truncatedKeys = 1000 // keys that are used again in the transaction of the truncate
	truncatedMore = 500  // and after it
)

// TestTruncate empties and refills a table of a real Debezium Server, read by two instances.
func TestTruncate(t *testing.T) {
	endpoint := embedtest.New(embedtest.Options{Model: "fake", Dimensions: 32})
	t.Cleanup(endpoint.Close)
	execute(t, "CREATE TABLE app.truncated (LIKE app.articles INCLUDING ALL)")
	require.NoError(t, setUp(t.Context(), []string{"truncated"}, "publication=rowvec_truncated", "publish=insert, update, delete, truncate"))
	fillVerify(t, "truncated", truncatedRows)
	settings := verifySettings("truncated", endpoint.URL())
	settings["parallelism"] = 2
	d := createFrom(t, "truncated", "truncated", settings).temporary(t)
	d.subscribed(t, 2)
	startServer(t, world.stack.Debezium3, "truncated")
	v := newVerifying(t, d)
	eventually(t, 4*time.Minute, func(ctx context.Context) error { return v.equal(ctx) })
	again := total(d.settlesAll(t, truncatedRows)) - truncatedRows

	messages := truncatedRows + 1 + truncatedKeys + truncatedMore
	t.Run("keys are used again at once", func(t *testing.T) {
		begun := time.Now()
		tx, err := world.db.Begin(t.Context())
		require.NoError(t, err)
		for _, statement := range []string{"TRUNCATE app.truncated", refill(1, truncatedKeys)} {
			_, err := tx.Exec(t.Context(), statement)
			require.NoError(t, err)
		}
		require.NoError(t, tx.Commit(t.Context()))
		execute(t, refill(truncatedRows+1, truncatedRows+truncatedMore))
		counts := d.settlesAll(t, messages+again)
		t.Logf("equal %v after the truncate: %v", time.Since(begun).Round(time.Millisecond), counts)
		require.Equal(t, 1, counts["truncated"])
		eventually(t, time.Minute, func(ctx context.Context) error { return v.equal(ctx) })
		requireOnlyRefilled(t, d)
	})
	t.Run("a replay from the start brings nothing back", func(t *testing.T) {
		before, asked := contents(t, d.collection), endpoint.Stats()
		command(t, "functions", "stop", "--name", d.name)
		d.subscribed(t, 0)
		command(t, "topics", "reset-cursor", "persistent://"+d.topic(), "--subscription", d.name, "--time", "1d")
		command(t, "functions", "start", "--name", d.name)
		counts := d.settlesAll(t, messages)
		require.Equal(t, map[string]int{"stale": counts["stale"]}, counts)
		require.Equal(t, before, contents(t, d.collection))
		require.Equal(t, asked, endpoint.Stats(), "what the endpoint was asked")
	})
	t.Run("a function that is stopped in the middle goes on with it", func(t *testing.T) {
		execute(t, "TRUNCATE app.truncated")
		execute(t, refill(1, 10))
		eventually(t, 30*time.Second, marked(d, "of a sweep under way", func(lease int64) bool { return lease > 0 }))
		command(t, "functions", "stop", "--name", d.name)
		d.subscribed(t, 0)
		require.NoError(t, marked(d, "of a sweep that was left", func(lease int64) bool { return lease > 0 })(t.Context()))
		s, err := world.pulsar.TopicStats(t.Context(), d.topic())
		require.NoError(t, err)
		require.Positive(t, s.Subscriptions[d.name].Backlog, "the truncate is not acknowledged")
		command(t, "functions", "start", "--name", d.name)
		eventually(t, 2*time.Minute, func(ctx context.Context) error { return v.equal(ctx) })
		eventually(t, time.Minute, marked(d, "of a sweep that is over", func(lease int64) bool { return lease == 0 }))
	})
	d.isWell(t, 30*time.Second, 2)
	d.requireNoDeadLetters(t)
}

// refill is a statement that inserts rows of other texts than fillVerify's.
func refill(from, to int) string {
	return fmt.Sprintf(`INSERT INTO app.truncated (id, title, body, price, created_at)
		SELECT i, 'Again ' || i, 'Another text. ' || repeat('And more of it. ', (i %% 9)::int), i, '2026-02-03' FROM generate_series(%d, %d) AS i`, from, to)
}

func requireOnlyRefilled(t *testing.T, d *deployment) {
	t.Helper()
	all, err := records(t.Context(), d.collection)
	require.NoError(t, err)
	for id, m := range all {
		title, _ := m.Metadata["title"].(string)
		require.True(t, strings.HasPrefix(title, "Again "), "%s: %v", id, m.Metadata)
	}
}

// marked looks at the mark of the table's newest truncate.
func marked(d *deployment, want string, is func(lease int64) bool) func(context.Context) error {
	return func(ctx context.Context) error {
		c, err := world.chroma.Collection(ctx, function.TombstoneCollection(d.collection))
		if err != nil {
			return err
		}
		id := document.TruncateID("app." + d.table)
		found, err := c.Get(ctx, []string{id})
		if err != nil {
			return err
		}
		if found[id] == nil {
			return errors.New("there is no mark")
		}
		m, err := document.ParseTruncateMark(found[id])
		lease := m.Lease
		if m.Over {
			lease = 0
		}
		if err != nil || !is(lease) {
			return errors.Join(fmt.Errorf("the mark is %v, not %s", found[id], want), err)
		}
		return nil
	}
}
