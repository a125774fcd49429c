// Package source counts the rows of tables in Postgres, for the monitor's coverage.
package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowvec/rowvec/function/postgres"
)

// exactBelow is how many rows the planner may expect for a table to be counted row by row: a million take about a tenth of a second of
// one core when they are cached. Above it the planner's own figure is taken, which autovacuum keeps within a few per cent.
const exactBelow = 2_000_000

// Postgres counts. It connects when it is first asked, again and again if need be, with connections that only read: one to
// count with, and one that tells whether anybody is there meanwhile.
type Postgres struct{ pool *pgxpool.Pool }

// New reads the address; nothing is reached yet. Its errors never show the URL, which holds a password.
func New(url string) (*Postgres, error) {
	c, err := postgres.ParseURL(url)
	if err != nil {
		return nil, fmt.Errorf("userConfig.postgres.url: %w", err)
	}
	c.MinConns, c.MaxConns, c.MaxConnIdleTime = 0, 2, time.Minute
	c.ConnConfig.ConnectTimeout = 5 * time.Second
	c.ConnConfig.RuntimeParams["application_name"] = "rowvec serve"
	c.ConnConfig.RuntimeParams["default_transaction_read_only"] = "on"
	pool, err := pgxpool.NewWithConfig(context.Background(), c)
	if err != nil {
		return nil, fmt.Errorf("userConfig.postgres.url: %w", err)
	}
	return &Postgres{pool: pool}, nil
}

// Close ends the connection.
func (p *Postgres) Close() { p.pool.Close() }

// Ping tells whether it answers. It does not wait for a count.
func (p *Postgres) Ping(ctx context.Context) error {
	if err := p.pool.Ping(ctx); err != nil {
		return fmt.Errorf("ping Postgres: %w", err)
	}
	return nil
}

// Rows returns how many rows a table has, given as schema.table: exactly up to about exactBelow, else as the planner expects.
func (p *Postgres) Rows(ctx context.Context, table string) (int64, error) {
	schema, name, _ := strings.Cut(table, ".")
	quoted := pgx.Identifier{schema, name}.Sanitize()
	expected, err := p.expected(ctx, quoted)
	if err != nil {
		return 0, fmt.Errorf("count the rows of %s: %w", table, err)
	}
	if expected >= exactBelow {
		return expected, nil
	}
	var rows int64
	if err := p.pool.QueryRow(ctx, `SELECT count(*) FROM `+quoted).Scan(&rows); err != nil {
		return 0, fmt.Errorf("count the rows of %s: %w", table, err)
	}
	return rows, nil
}

// expected is what the planner expects of reading all rows, which it does not do for that. It adds up the partitions of a table, whose own
// entry in pg_class says -1 or 0, and goes by the size of the files where a table, or a part of it, was never analyzed.
func (p *Postgres) expected(ctx context.Context, quoted string) (int64, error) {
	var text []byte
	if err := p.pool.QueryRow(ctx, `EXPLAIN (FORMAT JSON) SELECT 1 FROM `+quoted).Scan(&text); err != nil {
		return 0, err //nolint:wrapcheck // by the caller
	}
	var plans []struct {
		Plan struct {
			Rows *float64 `json:"Plan Rows"`
		} `json:"Plan"`
	}
	if err := json.Unmarshal(text, &plans); err != nil {
		return 0, fmt.Errorf("read the plan: %w", err)
	}
	if len(plans) != 1 || plans[0].Plan.Rows == nil {
		return 0, errors.New("the plan does not tell how many rows to expect")
	}
	return int64(*plans[0].Plan.Rows), nil
}
