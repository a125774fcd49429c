//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/e2e/await"
)

// row is what the tables hold. Price is text: the source sends decimals as strings.
type row struct {
	ID    int64
	Title string
	Body  string
	Price string
	Tags  []string
}

// text is what the function makes of the row: outer white space is trimmed.
func (r row) text() string { return strings.TrimSpace(r.Title + ": " + r.Body) }

// prepareDatabase makes the tables and sets up the source of most of them.
func prepareDatabase(ctx context.Context) error {
	for _, t := range slices.Concat(tables, otherTables) {
		_, err := world.db.Exec(ctx, fmt.Sprintf(`CREATE SCHEMA IF NOT EXISTS app; DROP TABLE IF EXISTS app.%[1]s; CREATE TABLE app.%[1]s (
			id bigint PRIMARY KEY, title text NOT NULL, body text, price numeric(10,2), tags text[], created_at timestamptz NOT NULL DEFAULT now())`, t))
		if err != nil {
			return fmt.Errorf("make table app.%s: %w", t, err)
		}
	}
	return setUp(ctx, tables)
}

// setUp runs the very script that the README tells a user to run. variables are further name=value pairs for it.
func setUp(ctx context.Context, tables []string, variables ...string) error {
	args := []string{world.env.PostgresURL, "-f", world.root + "/connector/setup.sql"}
	for _, v := range append(variables, "password=secret", "tables=app."+strings.Join(tables, ",app.")) {
		args = append(args, "-v", v)
	}
	out, err := exec.CommandContext(ctx, "psql", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("run setup.sql: %w: %s", err, out)
	}
	return nil
}

func makeRow(id int64) row {
	return row{
		ID: id, Title: fmt.Sprintf("Article %d", id), Body: fmt.Sprintf("What is to be said of number %d.", id),
		Price: fmt.Sprintf("%d.50", id), Tags: []string{"new"},
	}
}

func insert(t *testing.T, table string, rows ...row) {
	t.Helper()
	for _, r := range rows {
		execute(t, "INSERT INTO app."+table+" (id, title, body, price, tags) VALUES ($1, $2, $3, $4, $5)", r.ID, r.Title, r.Body, r.Price, r.Tags)
	}
}

// insertMany inserts ids from..to (both included) in one statement, as makeRow makes them.
func insertMany(ctx context.Context, table string, from, to int64) error {
	_, err := world.db.Exec(ctx, `INSERT INTO app.`+table+` (id, title, body, price, tags)
		SELECT i, 'Article ' || i, 'What is to be said of number ' || i || '.', i + 0.5, '{new}' FROM generate_series($1::bigint, $2::bigint) AS i`, from, to)
	return err
}

func execute(t *testing.T, statement string, args ...any) {
	t.Helper()
	_, err := world.db.Exec(t.Context(), statement, args...)
	require.NoError(t, err, statement)
}

// rows returns a table's rows by id.
func rows(ctx context.Context, table string) (map[string]row, error) {
	found, err := world.db.Query(ctx, "SELECT id, title, coalesce(body, ''), coalesce(price::text, ''), coalesce(tags, '{}') FROM app."+table)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	byID := make(map[string]row)
	for found.Next() {
		var r row
		if err := found.Scan(&r.ID, &r.Title, &r.Body, &r.Price, &r.Tags); err != nil {
			return nil, err
		}
		byID[strconv.FormatInt(r.ID, 10)] = r
	}
	return byID, found.Err()
}

// eventually polls until check returns nil; its last error is the failure.
func eventually(t *testing.T, within time.Duration, check func(ctx context.Context) error) {
	t.Helper()
	require.NoError(t, await.Until(t.Context(), within, check))
}
