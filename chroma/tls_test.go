package chroma_test

import (
	"crypto/x509"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/chroma/chromatest"
)

// A server whose certificate nobody vouches for gets no record and no token, and says which setting to look at.
func TestCertificateOfAnAuthorityOfOnesOwn(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	behind, err := url.Parse(server.URL)
	require.NoError(t, err)
	front := httptest.NewTLSServer(httputil.NewSingleHostReverseProxy(behind))
	t.Cleanup(front.Close)
	ensure := func(roots *x509.CertPool) error {
		client, err := chroma.New(chroma.Config{URL: front.URL, Token: "token", RootCAs: roots})
		require.NoError(t, err)
		_, err = client.Ensure(t.Context(), chroma.CollectionSpec{Name: "articles"})
		require.NoError(t, client.Close())
		return err
	}
	roots := x509.NewCertPool()
	roots.AddCert(front.Certificate())
	require.NoError(t, ensure(roots))

	failed := failureOf(t, ensure(nil), "halt", chroma.ReasonCertificate)
	require.Contains(t, failed.Error(), "certificate signed by unknown authority")
	require.Contains(t, failed.Error(), "chroma.caFile")
}
