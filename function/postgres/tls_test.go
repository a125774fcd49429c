package postgres

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"
)

// certificate makes one of 127.0.0.1 that signs itself, as edit changes it, and what goes into sslrootcert for it.
func certificate(t *testing.T, edit func(*x509.Certificate)) (*tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	edit(template)
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func asItIs(*x509.Certificate) {}

// trusting is what a URL says of TLS: the mode, and the authorities in place of the system's.
func trusting(t *testing.T, mode string, roots ...[]byte) string {
	t.Helper()
	if len(roots) == 0 {
		return "sslmode=" + mode
	}
	path := filepath.Join(t.TempDir(), "ca.pem")
	var all []byte
	for _, root := range roots {
		all = append(all, root...)
	}
	require.NoError(t, os.WriteFile(path, all, 0o600))
	return "sslmode=" + mode + "&sslrootcert=" + path
}

// secured is a reader whose URL says that of TLS.
func secured(t *testing.T, s *server, says string) *Reader {
	t.Helper()
	r, err := New(strings.Replace(s.start(t), "sslmode=disable", says, 1))
	require.NoError(t, err)
	t.Cleanup(r.Close)
	return r
}

func fetched(t *testing.T, r *Reader) error {
	t.Helper()
	_, found, err := r.Fetch(t.Context(), update(), byID(int64(7)), []string{"body"})
	require.Equal(t, err == nil, found)
	return err
}

func TestACertificateThatDoesNotPassHalts(t *testing.T) {
	t.Parallel()
	good, root := certificate(t, asItIs)
	_, other := certificate(t, asItIs)
	elsewhere, elsewheres := certificate(t, func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"db.test"} })
	old, olds := certificate(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) })
	client, clients := certificate(t, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
	for _, tc := range []struct {
		name  string
		proof *tls.Certificate
		says  string
		want  string // "": the row is read
	}{
		{"good", good, trusting(t, "verify-full", root), ""},
		{"good, by the authority alone", good, trusting(t, "verify-ca", root), ""},
		{"nothing is verified", old, trusting(t, "require"), ""},
		{"not the system's", good, trusting(t, "verify-full"), "sslrootcert=/path/ca.pem"},
		{"not the system's, by the authority alone", good, trusting(t, "verify-ca"), "sslrootcert=/path/ca.pem"},
		{"of another authority", good, trusting(t, "verify-full", other), "sslrootcert=/path/ca.pem"},
		{"of another authority, which require asks for, too", good, trusting(t, "require", other), "sslrootcert=/path/ca.pem"},
		{"of another host", elsewhere, trusting(t, "verify-full", elsewheres), "is another host's"},
		{"of another host, by the authority alone", elsewhere, trusting(t, "verify-ca", elsewheres), ""},
		{"expired", old, trusting(t, "verify-full", olds), "has expired"},
		{"expired, by the authority alone", old, trusting(t, "verify-ca", olds), "has expired"},
		{"not for servers", client, trusting(t, "verify-full", clients), "is not valid"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			err := fetched(t, secured(t, &server{columns: []string{"long text"}, proof: tc.proof}, tc.says))
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			requireFault(t, err, "halt", ReasonCertificate)
			require.ErrorContains(t, err, "postgres.url: the server's certificate")
			require.ErrorContains(t, err, tc.want)
			require.NotContains(t, err.Error(), "127.0.0.1", "no address")
		})
	}
}

func TestAVerificationThatFailsForAnotherReasonHalts(t *testing.T) {
	t.Parallel()
	err := classify(fmt.Errorf("10.1.2.3: %w", &tls.CertificateVerificationError{Err: errors.New("10.1.2.3")}))
	requireFault(t, err, "halt", ReasonCertificate)
	require.NotContains(t, err.Error(), "10.1.2.3")
}

func TestAServerWithoutTLSHaltsWhereItIsAskedFor(t *testing.T) {
	t.Parallel()
	_, root := certificate(t, asItIs)
	for _, says := range []string{trusting(t, "require"), trusting(t, "verify-ca", root), trusting(t, "verify-full")} {
		err := fetched(t, secured(t, &server{columns: []string{"long text"}}, says))
		requireFault(t, err, "halt", ReasonNoTLS)
		require.ErrorContains(t, err, "postgres.url: its sslmode asks for TLS")
		require.NotContains(t, err.Error(), "127.0.0.1")
	}
	for _, says := range []string{"sslmode=prefer", "sslmode=allow", "application_name=none"} {
		require.NoError(t, fetched(t, secured(t, &server{columns: []string{"long text"}}, says)), says)
		err := fetched(t, secured(t, &server{gone: true}, says))
		requireFault(t, err, "retry", ReasonUnreachable)
	}
}

// What goes wrong behind a connection that is as it should be is an outage, or Postgres' own word.
func TestTroubleOverTLSIsNoCertificates(t *testing.T) {
	t.Parallel()
	proof, root := certificate(t, asItIs)
	err := fetched(t, secured(t, &server{proof: proof, gone: true}, trusting(t, "verify-full", root)))
	requireFault(t, err, "retry", ReasonUnreachable)
	starting := &pgproto3.ErrorResponse{Severity: "FATAL", Code: "57P03", Message: "the database system is starting up"}
	err = fetched(t, secured(t, &server{proof: proof, login: starting}, trusting(t, "verify-full", root)))
	requireFault(t, err, "retry", ReasonUnreachable)
	refused := &pgproto3.ErrorResponse{Severity: "FATAL", Code: "28P01", Message: "no"}
	err = fetched(t, secured(t, &server{proof: proof, login: refused}, trusting(t, "verify-full", root)))
	requireFault(t, err, "halt", ReasonUnauthorized)
}

// The halt ends by itself when the server has been mended: nothing of a failed connection is kept.
func TestARenewedCertificateEndsTheHalt(t *testing.T) {
	t.Parallel()
	old, olds := certificate(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) })
	renewed, root := certificate(t, asItIs)
	s := &server{columns: []string{"long text"}}
	r := secured(t, s, trusting(t, "verify-full", olds, root))
	requireFault(t, fetched(t, r), "halt", ReasonNoTLS)
	s.show(old)
	requireFault(t, fetched(t, r), "halt", ReasonCertificate)
	s.show(renewed)
	require.NoError(t, fetched(t, r))
}

func (s *server) show(proof *tls.Certificate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.proof = proof
}

func TestAnAuthoritysFileThatIsNotThere(t *testing.T) {
	t.Parallel()
	_, err := New("postgres://reader:s3cret@host/shop?sslmode=verify-full&sslrootcert=" + filepath.Join(t.TempDir(), "none.pem"))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "sslrootcert")
	require.NotContains(t, err.Error(), "s3cret")
}
