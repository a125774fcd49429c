package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

var articles = connector.Table{Schema: "app", Name: `odd "name"`}

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
	s := &server{columns: []string{"long text", "text", "\x00", "text"}}
	r := open(t, s)
	key := append(byID(int64(7)), connector.Column{Name: "part", Value: nil}, connector.Column{Name: "code", Value: "x'y"})
	row, found, err := r.Fetch(t.Context(), articles, key, []string{"body", "no\"te"})
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, connector.Row{"body": "long text", `no"te`: nil}, row)
	require.Equal(t, []string{"7", "x'y"}, s.args, "values travel as parameters")
	require.Contains(t, s.sql, `FROM "app"."odd ""name""" WHERE "id" = $1 AND "part" IS NULL AND "code" = $2 LIMIT 1`)
	require.Contains(t, s.sql, `"no""te"::text`)
	require.Contains(t, s.session, "default_transaction_read_only = on")
	require.Contains(t, s.session, "statement_timeout = '10s'")
}

func TestFetchOfARowThatIsGone(t *testing.T) {
	t.Parallel()
	_, found, err := open(t, &server{}).Fetch(t.Context(), articles, byID("x"), []string{"body"})
	require.NoError(t, err)
	require.False(t, found)
}

func TestValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, kind string
		want       any
	}{
		{"a", "text", "a"},
		{`{"a": 1}`, "jsonb", `{"a": 1}`},
		{`\xdeadbeef`, "bytea", "3q2+7w=="},
		{"7", "bigint", int64(7)},
		{"1.5", "double precision", 1.5},
		{"true", "boolean", true},
		{"12.50", "numeric", "12.50"},
		{`["a",null,"c,d"]`, "text[]", []any{"a", nil, "c,d"}},
		{"[[1,2],[3,4]]", "integer[]", []any{[]any{int64(1), int64(2)}, []any{int64(3), int64(4)}}},
		{"[1.5,123456789012345678901234567890]", "numeric[]", []any{1.5, json.Number("123456789012345678901234567890")}},
	} {
		got, err := value(&c.text, &c.kind)
		require.NoError(t, err, c.kind)
		require.Equal(t, c.want, got, c.kind)
	}
	for kind, text := range map[string]string{"bytea": `\xzz`, "bigint": "x", "real": "x", "text[]": "{a}"} {
		_, err := value(&text, &kind)
		require.Error(t, err, kind)
	}
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
		"42501": {"halt", ReasonUnauthorized}, "42P01": {"halt", ReasonNotFound}, "3F000": {"halt", ReasonNotFound},
		"22P02": {"poison", ReasonRefused}, "42703": {"poison", ReasonRefused},
		"57014": {"retry", ReasonUnreachable}, "40001": {"retry", ReasonUnreachable}, "XX000": {"retry", ReasonUnreachable},
	} {
		r := open(t, &server{refuse: &pgproto3.ErrorResponse{Severity: "ERROR", Code: code, Message: "no"}})
		_, _, err := r.Fetch(t.Context(), articles, byID(int64(7)), []string{"body"})
		requireFault(t, err, want[0], want[1])
	}
	for code, want := range map[string][2]string{
		"28P01": {"halt", ReasonUnauthorized}, "3D000": {"halt", ReasonNotFound}, "57P03": {"retry", ReasonUnreachable},
		"53300": {"retry", ReasonUnreachable},
	} {
		r := open(t, &server{login: &pgproto3.ErrorResponse{Severity: "FATAL", Code: code, Message: "no"}})
		_, _, err := r.Fetch(t.Context(), articles, byID(int64(7)), []string{"body"})
		requireFault(t, err, want[0], want[1])
	}
}

func TestWhatCannotBeAsked(t *testing.T) {
	t.Parallel()
	r := open(t, &server{})
	_, _, err := r.Fetch(t.Context(), articles, nil, []string{"body"})
	requireFault(t, err, "halt", ReasonNoKey)
	_, _, err = r.Fetch(t.Context(), articles, byID([]any{"a"}), []string{"body"})
	requireFault(t, err, "poison", ReasonRefused)
}

func TestAnUnreachableServer(t *testing.T) {
	t.Parallel()
	r, err := New("postgres://reader:s3cret@127.0.0.1:1/shop")
	require.NoError(t, err, "nothing is reached yet")
	t.Cleanup(r.Close)
	_, _, err = r.Fetch(t.Context(), articles, byID(int64(7)), []string{"body"})
	requireFault(t, err, "retry", ReasonUnreachable)

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = r.Fetch(ended, articles, byID(int64(7)), []string{"body"})
	require.ErrorIs(t, err, context.Canceled)
	var f fault
	require.False(t, errors.As(err, &f), "ended by us: says nothing of Postgres")
}

func TestAnAddressThatIsNone(t *testing.T) {
	t.Parallel()
	_, err := New("postgres://reader:s3cret@host:bad/shop")
	require.ErrorContains(t, err, "postgres://user:password@host:5432/database")
	require.NotContains(t, err.Error(), "s3cret")
}
