//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	"github.com/rowvec/rowvec/function/verify"
)

// verifyRows are enough for faults to hide among.
const verifyRows = 100_000

// TestVerify: after a stream of changes `rowvec verify` says that the index equals the table of 100,000 rows. While changes go on, it finds
// each of 50 faults that are planted in Chroma, and nothing else; and --repair mends them all, with transactions open that have to win.
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
	execute(t, "INSERT INTO app.verify (id, title, body) VALUES (800000, 'The last', 'change of these.')")
	eventually(t, 15*time.Minute, holdsRecord(d.collection, "800000"))
	v := newVerifying(t, d)
	eventually(t, 5*time.Minute, func(ctx context.Context) error { return v.equal(ctx) })
	t.Logf("without changes: %d rows, %d records in %.1f s, %.0f rows/s", v.last.Rows, v.last.Records, v.last.Seconds, float64(v.last.Rows)/v.last.Seconds)
	d.requireChunksNamed(t, "11")

	stop := changing(t, "verify")
	planted := v.plant(t, 10)
	code, found := v.run(t.Context(), t)
	require.Equal(t, 1, code)
	requirePlanted(t, planted, found)
	t.Logf("with changes going on: %d rows, %d records in %.1f s, %.0f rows/s, %d rows were on their way", found.Rows, found.Records, found.Seconds,
		float64(found.Rows)/found.Seconds, found.OnTheWay)

	found = v.repairAround(t, planted)
	stop()
	t.Logf("mended in %.1f s: %+v", found.Seconds, found.Repair)
	require.True(t, found.Equal, "%+v", found)
	for _, kind := range verify.Kinds() {
		require.Equal(t, 10, found.Repair.Mended[kind], kind)
	}
	require.Empty(t, found.Repair.Failed)
	eventually(t, 2*time.Minute, func(ctx context.Context) error { return v.equal(ctx) })
	for _, n := range []int{1, 1000} {
		code, found = v.run(t.Context(), t, "--sample", strconv.Itoa(n))
		require.Zero(t, code, "%+v", found)
		require.Equal(t, n, found.Rows)
	}
	d.requireNoDeadLetters(t)
}

// verifySettings has short chunks, so that some of the rows have several.
func verifySettings(table, endpoint string) map[string]any {
	return map[string]any{
		"userConfig/embedding/baseURL": endpoint, "userConfig/embedding/model": "fake", "userConfig/embedding/dimensions": 32,
		"userConfig/tables": map[string]any{"app." + table: map[string]any{
			"collection": "e2e-" + table, "text": "{{.title}}: {{.body}}", "metadata": []string{"title", "price", "tags", "created_at"},
			"chunk": map[string]any{"tokens": 64, "overlap": 4}, // so that most rows have one record: filling is what takes the time
		}},
	}
}

// fillVerify makes rows of one sentence. Every 24th has more of them, in a run of four.
func fillVerify(tb testing.TB, table string, rows int) {
	tb.Helper()
	_, err := world.db.Exec(tb.Context(), `INSERT INTO app.`+table+` (id, title, body, price, tags, created_at)
		SELECT i, 'Article ' || i, 'What is to be said of number ' || i || '. ' || CASE WHEN i % 96 BETWEEN 8 AND 11 THEN repeat('More of it follows here. ', 10) ELSE '' END, i + 0.5,
			ARRAY['new', 'n' || i % 7], '2026-01-02'::timestamptz + i * interval '1.001 s'
		FROM generate_series(1, $1::bigint) AS i`, rows)
	require.NoError(tb, err)
}

// verifying runs the CLI for a table, as a role that may only read it.
type verifying struct {
	table, collection, file, url string

	last *verify.Report
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

// holdsRecord tells whether a collection has a record, without reading all of it.
func holdsRecord(collection, id string) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		c, err := world.chroma.Collection(ctx, collection)
		if err != nil {
			return err
		}
		found, err := c.Get(ctx, []string{id})
		if err == nil && len(found) == 0 {
			err = fmt.Errorf("collection %s has no record %s", collection, id)
		}
		return err
	}
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
		v.last = reports[0]
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
