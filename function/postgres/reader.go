package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowvec/rowvec/connector"
)

// Bounds of what a reader asks of the database, which has other work.
const (
	connections      = 2
	idleTime         = 5 * time.Minute
	connectTimeout   = 10 * time.Second
	statementTimeout = "10s"
)

// session makes values print the same whatever the database's defaults, and writing impossible.
const session = "SET default_transaction_read_only = on; SET statement_timeout = '" + statementTimeout + "'; " +
	"SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'iso_8601'; SET bytea_output = 'hex'; " +
	"SET extra_float_digits = 1; SET application_name = 'rowvec'"

// Reader is the source's database. It is safe for concurrent use. Close it.
type Reader struct{ pool *pgxpool.Pool }

// New returns a reader of the database of a postgres:// URL. It connects when something is first read. Its error never shows the URL,
// which may hold a password.
func New(url string) (*Reader, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("expected an address such as postgres://user:password@host:5432/database; what is there cannot be parsed")
	}
	cfg.MaxConns, cfg.MinConns, cfg.MaxConnIdleTime = connections, 0, idleTime
	cfg.ConnConfig.ConnectTimeout = connectTimeout
	// Describe, then execute: parameters take the types of the columns that they are compared with, and nothing is left prepared in a
	// session that a pooler may give to somebody else.
	cfg.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec
	cfg.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, session, pgx.QueryExecModeSimpleProtocol)
		return err
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), cfg)
	if err != nil {
		return nil, fmt.Errorf("open the pool: %w", classify(err))
	}
	return &Reader{pool: pool}, nil
}

// Close ends the connections.
func (r *Reader) Close() { r.pool.Close() }

// Fetch returns the named columns of the row with that key as they are now, in the forms of connector.Row; found is false when there
// is no such row. It makes one attempt; its errors are *Error, or the context's.
func (r *Reader) Fetch(
	ctx context.Context, table connector.Table, key []connector.Column, columns []string,
) (row connector.Row, found bool, err error) {
	sql, args, err := query(table, key, columns)
	if err != nil {
		return nil, false, err
	}
	texts := make([]*string, 2*len(columns))
	into := make([]any, len(texts))
	for i := range texts {
		into[i] = &texts[i]
	}
	err = r.pool.QueryRow(ctx, sql, args...).Scan(into...)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, false, nil
	case err != nil && ctx.Err() != nil:
		return nil, false, ctx.Err()
	case err != nil:
		return nil, false, classify(err)
	}
	row = make(connector.Row, len(columns))
	for i, name := range columns {
		if row[name], err = value(texts[2*i], texts[2*i+1]); err != nil {
			return nil, false, &Error{class: classPoison, reason: ReasonRefused, text: fmt.Sprintf("column %q", name), err: err}
		}
	}
	return row, true, nil
}
