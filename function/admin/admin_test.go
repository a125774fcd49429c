package admin_test

import (
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rowvec/rowvec/function/admin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve starts a server and returns a client of it.
func serve(t *testing.T, c admin.Config, handler http.HandlerFunc) *admin.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c.URL = server.URL
	client, err := admin.New(c)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	require.Equal(t, server.URL, client.Server())
	return client
}

func TestGetAsksWithTheTokenForAnEscapedPath(t *testing.T) {
	t.Parallel()
	c := serve(t, admin.Config{Token: "planted"}, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("Authorization")+" "+r.URL.EscapedPath())
	})
	answer, err := c.Get(t.Context(), "admin", "v2", "a b/c", "stats?x=1")
	require.NoError(t, err)
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, "Bearer planted /admin/v2/a%20b%2Fc/stats%3Fx=1", string(text))
}

func TestWrongURL(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "pulsar://127.0.0.1:6650", "127.0.0.1:8080", "http://", "http://user:planted@ho st"} {
		_, err := admin.New(admin.Config{URL: address})
		require.ErrorContains(t, err, "expected http://host:8080")
		require.NotContains(t, err.Error(), "planted")
	}
}

// A broker that does not own the topic sends the question on; the token goes along.
func TestRedirectKeepsTheToken(t *testing.T) {
	t.Parallel()
	owner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.Header.Get("Authorization") != "Bearer x" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(owner.Close)
	c := serve(t, admin.Config{Token: "x"}, func(w http.ResponseWriter, q *http.Request) {
		http.Redirect(w, q, "http://localhost"+owner.URL[len("http://127.0.0.1"):]+q.URL.Path, http.StatusTemporaryRedirect)
	})
	answer, err := c.Get(t.Context(), "admin")
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusOK, answer.StatusCode)
}

func TestRedirectsInACircleEnd(t *testing.T) {
	t.Parallel()
	c := serve(t, admin.Config{}, func(w http.ResponseWriter, q *http.Request) {
		http.Redirect(w, q, q.URL.Path, http.StatusTemporaryRedirect)
	})
	answer, err := c.Get(t.Context(), "admin")
	if answer != nil {
		require.NoError(t, answer.Body.Close())
	}
	require.ErrorContains(t, err, "more than 5 redirects")
}

func TestATokenNeverGoesFromHTTPSToHTTP(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.RedirectHandler("http://127.0.0.1:9/", http.StatusTemporaryRedirect))
	t.Cleanup(server.Close)
	c, err := admin.New(admin.Config{URL: server.URL, Token: "x", Transport: server.Client().Transport})
	require.NoError(t, err)
	answer, err := c.Get(t.Context(), "admin")
	if answer != nil {
		require.NoError(t, answer.Body.Close())
	}
	require.ErrorContains(t, err, "from https to http")
}

func TestAQuestionIsBoundedInTime(t *testing.T) {
	t.Parallel()
	held := make(chan struct{})
	c := serve(t, admin.Config{Timeout: 20 * time.Millisecond}, func(http.ResponseWriter, *http.Request) { <-held })
	t.Cleanup(func() { close(held) }) // before the server ends, which waits for its handlers
	answer, err := c.Get(t.Context(), "admin")
	if answer != nil {
		require.NoError(t, answer.Body.Close())
	}
	require.ErrorContains(t, err, "deadline exceeded")
}

func TestCertificateOfAnAuthorityOfOnesOwn(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	ask := func(roots *x509.CertPool) error {
		client, err := admin.New(admin.Config{URL: server.URL, RootCAs: roots})
		require.NoError(t, err)
		defer client.Close()
		answer, err := client.Get(t.Context(), "admin")
		if err == nil {
			require.NoError(t, answer.Body.Close())
		}
		return err
	}
	require.NoError(t, ask(roots))
	require.ErrorAs(t, ask(nil), new(x509.UnknownAuthorityError))
}

func TestARotatedTokenIsFound(t *testing.T) {
	t.Parallel()
	tokens := []string{"first", "second"}
	c := serve(t, admin.Config{TokenFrom: func() (string, error) {
		if len(tokens) == 0 {
			return "", io.ErrUnexpectedEOF
		}
		token := tokens[0]
		tokens = tokens[1:]
		return token, nil
	}}, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Header.Get("Authorization")) })
	for _, want := range []string{"Bearer first", "Bearer second"} {
		answer, err := c.Get(t.Context(), "admin")
		require.NoError(t, err)
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, want, string(text))
	}
	_, err := c.Get(t.Context(), "admin")
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}
