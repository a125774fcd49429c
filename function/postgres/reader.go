package postgres

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/credential"
	"github.com/rowvec/rowvec/function/wire"
)

// Bounds of what a reader asks of the database, which has other work.
const (
	connections      = 4 // as many rows as a table reads at a time
	idleTime         = 5 * time.Minute
	connectTimeout   = 10 * time.Second
	statementTimeout = "10s"
	// fetchTimeout bounds one Fetch on our side: the server's own limit is kept by nobody when the network is gone.
	fetchTimeout = 25 * time.Second
)

// session is what each connection begins with.
const session = wire.Session + "SET statement_timeout = '" + statementTimeout + "'; SET application_name = 'rowvec'"

// Reader is the source's database. It is safe for concurrent use. Close it.
type Reader struct {
	pool  *pgxpool.Pool
	url   *credential.Credential
	to    atomic.Pointer[pgx.ConnConfig] // where url says: new connections
	at    atomic.Pointer[pgx.ConnConfig] // the same, once no connection leads elsewhere
	known atomic.Pointer[pgx.ConnConfig] // where a table of the source was found
	limit time.Duration                  // of a Fetch
}

// New returns a reader of the database of a postgres:// URL. It connects when something is first read. Its error never shows the URL,
// which may hold a password.
func New(url string) (*Reader, error) { return Open(url, nil) }

// Open is New with a source that is asked for the URL before each Fetch; nil: it stays the same. Where it gives another URL all
// connections are made anew; where it fails, or gives what is no URL, the last good one is used, and a refusal says so. Its own errors must
// not cite the URL.
func Open(url string, source func() (string, error)) (*Reader, error) {
	cfg, err := ParseURL(url)
	if err != nil {
		return nil, err
	}
	r := &Reader{limit: fetchTimeout}
	r.to.Store(prepare(cfg.ConnConfig))
	r.at.Store(r.to.Load())
	r.url = credential.New(url, source, r.move)
	cfg.MaxConns, cfg.MinConns, cfg.MaxConnIdleTime = connections, 0, idleTime
	cfg.BeforeConnect = func(_ context.Context, c *pgx.ConnConfig) error {
		*c = *r.to.Load().Copy()
		return nil
	}
	cfg.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		ctx, cancel := context.WithTimeout(ctx, connectTimeout) // the pool's own ends with the pool
		defer cancel()
		_, err := conn.Exec(ctx, session, pgx.QueryExecModeSimpleProtocol)
		return err
	}
	if r.pool, err = pgxpool.NewWithConfig(context.Background(), cfg); err != nil {
		return nil, fmt.Errorf("open the pool: %w", classify(err))
	}
	return r, nil
}

// prepare sets what all connections have in common.
func prepare(c *pgx.ConnConfig) *pgx.ConnConfig {
	c.ConnectTimeout = connectTimeout
	requireTLS(&c.Config)
	// Describe, then execute: parameters take the types of the columns that they are compared with, and nothing is left prepared in a
	// session that a pooler may give to somebody else.
	c.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec
	return c
}

// move lets all further reads go where another URL says, by whom it says.
func (r *Reader) move(url string, _ []string) error {
	cfg, err := ParseURL(url)
	if err != nil {
		return err
	}
	to := prepare(cfg.ConnConfig)
	r.to.Store(to)
	r.pool.Reset()
	r.at.Store(to)
	return nil
}

// Close ends the connections.
func (r *Reader) Close() { r.pool.Close() }

// Fetch returns the named columns of a change's row, which has that key, as they are now: in a state that contains the change, and
// exactly as its source would have sent them (wire.Send). found is false when there is no such row. Where the database does not show the
// change yet, the error is of class retry. It makes one attempt; its errors are *Error, or the context's.
func (r *Reader) Fetch(
	ctx context.Context, change *connector.Change, key []connector.Column, columns []string,
) (row connector.Row, found bool, err error) {
	limited, cancel := context.WithTimeout(ctx, r.limit)
	defer cancel()
	_, stale := r.url.Current()
	row, found, err = r.fetch(limited, change, key, columns)
	if stale != nil {
		err = outdated(err, stale)
	}
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		err = classify(limited.Err())
	}
	return row, found, err
}

func (r *Reader) fetch(
	ctx context.Context, change *connector.Change, key []connector.Column, columns []string,
) (row connector.Row, found bool, err error) {
	at := r.at.Load() // before: other rows are read meanwhile, and one of them may move the reader
	table, err := wire.Describe(ctx, r.pool, change.Table)
	if err != nil {
		return nil, false, failed(ctx, err)
	}
	if len(table) == 0 {
		return nil, false, r.absent(ctx, change.Table, at)
	}
	r.known.Store(at)
	q, err := ask(change, key, columns, table)
	if err != nil {
		return nil, false, err
	}
	values, err := r.read(ctx, q, change)
	if values == nil || err != nil {
		return nil, false, err
	}
	row = make(connector.Row, len(columns))
	for i, name := range columns {
		at := slices.IndexFunc(table, func(c wire.Column) bool { return c.Name == name })
		if at < 0 {
			return nil, false, &Error{class: classPoison, reason: ReasonRefused, text: fmt.Sprintf("the table has no column %q", name)}
		}
		if row[name], err = wire.Send(&table[at], values[i], change); err != nil {
			return nil, false, &Error{class: classPoison, reason: ReasonForm, text: "a value read from Postgres cannot take the place of the source's", err: err}
		}
	}
	return row, true, nil
}

// absent is the error of a table that is not there: dropped or renamed, which is the trouble of its own changes, or looked for in the wrong
// database, which is that of the setting. It is the source's database if a table of the source was found there before, or if
// it publishes any. Nothing is known where the URL has changed since at was asked: which database it was, nobody can tell.
func (r *Reader) absent(ctx context.Context, table connector.Table, at *pgx.ConnConfig) error {
	if r.known.Load() != at {
		var publications string
		if err := r.pool.QueryRow(ctx, "SELECT count(*)::text FROM pg_publication").Scan(&publications); err != nil {
			return failed(ctx, err)
		}
		if publications == "0" {
			return &Error{
				class: classHalt, reason: ReasonNotFound, text: fmt.Sprintf("postgres.url: there is no table %s, and no publication: is it the source's database?", table),
			}
		}
	}
	if r.to.Load() != at {
		return &Error{class: classRetry, reason: ReasonUnreachable, text: "postgres.url was replaced during the read"}
	}
	return &Error{
		class: classPoison, reason: ReasonTableGone, text: fmt.Sprintf("the change left columns out, and postgres.url has no table %s to read them from: "+
			"if it was dropped nothing is lost; if it was renamed, configure it by its name of today, and set REPLICA IDENTITY FULL on it so that changes "+
			"leave nothing out", table),
	}
}

// read returns the row's values, nil when there is none.
func (r *Reader) read(ctx context.Context, q question, change *connector.Change) ([]wire.Value, error) {
	rows, err := r.pool.Query(ctx, q.sql, append([]any{pgx.QueryResultFormats{pgx.TextFormatCode}}, q.args...)...)
	if err != nil {
		return nil, failed(ctx, err)
	}
	defer rows.Close()
	var answer []wire.Value
	if rows.Next() {
		for _, raw := range rows.RawValues() {
			answer = append(answer, wire.Value{Text: string(raw), Null: raw == nil})
		}
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return nil, failed(ctx, err)
	}
	if len(answer) < answered {
		return nil, &Error{class: classRetry, reason: ReasonUnreachable, text: "Postgres gave no answer"}
	}
	seen, err := parseSnapshot(answer[1].Text)
	if err != nil {
		return nil, &Error{class: classRetry, reason: ReasonUnreachable, text: "Postgres' answer is not understood", err: err}
	}
	if err := r.shown(ctx, change, seen, answer[0].Text == "t"); err != nil {
		return nil, err
	}
	if answer[2].Null {
		return nil, nil
	}
	return answer[answered:], nil
}

// failed lets an error that we are the cause of through.
func failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return classify(err)
}
