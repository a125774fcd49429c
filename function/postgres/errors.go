package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
)

// The classes of the package's errors (see Error.Class).
const (
	classRetry  = "retry"
	classPoison = "poison"
	classHalt   = "halt"
)

// The reasons of the package's errors: a closed set.
const (
	ReasonUnreachable  = "postgres_unreachable"  // retry: network, start-up, too many connections, a statement that took too long
	ReasonUnauthorized = "postgres_unauthorized" // halt: user, password, or a table that the user may not read
	ReasonCertificate  = "postgres_certificate"  // halt: of no trusted authority, another host's, or expired
	ReasonNoTLS        = "postgres_no_tls"       // halt: the URL asks for TLS, and the server has none
	ReasonNotFound     = "postgres_not_found"    // halt: no such database, or one that is not the source's
	ReasonTableGone    = "postgres_table_gone"   // poison: the table was dropped or renamed
	ReasonNoKey        = "postgres_no_key"       // halt: a table without a key
	ReasonBehind       = "postgres_behind"       // retry: what is read may be older than the change
	ReasonStandby      = "postgres_standby"      // halt: a standby, of which nothing tells whether it has the change
	ReasonForm         = "unknown_form"          // poison: how the source would have written a value is not known
	ReasonRefused      = "postgres_refused"      // poison: this row's key or columns make no question that Postgres answers
)

// Error is a read that failed. Its text holds no password, and no address but what Postgres itself says of a login that it refuses.
type Error struct {
	class, reason, text string
	err                 error // the cause, which the text ends with
	hidden              error // a cause that may name addresses
}

// Error says what failed and which setting to look at.
func (e *Error) Error() string {
	if e.err == nil {
		return e.text
	}
	return e.text + ": " + e.err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error {
	if e.err == nil {
		return e.hidden
	}
	return e.err
}

// Class is "retry", "poison" or "halt".
func (e *Error) Class() string { return e.class }

// Reason is one of the Reason constants.
func (e *Error) Reason() string { return e.reason }

// classify names an error of the driver by its SQLSTATE, and one without by what is wrong with the connection.
func classify(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || len(refused.Code) != 5 {
		if setting := insecure(err); setting != nil {
			return setting
		}
		return &Error{class: classRetry, reason: ReasonUnreachable, text: "postgres.url: Postgres does not answer: " + trouble(err), hidden: err}
	}
	switch refused.Code[:2] {
	case "28": // invalid authorization
		return &Error{class: classHalt, reason: ReasonUnauthorized, text: "postgres.url: Postgres refuses the user or the password", err: refused}
	case "3D": // no such database
		return &Error{class: classHalt, reason: ReasonNotFound, text: "postgres.url: is it the source's database?", err: refused}
	case "22": // data exception: the key's text is not of the column's type
		return &Error{class: classPoison, reason: ReasonRefused, text: "the row's key cannot be looked up", err: refused}
	}
	switch refused.Code {
	case "42501":
		return &Error{class: classHalt, reason: ReasonUnauthorized, text: "postgres.url: the user needs SELECT on the table", err: refused}
	case "42P01", "3F000": // it was there a moment ago (Reader.Fetch)
		return &Error{class: classRetry, reason: ReasonUnreachable, text: "the table went while it was read", err: refused}
	case "42703", "42883", "42804": // the table has changed since
		return &Error{class: classPoison, reason: ReasonRefused, text: "the table has no such column any more", err: refused}
	}
	return &Error{class: classRetry, reason: ReasonUnreachable, text: "Postgres cannot answer now", err: refused}
}

// outdated tells of a refusal that the URL which was refused is not what its source has now, and why that cannot be used.
func outdated(err, stale error) error {
	var refused *Error
	if !errors.As(err, &refused) || refused.reason != ReasonUnauthorized && refused.reason != ReasonNotFound {
		return err
	}
	told := *refused
	told.text += " (what the setting names now cannot be used: " + stale.Error() + ")"
	return &told
}

// trouble names what is wrong with a connection without the address that the errors of the driver and of package net repeat.
func trouble(err error) string {
	var (
		name    *net.DNSError
		number  syscall.Errno
		timeout interface{ Timeout() bool }
	)
	switch {
	case errors.As(err, &name):
		return "its host name cannot be resolved"
	case errors.As(err, &number):
		return number.Error()
	case errors.As(err, &timeout) && timeout.Timeout():
		return "it takes too long"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return "the connection was closed"
	}
	var of *net.OpError
	if errors.As(err, &of) {
		return "the connection failed"
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err.Error()
}
