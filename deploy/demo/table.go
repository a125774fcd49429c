package main

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	schema = "app"
	table  = schema + ".articles"

	// sourcePassword is of the role that setup.sql makes for the source. It opens a demonstration on the loopback address, nothing else.
	sourcePassword = "rowvec-demo" //nolint:gosec // see above
)

const createTable = `CREATE SCHEMA IF NOT EXISTS ` + schema + `;
CREATE TABLE IF NOT EXISTS ` + table + ` (
  id         bigint PRIMARY KEY,
  title      text NOT NULL,
  body       text NOT NULL,
  price      numeric(10,2) NOT NULL,
  tags       text[] NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
)`

const insertRow = `INSERT INTO ` + table + ` (id, title, body, price, tags) VALUES ($1, $2, $3, $4::text::numeric, $5)`

// putRow sets a row back, whatever an earlier run or the user made of it. The new created_at makes it a change that can be waited for.
const putRow = insertRow + ` ON CONFLICT (id) DO UPDATE
SET title = excluded.title, body = excluded.body, price = excluded.price, tags = excluded.tags, created_at = DEFAULT`

// article is a row of the table. Price is text because a decimal is not a float: so the source sends it, and so Chroma holds it.
type article struct {
	ID      int64
	Title   string
	Body    string
	Price   string
	Tags    []string
	Created time.Time
}

// prepareTable makes the table, fills it where it is empty, and runs the README's script for the source.
func (d *demo) prepareTable(ctx context.Context) error {
	if _, err := d.db.Exec(ctx, createTable); err != nil {
		return fmt.Errorf("make table %s: %w", table, err)
	}
	var rows int
	if err := d.db.QueryRow(ctx, "SELECT count(*) FROM "+table).Scan(&rows); err != nil {
		return fmt.Errorf("count the rows of %s: %w", table, err)
	}
	if rows > 0 {
		d.screen.line("%s has %d rows from an earlier run. They are set back to the catalogue once the function is there to see it.", table, rows)
	} else {
		n, err := d.refill(ctx)
		if err != nil {
			return err
		}
		d.filled = true
		d.screen.line("%s has %d rows: id, title, body, price, tags, created_at.", table, n)
	}
	return d.runSetup(ctx)
}

// refill sets the table to the catalogue, in one transaction, and returns how many rows that is. What is too much is deleted, never truncated: the
// source passes truncates over. And the table is not emptied before it is filled: after that a Chroma 1.5.9 that goes on running may no longer
// find some of the new records, though it holds them.
func (d *demo) refill(ctx context.Context) (int, error) {
	products, err := catalogue()
	if err != nil {
		return 0, err
	}
	batch := &pgx.Batch{}
	batch.Queue("DELETE FROM "+table+" WHERE id NOT BETWEEN 1 AND $1", len(products))
	for i, p := range products {
		batch.Queue(putRow, i+1, p.title, p.body, price(p.price), p.tags)
	}
	err = pgx.BeginFunc(ctx, d.db, func(tx pgx.Tx) error { return tx.SendBatch(ctx, batch).Close() })
	if err != nil {
		return 0, fmt.Errorf("fill table %s: %w", table, err)
	}
	return len(products), nil
}

// runSetup runs connector/setup.sql as a user would. It may run as often as one likes.
func (d *demo) runSetup(ctx context.Context) error {
	psql, err := exec.LookPath("psql")
	if err != nil {
		return advise(err, "psql comes with Postgres' client programs; on Debian and Ubuntu: apt-get install postgresql-client")
	}
	options := []string{"-v", "ON_ERROR_STOP=1", "-v", "tables=" + table, "-v", "password=" + sourcePassword, "-f", "connector/setup.sql"}
	shown := `psql "$POSTGRES_URL" ` + shellLine(options...)
	printed, err := d.program(ctx, shown, psql, append([]string{d.env.PostgresURL}, options...)...)
	if err != nil {
		return fmt.Errorf("prepare the database for the source: %w", err)
	}
	d.screen.output(printed)
	d.screen.line("The source has a role that may read this table and stream its changes, and a publication to stream from.")
	return nil
}

// articles reads the table, by id as the collection has it.
func (d *demo) articles(ctx context.Context) (map[string]article, error) {
	rows, err := d.db.Query(ctx, "SELECT id, title, body, price::text, tags, created_at FROM "+table)
	if err != nil {
		return nil, fmt.Errorf("read table %s: %w", table, err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[article])
	if err != nil {
		return nil, fmt.Errorf("read table %s: %w", table, err)
	}
	byID := make(map[string]article, len(list))
	for _, a := range list {
		byID[strconv.FormatInt(a.ID, 10)] = a
	}
	return byID, nil
}

func price(euros float64) string { return strconv.FormatFloat(euros, 'f', 2, 64) }
