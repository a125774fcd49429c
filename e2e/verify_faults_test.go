//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/function/verify"
)

// plant puts n faults of each kind into Chroma, each in a row of its own, and returns the rows.
func (v *verifying) plant(tb testing.TB, n int) map[verify.Kind][]string {
	tb.Helper()
	ctx := tb.Context()
	c, err := world.chroma.Collection(ctx, v.collection)
	require.NoError(tb, err)
	var ids []string
	var chunks []int
	rows, err := world.db.Query(ctx, "SELECT id FROM "+v.table+" WHERE id <= 100000 AND id % 96 BETWEEN 8 AND 11 AND id % 97 <> 0 ORDER BY random() LIMIT $1", 4*n)
	require.NoError(tb, err)
	for rows.Next() {
		var id int64
		require.NoError(tb, rows.Scan(&id))
		ids = append(ids, strconv.FormatInt(id, 10))
	}
	require.NoError(tb, rows.Err())
	stored, err := c.Get(ctx, ids)
	require.NoError(tb, err)
	for _, id := range ids {
		count, err := document.ParseState(stored[id])
		require.NoError(tb, err)
		require.GreaterOrEqual(tb, count.Chunks, 2)
		chunks = append(chunks, count.Chunks)
	}
	vector := make([]float32, 32)
	vector[0] = 1
	planted := map[verify.Kind][]string{}
	for i, id := range ids {
		kind := []verify.Kind{verify.Missing, verify.Stale, verify.Metadata, verify.Chunks}[i%4]
		planted[kind] = append(planted[kind], id)
		switch {
		case kind == verify.Missing:
			require.NoError(tb, c.Delete(ctx, document.ChunkIDs(id, 0, chunks[i])))
		case kind == verify.Stale:
			require.NoError(tb, c.Upsert(ctx, []string{id}, [][]float32{vector}, []string{"another text"}, []map[string]any{{}}))
		case kind == verify.Metadata:
			require.NoError(tb, c.Update(ctx, []string{id}, []map[string]any{{"title": "another"}}))
		case i%8 < 4:
			require.NoError(tb, c.Delete(ctx, document.ChunkIDs(id, 1, 2)))
		default:
			require.NoError(tb, c.Upsert(ctx, document.ChunkIDs(id, chunks[i], chunks[i]+1), [][]float32{vector}, []string{"a tail"}, []map[string]any{{document.KeyRow: id}}))
		}
	}
	for i := range n {
		id := strconv.Itoa(900000 + i)
		planted[verify.Ghost] = append(planted[verify.Ghost], id)
		require.NoError(tb, c.Upsert(ctx, []string{id}, [][]float32{vector}, []string{"a ghost"}, []map[string]any{stored[ids[i]]}))
	}
	return planted
}

func requirePlanted(tb testing.TB, planted map[verify.Kind][]string, found *verify.Report) {
	tb.Helper()
	for _, kind := range verify.Kinds() {
		var rows []string
		for _, e := range found.Examples[kind] {
			rows = append(rows, e.Row)
		}
		require.ElementsMatch(tb, planted[kind], rows, "%s: %v", kind, found.Examples[kind])
		require.Equal(tb, len(planted[kind]), found.Faults[kind], kind)
	}
	require.Zero(tb, found.Unsettled)
}

// changing makes changes of all sorts until stop is called, fifty a second. It leaves the rows alone that plant takes, so
// that it is the repair that mends them.
func changing(t *testing.T, table string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		ticker := time.NewTicker(20 * time.Millisecond)
		defer ticker.Stop()
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				done <- nil
				return
			case <-ticker.C:
			}
			id := 1 + 12*rand.Int64N(verifyRows/12) + rand.Int64N(7)
			statement := []string{
				"UPDATE app.%s SET body = body || ' More.' WHERE id = $1", "UPDATE app.%s SET price = price + 1 WHERE id = $1",
				"DELETE FROM app.%s WHERE id = $1", "INSERT INTO app.%s (id, title, body) VALUES ($1, 'Again', 'And again.') ON CONFLICT DO NOTHING",
				"UPDATE app.%s SET title = 'Other ' || id WHERE id = $1",
			}[n%5]
			if _, err := world.db.Exec(context.WithoutCancel(ctx), fmt.Sprintf(statement, table), id); err != nil {
				done <- err
				return
			}
		}
	}()
	return func() {
		cancel()
		require.NoError(t, <-done)
	}
}

// repairAround mends while two transactions are open that have to win. One has changed planted rows before the repair asks for its version,
// and commits only when the repair waits for it; the other has begun before, too, but changes rows that were mended when the repair is over.
func (v *verifying) repairAround(t *testing.T, planted map[verify.Kind][]string) *verify.Report {
	t.Helper()
	ctx := t.Context()
	early, late := v.begin(t), v.begin(t)
	change := func(tx pgx.Tx, n int) {
		for statement, kind := range map[string]verify.Kind{
			"UPDATE %s SET body = 'From an open transaction.' WHERE id = $1": verify.Missing, "DELETE FROM %s WHERE id = $1": verify.Stale,
			"UPDATE %s SET price = -1 WHERE id = $1": verify.Metadata, "UPDATE %s SET id = 700000 + id WHERE id = $1": verify.Chunks,
			"INSERT INTO %s (id, title, body) VALUES ($1, 'No ghost', 'any more.')": verify.Ghost,
		} {
			id, err := strconv.ParseInt(planted[kind][n], 10, 64)
			require.NoError(t, err)
			tag, err := tx.Exec(ctx, fmt.Sprintf(statement, v.table), id)
			require.NoError(t, err)
			require.EqualValues(t, 1, tag.RowsAffected())
		}
	}
	change(early, 0)
	mended := make(chan error, 1)
	var found *verify.Report
	go func() {
		var err error
		_, found, err = v.try(ctx, "--repair")
		mended <- err
	}()
	eventually(t, 5*time.Minute, v.waits)
	require.NoError(t, early.Commit(ctx))
	require.NoError(t, <-mended)
	change(late, 1)
	require.NoError(t, late.Commit(ctx))
	return found
}

// begin opens a transaction whose view of the table is that of now.
func (v *verifying) begin(t *testing.T) pgx.Tx {
	t.Helper()
	tx, err := world.db.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) }) // which a commit makes idle
	var rows int
	require.NoError(t, tx.QueryRow(t.Context(), "SELECT count(*) FROM "+v.table).Scan(&rows))
	return tx
}

// waits tells whether a repair waits for transactions to end.
func (v *verifying) waits(ctx context.Context) error {
	var waiting bool
	err := world.db.QueryRow(ctx, `SELECT count(*) > 0 FROM pg_stat_activity
		WHERE application_name = 'rowvec verify' AND query LIKE '%pg_snapshot_xmin%'`).Scan(&waiting)
	if err == nil && !waiting {
		err = fmt.Errorf("no repair of %s waits for a transaction", v.table)
	}
	return err
}
