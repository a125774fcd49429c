package verify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/postgres"
	"github.com/rowvec/rowvec/function/wire"
)

// Postgres is the database of a postgres:// URL as a Source. It only reads, in sessions that are read-only; a role with SELECT on the
// tables is enough. Close it.
type Postgres struct{ pool *pgxpool.Pool }

// connections is how many are open at most: one reads pages, one looks rows up.
const connections = 3

// session is what each connection begins with.
const session = wire.Session + "SET application_name = 'rowvec verify'"

// OpenPostgres connects. Its errors never show the URL, which holds a password.
func OpenPostgres(ctx context.Context, url string) (*Postgres, error) {
	cfg, err := postgres.ParseURL(url)
	if err != nil {
		return nil, err //nolint:wrapcheck // says it all
	}
	cfg.MaxConns = connections
	cfg.ConnConfig.ConnectTimeout = 10 * time.Second
	cfg.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, session, pgx.QueryExecModeSimpleProtocol)
		return err
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err == nil {
		err = pool.Ping(ctx)
	}
	if err != nil {
		if pool != nil {
			pool.Close()
		}
		return nil, fmt.Errorf("reach Postgres: %w", err)
	}
	return &Postgres{pool: pool}, nil
}

// Close ends the connections.
func (p *Postgres) Close() { p.pool.Close() }

// read reads rows of the table's columns, as Postgres prints them.
func read(ctx context.Context, db querier, columns int, sql string, args ...any) ([]Row, error) {
	found, err := db.Query(ctx, sql, append([]any{pgx.QueryResultFormats{pgx.TextFormatCode}}, args...)...)
	if err != nil {
		return nil, err //nolint:wrapcheck // the callers say what was read
	}
	defer found.Close()
	var rows []Row
	for found.Next() {
		row := make(Row, columns)
		for i, raw := range found.RawValues()[:columns] {
			row[i] = Value{Text: string(raw), Null: raw == nil}
		}
		rows = append(rows, row)
	}
	return rows, found.Err() //nolint:wrapcheck // as above
}

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// quoted is the table's name for SQL.
func (t *Table) quoted() string { return pgx.Identifier{t.Name.Schema, t.Name.Name}.Sanitize() }

func quote(column string) string { return pgx.Identifier{column}.Sanitize() }

// selected are the columns for SQL.
func (t *Table) selected() string {
	names := make([]string, len(t.Columns))
	for i := range t.Columns {
		names[i] = quote(t.Columns[i].Name)
	}
	return strings.Join(names, ", ")
}

// explain says what a refusal of Postgres asks for.
func (t *Table) explain(doing string, err error) error {
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "42501" { // insufficient_privilege
		return fmt.Errorf("%s %s: %w; GRANT USAGE ON SCHEMA %s and SELECT ON TABLE %s to the role of postgres.url: nothing more is needed",
			doing, t.Name, err, quote(t.Name.Schema), t.quoted())
	}
	return fmt.Errorf("%s %s: %w", doing, t.Name, err)
}

// unfit reports that a text does not fit its type (class 22, data exception).
func unfit(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && strings.HasPrefix(refused.Code, "22")
}

// fenceWait bounds how long Fence waits for older transactions.
const fenceWait = time.Minute

// ErrOpenTransactions says that a transaction that had begun to write before is still open after fenceWait.
var ErrOpenTransactions = errors.New("a transaction that began before is still open after a minute (see pg_stat_activity.xact_start and " +
	"pg_prepared_xacts); rows are not mended until it ends, because it may have changed them: end it, or mend later")

// Fence returns a version for what is read after it, so that a change made of such a row can run beside the live function:
//
//   - Every change that the read does not contain is newer, and wins whichever comes first.
//   - Every change that was delivered to the index before the call is older, and is replaced.
//   - A change in between is contained in the read but may count as newer: then it wins, with its own content, which is not older than
//     the row's state of then; the newest of such changes has the content that was read.
//
// The current log position and time are not enough for the first: a source's change carries the position at which its row was written,
// not that of its commit, and the commit's time is taken before the commit can be seen. A transaction that wrote the row before the
// position was read and commits after the row was read would be taken for older and lost. So a barrier: the clock is read, then the
// log position, then a transaction id is drawn, and then every transaction with a lower id is waited for. What a read then does not
// see has a higher id, so it began to write after the position and the time were taken: its position is higher and its commit not
// earlier. These two of a version's three clocks decide (connector.Version.Compare); the third, when the source emitted the change, is
// given the same time, and cannot outvote them: where the commit's time is the same millisecond, the position breaks the tie. The
// time is that of the server's clock, in milliseconds, as source.ts_ms is.
//
// It needs the primary: a standby gives no transaction ids.
func (p *Postgres) Fence(ctx context.Context) (connector.Version, error) {
	var v connector.Version
	var standby bool
	var millis int64
	if err := p.pool.QueryRow(ctx, `SELECT pg_is_in_recovery()`).Scan(&standby); err != nil {
		return v, fmt.Errorf("ask Postgres for its role: %w", err)
	}
	if standby {
		return v, errors.New("postgres.url leads to a standby, which cannot say which changes are still to come: to mend, give the primary")
	}
	// One statement after the other: within one, Postgres may compute them in any order.
	if err := p.pool.QueryRow(ctx, `SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint`).Scan(&millis); err != nil {
		return v, fmt.Errorf("read Postgres' clock: %w", err)
	}
	var position int64
	if err := p.pool.QueryRow(ctx, `SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint`).Scan(&position); err != nil {
		return v, fmt.Errorf("read Postgres' log position: %w", err)
	}
	var barrier string
	if err := p.pool.QueryRow(ctx, `SELECT pg_current_xact_id()::text`).Scan(&barrier); err != nil {
		return v, fmt.Errorf("draw a transaction id: %w", err)
	}
	at := time.UnixMilli(millis).UTC()
	v = connector.Version{LSN: uint64(position), CommitTime: at, Emitted: at}
	return v, p.passed(ctx, barrier)
}

// passed waits until no transaction with an id below the barrier, or the barrier's own, is open.
func (p *Postgres) passed(ctx context.Context, barrier string) error {
	deadline := time.NewTimer(fenceWait)
	defer deadline.Stop()
	pause := time.NewTicker(20 * time.Millisecond)
	defer pause.Stop()
	for {
		var done bool
		err := p.pool.QueryRow(ctx, `SELECT pg_snapshot_xmin(pg_current_snapshot()) > $1::text::xid8`, barrier).Scan(&done)
		if err != nil {
			return fmt.Errorf("wait for older transactions: %w", err)
		}
		if done {
			return nil
		}
		select {
		case <-pause.C:
		case <-deadline.C:
			return ErrOpenTransactions
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
