//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deploy/local/admin"
	"github.com/rowvec/rowvec/embed/embedtest"
	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/function/verify"
)

// verifyRows are enough for faults to hide among.
const verifyRows = 5000

// TestVerify: after a stream of changes `rowvec verify` says that the index equals the table; it finds each of 50 faults that are planted
// in Chroma; and --repair mends them all while changes go on.
func TestVerify(t *testing.T) {
	endpoint := embedtest.New(embedtest.Options{Model: "fake", Dimensions: 32})
	t.Cleanup(endpoint.Close)
	d := deploy(t, "verify", verifySettings("verify", endpoint.URL()))
	startSource(t)
	d.subscribed(t, 1)
	fillVerify(t, "verify", verifyRows)
	execute(t, "UPDATE app.verify SET body = 'Short now.' WHERE id % 97 = 0")
	execute(t, "UPDATE app.verify SET price = price + 1, tags = '{}' WHERE id % 89 = 0")
	execute(t, "DELETE FROM app.verify WHERE id % 83 = 0")
	execute(t, "UPDATE app.verify SET id = id + 100000 WHERE id % 79 = 0")
	v := newVerifying(t, d)
	eventually(t, 5*time.Minute, func(ctx context.Context) error { return v.equal(ctx) })
	d.requireChunksNamed(t, "11")

	planted := v.plant(t, 10)
	code, found := v.run(t.Context(), t)
	require.Equal(t, 1, code)
	requirePlanted(t, planted, found)

	stop := changing(t, "verify")
	code, found = v.run(t.Context(), t, "--repair")
	stop()
	require.NotNil(t, found.Repair)
	for _, kind := range verify.Kinds() {
		require.GreaterOrEqual(t, found.Repair.Mended[kind], 10, kind)
	}
	require.Empty(t, found.Repair.Failed)
	require.Equal(t, 0, code, "%+v", found)
	eventually(t, time.Minute, func(ctx context.Context) error { return v.equal(ctx) })
	d.requireNoDeadLetters(t)
}

// verifySettings has short chunks, so that most rows have several.
func verifySettings(table, endpoint string) map[string]any {
	return map[string]any{
		"userConfig/embedding/baseURL": endpoint, "userConfig/embedding/model": "fake", "userConfig/embedding/dimensions": 32,
		"userConfig/tables": map[string]any{"app." + table: map[string]any{
			"collection": "e2e-" + table, "text": "{{.title}}: {{.body}}", "metadata": []string{"title", "price", "tags", "created_at"},
			"chunk": map[string]any{"tokens": 32, "overlap": 4},
		}},
	}
}

func fillVerify(tb testing.TB, table string, rows int) {
	tb.Helper()
	_, err := world.db.Exec(tb.Context(), `INSERT INTO app.`+table+` (id, title, body, price, tags, created_at)
		SELECT i, 'Article ' || i, 'What is to be said of number ' || i || '. ' || repeat('More of it follows here. ', (i % 12)::int), i + 0.5,
			ARRAY['new', 'n' || i % 7], '2026-01-02'::timestamptz + i * interval '1.001 s'
		FROM generate_series(1, $1::bigint) AS i`, rows)
	require.NoError(tb, err)
}

// verifying runs the CLI for a table, as a role that may only read it.
type verifying struct {
	table, collection, file, url string
}

func newVerifying(tb testing.TB, d *deployment) *verifying {
	tb.Helper()
	v := &verifying{table: "app." + d.table, collection: d.collection, file: filepath.Join(world.root, "e2e", "out", d.name+"-verify.yaml")}
	for _, statement := range []string{
		"DROP OWNED BY verifier_" + d.table, "DROP ROLE verifier_" + d.table,
	} {
		_, _ = world.db.Exec(tb.Context(), statement) // of an earlier run, if there was one
	}
	for _, statement := range []string{
		"CREATE ROLE verifier_" + d.table + " LOGIN PASSWORD 'planted-secret'", "GRANT USAGE ON SCHEMA app TO verifier_" + d.table,
		"GRANT SELECT ON app." + d.table + " TO verifier_" + d.table,
	} {
		_, err := world.db.Exec(tb.Context(), statement)
		require.NoError(tb, err)
	}
	plain, err := os.ReadFile(d.file)
	require.NoError(tb, err)
	out, err := admin.Edit(plain, map[string]any{"userConfig/postgres": map[string]any{"url": map[string]any{"secret": "VERIFY_POSTGRES_URL"}}})
	require.NoError(tb, err)
	require.NoError(tb, os.WriteFile(v.file, out, 0o600))
	at := world.db.Config().ConnConfig
	v.url = fmt.Sprintf("postgres://verifier_%s:planted-secret@%s:%d/%s", d.table, at.Host, at.Port, at.Database)
	return v
}

// run returns the exit code and what --json says of the table.
func (v *verifying) run(ctx context.Context, tb testing.TB, args ...string) (int, *verify.Report) {
	tb.Helper()
	code, report, err := v.try(ctx, args...)
	require.NoError(tb, err)
	return code, report
}

func (v *verifying) try(ctx context.Context, args ...string) (int, *verify.Report, error) {
	code, reports, err := v.exec(ctx, args...)
	switch {
	case err != nil:
		return 0, nil, err
	case reports[0].Error != "":
		return 0, nil, errors.New(reports[0].Error)
	default:
		return code, reports[0], nil
	}
}

// exec returns the exit code and all tables' reports.
func (v *verifying) exec(ctx context.Context, args ...string) (int, []*verify.Report, error) {
	c := exec.CommandContext(ctx, filepath.Join(world.root, "bin", "rowvec"), append([]string{"verify", "-f", v.file, "--json"}, args...)...)
	c.Env = append(os.Environ(), "VERIFY_POSTGRES_URL="+v.url)
	var stderr strings.Builder
	c.Stderr = &stderr
	out, err := c.Output()
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		return 0, nil, err
	}
	var result struct {
		Equal  bool             `json:"equal"`
		Tables []*verify.Report `json:"tables"`
	}
	if err := json.Unmarshal(out, &result); err != nil {
		return 0, nil, fmt.Errorf("%w: %s %s", err, out, stderr.String())
	}
	if strings.Contains(string(out)+stderr.String(), "planted-secret") {
		return 0, nil, errors.New("a secret is shown")
	}
	return c.ProcessState.ExitCode(), result.Tables, nil
}

func (v *verifying) equal(ctx context.Context) error {
	code, r, err := v.try(ctx)
	if err == nil && code != 0 {
		err = fmt.Errorf("not equal: %v, unsettled %d, for example %v", r.Faults, r.Unsettled, r.Examples)
	}
	if err == nil && (r.Rows == 0 || len(r.Unchecked) > 0) {
		err = fmt.Errorf("%d rows compared, unchecked %v", r.Rows, r.Unchecked)
	}
	return err
}

// plant puts n faults of each kind into Chroma, each in a row of its own, and returns the rows.
func (v *verifying) plant(tb testing.TB, n int) map[verify.Kind][]string {
	tb.Helper()
	ctx := tb.Context()
	c, err := world.chroma.Collection(ctx, v.collection)
	require.NoError(tb, err)
	var ids []string
	var chunks []int
	rows, err := world.db.Query(ctx, "SELECT id FROM "+v.table+" WHERE id < 90000 AND id % 12 BETWEEN 8 AND 11 AND id % 97 <> 0 ORDER BY random() LIMIT $1", 4*n)
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
			require.NoError(tb, c.Upsert(ctx, document.ChunkIDs(id, chunks[i], chunks[i]+1), [][]float32{vector}, []string{"a tail"}, []map[string]any{{}}))
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

// changing makes changes of all sorts until stop is called, about a hundred a second. It leaves the rows alone that plant takes, so
// that it is the repair that mends them.
func changing(t *testing.T, table string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		ticker := time.NewTicker(10 * time.Millisecond)
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
