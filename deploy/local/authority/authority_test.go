package authority_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deploy/local/authority"
)

func open(t *testing.T, dir string) *authority.Authority {
	t.Helper()
	a, err := authority.Open(dir)
	require.NoError(t, err)
	return a
}

// ask reaches a server with the certificate of one authority, trusting another.
func ask(t *testing.T, signed, trusted *authority.Authority, host string) error {
	t.Helper()
	cert, key, err := signed.Certificate("server")
	require.NoError(t, err)
	pair, err := tls.LoadX509KeyPair(cert, key)
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	defer server.Close()
	ca, err := os.ReadFile(trusted.CertFile())
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(ca))
	c, err := (&tls.Dialer{Config: &tls.Config{RootCAs: roots, ServerName: host, MinVersion: tls.VersionTLS12}}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err == nil {
		require.NoError(t, c.Close())
	}
	return err
}

func TestCertificatesAreForThisMachineAndItsClients(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a")
	a, other := open(t, dir), open(t, t.TempDir())
	require.NoError(t, ask(t, a, a, "127.0.0.1"))
	require.NoError(t, ask(t, a, a, "localhost"))
	require.NoError(t, ask(t, a, open(t, dir), "127.0.0.1"), "what it made stays")
	require.Error(t, ask(t, a, a, "example.com"))
	require.ErrorAs(t, ask(t, a, other, "127.0.0.1"), new(x509.UnknownAuthorityError))
}

func TestTokensNameTheirRole(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, err := open(t, dir).Token("function")
	require.NoError(t, err)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	again, err := open(t, dir).Token("function")
	require.NoError(t, err)
	same, err := os.ReadFile(again)
	require.NoError(t, err)
	require.Equal(t, text, same)
	verify := func(a *authority.Authority) (string, error) {
		key, err := os.ReadFile(a.TokenKeyFile())
		require.NoError(t, err)
		token, err := jwt.Parse(string(text), func(*jwt.Token) (any, error) { return key, nil }, jwt.WithValidMethods([]string{"HS256"}))
		if err != nil {
			return "", err
		}
		return token.Claims.GetSubject()
	}
	role, err := verify(open(t, dir))
	require.NoError(t, err)
	require.Equal(t, "function", role)
	_, err = verify(open(t, t.TempDir()))
	require.ErrorIs(t, err, jwt.ErrTokenSignatureInvalid)
	for _, name := range []string{path, open(t, dir).TokenKeyFile(), filepath.Join(dir, "ca.key")} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
	}
}

func TestAnAuthorityThatCannotBeReadIsNotReplaced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, dir)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "ca.pem"), []byte("x"), 0o600))
	_, err := authority.Open(dir)
	require.ErrorContains(t, err, "read the authority's certificate")
	_, err = authority.Open(filepath.Join(dir, "ca.pem"))
	require.ErrorContains(t, err, "make the authority's folder")
}
