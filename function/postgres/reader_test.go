package postgres

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

var articles = connector.Table{Schema: "app", Name: `odd "name"`}

// update is a change that transaction 999 made.
func update() *connector.Change {
	return &connector.Change{
		Op: connector.Update, Table: articles, TxID: 999, Writer: connector.Writer{Connector: "1.9.7.Final"},
		After: connector.Row{"id": int64(7), "body": connector.Unavailable{}},
	}
}

func byID(value any) []connector.Column { return []connector.Column{{Name: "id", Value: value}} }

func open(t *testing.T, s *server) *Reader {
	t.Helper()
	r, err := New(s.start(t))
	require.NoError(t, err)
	t.Cleanup(r.Close)
	return r
}

func TestFetch(t *testing.T) {
	t.Parallel()
	s := &server{columns: []string{"long text", "\x00"}}
	r := open(t, s)
	key := append(byID(int64(7)), connector.Column{Name: "part", Value: nil}, connector.Column{Name: "code", Value: "x'y"})
	row, found, err := r.Fetch(t.Context(), update(), key, []string{"body", "no\"te"})
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, connector.Row{"body": "long text", `no"te`: nil}, row)
	require.Equal(t, []string{"7", "x'y"}, s.args, "values travel as parameters")
	require.Contains(t, s.sql, `FROM "app"."odd ""name""" WHERE "id" = $1 AND "part" IS NULL AND "code" = $2 LIMIT 1)`)
	require.Contains(t, s.sql, `"no""te"`)
	require.Contains(t, s.session, "default_transaction_read_only = on")
	require.Contains(t, s.session, "statement_timeout = '10s'")
}

func TestFetchOfARowThatIsGone(t *testing.T) {
	t.Parallel()
	_, found, err := open(t, &server{}).Fetch(t.Context(), update(), byID(int64(8)), []string{"body"})
	require.NoError(t, err)
	require.False(t, found)
}

// fault is what the indexer reads of an error.
type fault interface {
	error
	Class() string
	Reason() string
}

func requireFault(t *testing.T, err error, class, reason string) {
	t.Helper()
	var f fault
	require.ErrorAs(t, err, &f)
	require.Equal(t, class, f.Class(), err)
	require.Equal(t, reason, f.Reason(), err)
	require.NotContains(t, err.Error(), "s3cret")
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for code, want := range map[string][2]string{
		"42501": {"halt", ReasonUnauthorized}, "42P01": {"retry", ReasonUnreachable}, "3F000": {"retry", ReasonUnreachable},
		"22P02": {"poison", ReasonRefused}, "42703": {"poison", ReasonRefused},
		"57014": {"retry", ReasonUnreachable}, "40001": {"retry", ReasonUnreachable}, "XX000": {"retry", ReasonUnreachable},
	} {
		r := open(t, &server{refuse: &pgproto3.ErrorResponse{Severity: "ERROR", Code: code, Message: "no"}})
		_, _, err := r.Fetch(t.Context(), update(), byID(int64(7)), []string{"body"})
		requireFault(t, err, want[0], want[1])
	}
	for code, want := range map[string][2]string{
		"28P01": {"halt", ReasonUnauthorized}, "3D000": {"halt", ReasonNotFound}, "57P03": {"retry", ReasonUnreachable},
		"53300": {"retry", ReasonUnreachable},
	} {
		r := open(t, &server{login: &pgproto3.ErrorResponse{Severity: "FATAL", Code: code, Message: "no"}})
		_, _, err := r.Fetch(t.Context(), update(), byID(int64(7)), []string{"body"})
		requireFault(t, err, want[0], want[1])
	}
}

func TestWhatCannotBeAsked(t *testing.T) {
	t.Parallel()
	r := open(t, &server{})
	_, _, err := r.Fetch(t.Context(), update(), nil, []string{"body"})
	requireFault(t, err, "halt", ReasonNoKey)
	_, _, err = r.Fetch(t.Context(), update(), byID([]any{"a"}), []string{"body"})
	requireFault(t, err, "poison", ReasonRefused)
}

func TestAnUnreachableServer(t *testing.T) {
	t.Parallel()
	r, err := New("postgres://reader:s3cret@127.0.0.1:1/shop")
	require.NoError(t, err, "nothing is reached yet")
	t.Cleanup(r.Close)
	_, _, err = r.Fetch(t.Context(), update(), byID(int64(7)), []string{"body"})
	requireFault(t, err, "retry", ReasonUnreachable)
	require.EqualError(t, err, "postgres.url: Postgres does not answer: connection refused", "no address")

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = r.Fetch(ended, update(), byID(int64(7)), []string{"body"})
	require.ErrorIs(t, err, context.Canceled)
	var f fault
	require.False(t, errors.As(err, &f), "ended by us: says nothing of Postgres")
}

// A server whose network is gone keeps no statement_timeout.
func TestAServerThatFallsSilentIsGivenUp(t *testing.T) {
	t.Parallel()
	r := open(t, &server{silent: true})
	r.limit = 100 * time.Millisecond
	_, _, err := r.Fetch(t.Context(), update(), byID(int64(7)), []string{"body"})
	requireFault(t, err, "retry", ReasonUnreachable)
	require.EqualError(t, err, "postgres.url: Postgres does not answer: it takes too long")
}

func TestAnAddressThatIsNone(t *testing.T) {
	t.Parallel()
	_, err := New("postgres://reader:s3cret@host:bad/shop")
	require.ErrorContains(t, err, "postgres://user:password@host:5432/database")
	require.NotContains(t, err.Error(), "s3cret")
}
