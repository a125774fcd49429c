package postgres

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"
)

// errNoTLS is a server's refusal to speak TLS, for which the driver has no error that could be told from others.
var errNoTLS = errors.New("the server speaks no TLS")

// requireTLS lets a connection fail with errNoTLS where the URL asks for TLS (sslmode=require, verify-ca, verify-full) and the server has
// none. Where one without TLS would do (prefer, allow) the driver has that to fall back on.
func requireTLS(cfg *pgconn.Config) {
	plain := func(other *pgconn.FallbackConfig) bool { return other.TLSConfig == nil }
	if cfg.TLSConfig == nil || slices.ContainsFunc(cfg.Fallbacks, plain) {
		return
	}
	dial := cfg.DialFunc
	cfg.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &negotiated{Conn: conn}, nil
	}
}

// negotiated is a connection of which the server's first byte answers whether it speaks TLS: 'S' or 'N', or, where TLS begins without a
// question (sslnegotiation=direct), the type of a TLS record, which is neither.
type negotiated struct {
	net.Conn
	answered bool
}

// Read fails with errNoTLS when the first byte is a no.
func (n *negotiated) Read(b []byte) (int, error) {
	got, err := n.Conn.Read(b)
	if n.answered || got == 0 {
		return got, err //nolint:wrapcheck // the connection's own
	}
	n.answered = true
	if b[0] == 'N' {
		return 0, errNoTLS
	}
	return got, err //nolint:wrapcheck // as above
}

// insecure returns the error of a connection that no waiting makes as secure as the URL wants it, nil for all others. The errors of
// verify-full come in one of package tls; verify-ca is the driver's own, and its errors come bare.
func insecure(err error) *Error {
	var (
		unverified *tls.CertificateVerificationError
		unknown    x509.UnknownAuthorityError
		rootless   x509.SystemRootsError
		named      x509.HostnameError
		invalid    x509.CertificateInvalidError
	)
	var text string
	switch {
	case errors.Is(err, errNoTLS):
		return &Error{class: classHalt, reason: ReasonNoTLS, hidden: err, text: "postgres.url: its sslmode asks for TLS, which the server does not speak: " +
			"switch it on there (ssl = on), or say sslmode=disable where the network is safe"}
	case errors.As(err, &unknown), errors.As(err, &rootless):
		text = "is of no authority that is trusted: name the PEM file with the authority's in the URL (sslrootcert=/path/ca.pem)"
	case errors.As(err, &named):
		text = "is another host's: give the name that stands in it, or say sslmode=verify-ca, which does not ask for the name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		text = "has expired, or is not valid yet: the server needs another, or one of the two clocks is wrong"
	case errors.As(err, &invalid), errors.As(err, &unverified):
		text = "is not valid: the server needs another, or sslrootcert in the URL names the wrong authority"
	default:
		return nil
	}
	return &Error{class: classHalt, reason: ReasonCertificate, hidden: err, text: "postgres.url: the server's certificate " + text}
}
