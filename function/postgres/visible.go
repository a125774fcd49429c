package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowvec/rowvec/connector"
)

// snapshot is what a statement saw: every transaction below xmin, and those between it and xmax that were not running. The ids have 64
// bits: 32 as rows and Debezium have them, and above them how often these were used up.
type snapshot struct {
	xmin, xmax uint64
	running    []uint64
}

// parseSnapshot reads txid_current_snapshot(): "10:20:10,14".
func parseSnapshot(text string) (s snapshot, err error) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return s, fmt.Errorf("Postgres printed the snapshot %q", text) //nolint:staticcheck // a name
	}
	ids := append(parts[:2:2], strings.FieldsFunc(parts[2], func(r rune) bool { return r == ',' })...)
	for _, id := range ids {
		n, err := strconv.ParseUint(id, 10, 64)
		if err != nil {
			return s, fmt.Errorf("Postgres printed the snapshot %q", text) //nolint:staticcheck // a name
		}
		s.running = append(s.running, n)
	}
	s.xmin, s.xmax, s.running = s.running[0], s.running[1], s.running[2:]
	return s, nil
}

// whole completes an id of 32 bits: of those that it may be, the one nearest to the snapshot. No transaction that is still open is 2^31
// ids away.
func (s snapshot) whole(id uint64) uint64 {
	if id>>32 != 0 {
		return id
	}
	return s.xmax + uint64(int64(int32(uint32(id)-uint32(s.xmax)))) // wraps around
}

// sees reports whether the snapshot shows what the transaction did. On a standby only what is below xmin is certain: there Postgres
// leaves the running ones out of the list.
func (s snapshot) sees(id uint64, standby bool) bool {
	if id < s.xmin || standby {
		return id < s.xmin
	}
	return id < s.xmax && !slices.Contains(s.running, id)
}

// shown returns nil when the answer contains the change. The source may be sent a commit that other sessions do not see yet: it reads the log,
// and on a primary that waits for a synchronous standby, or on a standby that lags, sessions come later.
func (r *Reader) shown(ctx context.Context, change *connector.Change, s snapshot, standby bool) error {
	if change.TxID == 0 {
		switch {
		case standby:
			return &Error{class: classHalt, reason: ReasonStandby, text: "userConfig.postgres.url leads to a standby, and the record does not tell " +
				"its transaction: whether the standby has it cannot be known; give the primary"}
		case change.Snapshot != connector.Streamed:
			return nil // what a snapshot reads, everybody can
		}
		return &Error{class: classPoison, reason: ReasonRefused, text: "the record does not tell its transaction (source.txId): whether what is " +
			"read is older cannot be known"}
	}
	id := s.whole(change.TxID)
	if s.sees(id, standby) {
		return nil
	}
	if standby {
		return &Error{class: classRetry, reason: ReasonBehind, text: fmt.Sprintf("userConfig.postgres.url leads to a standby that may not have "+
			"transaction %d yet; if this lasts, give the primary", id)}
	}
	if id >= s.xmax {
		if known, err := r.assigned(ctx, id); err != nil || !known {
			return err
		}
	}
	return &Error{class: classRetry, reason: ReasonBehind, text: fmt.Sprintf("transaction %d, which the change is of, cannot be seen yet", id)}
}

// assigned reports whether the primary has given out the id. If not, the change is of a time that this database does not have, before it
// was restored or so long ago that ids have come round, and nothing of it is still to come.
func (r *Reader) assigned(ctx context.Context, id uint64) (bool, error) {
	var status *string
	err := r.pool.QueryRow(ctx, "SELECT txid_status($1)", strconv.FormatUint(id, 10)).Scan(&status)
	var refused *pgconn.PgError
	switch {
	case err == nil:
		return true, nil
	case ctx.Err() != nil:
		return false, ctx.Err()
	case errors.As(err, &refused) && refused.Code == "22023": // "transaction ID … is in the future"
		return false, nil
	}
	return false, classify(err)
}
