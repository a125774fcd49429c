package postgres

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/wire"
)

// Keys are asked for as Postgres writes them, values given as the source does.
func TestKeysAndValuesChangeTheirForm(t *testing.T) {
	t.Parallel()
	s := &server{
		table: []wire.Column{
			{Name: "day", Type: "date", Modifier: -1, SQL: "date"},
			{Name: "blob", Type: "bytea", Modifier: -1, SQL: "bytea"},
			{Name: "mood", Type: "enum", Modifier: -1, SQL: "app.mood"},
			{Name: "nums", Type: "int4", Array: true, Modifier: -1, SQL: "integer[]"},
		},
		columns: []string{"2026-01-02", `\xdead`, "happy", "{1,NULL}"},
	}
	key := []connector.Column{{Name: "day", Value: int64(20455)}, {Name: "blob", Value: "3q0="}, {Name: "gone", Value: true}}
	row, found, err := open(t, s).Fetch(t.Context(), update(), key, []string{"day", "blob", "mood", "nums"})
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, []string{"2026-01-02", `\xdead`, "true"}, s.args)
	require.Equal(t, connector.Row{"day": int64(20455), "blob": "3q0=", "mood": "happy", "nums": []any{int64(1), nil}}, row)

	_, _, err = open(t, s).Fetch(t.Context(), update(), []connector.Column{{Name: "day", Value: "soon"}}, []string{"mood"})
	requireFault(t, err, "poison", ReasonRefused)
}

func TestAValueOfNoKnownFormIsRefused(t *testing.T) {
	t.Parallel()
	s := &server{table: []wire.Column{{Name: "id", Type: "int8", Modifier: -1}, {Name: "h", Type: "hstore", Modifier: -1, SQL: "hstore"}}, columns: []string{`"a"=>"1"`}}
	_, _, err := open(t, s).Fetch(t.Context(), update(), byID(int64(7)), []string{"h"})
	requireFault(t, err, "poison", ReasonForm)
	require.ErrorContains(t, err, `column "h"`)
	require.ErrorContains(t, err, "REPLICA IDENTITY FULL")
	_, _, err = open(t, s).Fetch(t.Context(), update(), byID(int64(7)), []string{"another"})
	requireFault(t, err, "poison", ReasonRefused)
}

func TestATableThatIsNotThere(t *testing.T) {
	t.Parallel()
	ask := func(r *Reader) error {
		_, _, err := r.Fetch(t.Context(), update(), byID(int64(7)), []string{"body"})
		return err
	}
	none := []wire.Column{}
	requireFault(t, ask(open(t, &server{table: none})), "halt", ReasonNotFound)

	err := ask(open(t, &server{table: none, publications: "1"}))
	requireFault(t, err, "poison", ReasonTableGone)
	require.ErrorContains(t, err, `app.odd "name"`)
	require.ErrorContains(t, err, "REPLICA IDENTITY FULL")

	s := &server{columns: []string{"text"}}
	r := open(t, s)
	require.NoError(t, ask(r))
	s.mu.Lock()
	s.table = none
	s.mu.Unlock()
	requireFault(t, ask(r), "poison", ReasonTableGone) // this is the database: the table was there
	s.mu.Lock()
	s.refuse = &pgproto3.ErrorResponse{Severity: "ERROR", Code: "42P01", Message: "no"}
	s.mu.Unlock()
	requireFault(t, ask(r), "retry", ReasonUnreachable) // it went between two statements
}

// What the driver and package net say of a connection names addresses.
func TestTroubleNamesNoAddress(t *testing.T) {
	t.Parallel()
	dialing := func(err error) error {
		return fmt.Errorf("dial: %w", &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 5432}, Err: err})
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{dialing(os.NewSyscallError("connect", syscall.ECONNREFUSED)), "connection refused"},
		{dialing(&net.DNSError{Err: "no such host", Name: "10.1.2.3"}), "its host name cannot be resolved"},
		{dialing(os.ErrDeadlineExceeded), "it takes too long"},
		{dialing(net.ErrClosed), "the connection was closed"},
		{dialing(errors.New("10.1.2.3")), "the connection failed"},
		{errors.Join(dialing(syscall.EHOSTUNREACH), errors.New("10.1.2.3")), "no route to host"},
		{fmt.Errorf("10.1.2.3: %w", errors.New("server refused TLS connection")), "server refused TLS connection"},
	} {
		require.Equal(t, c.want, trouble(c.err))
	}
}
