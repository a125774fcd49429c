package embed_test

import (
	"crypto/x509"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/embed"
	"github.com/rowvec/rowvec/embed/embedtest"
)

// An endpoint whose certificate nobody vouches for gets no text and no key, and says which setting to look at.
func TestCertificateOfAnAuthorityOfOnesOwn(t *testing.T) {
	t.Parallel()
	server := embedtest.New(embedtest.Options{APIKey: "sk-secret"})
	t.Cleanup(server.Close)
	behind, err := url.Parse(server.URL())
	require.NoError(t, err)
	behind.Path = ""
	front := httptest.NewTLSServer(httputil.NewSingleHostReverseProxy(behind))
	t.Cleanup(front.Close)
	roots := x509.NewCertPool()
	roots.AddCert(front.Certificate())

	trusting := newClient(t, func(c *embed.Config) { c.BaseURL, c.APIKey, c.RootCAs = front.URL+"/v1", "sk-secret", roots })
	t.Cleanup(trusting.Close)
	vectors, err := trusting.Embed(t.Context(), []string{"a"})
	require.NoError(t, err)
	require.Len(t, vectors, 1)

	for why, change := range map[string]func(c *embed.Config){
		"certificate signed by unknown authority": func(c *embed.Config) { c.BaseURL = front.URL + "/v1" },
		"not localhost": func(c *embed.Config) {
			c.BaseURL, c.RootCAs = strings.Replace(front.URL, "127.0.0.1", "localhost", 1)+"/v1", roots
		},
	} {
		_, err := newClient(t, func(c *embed.Config) { c.APIKey = "sk-secret"; change(c) }).Embed(t.Context(), []string{"a"})
		require.ErrorContains(t, err, why)
		require.ErrorContains(t, err, "embedding.caFile")
		require.Equal(t, []string{embed.ClassHalt, embed.ReasonCertificate}, []string{failure(t, err).Class(), failure(t, err).Reason()})
	}
	require.Equal(t, 1, server.Stats().Requests)
}
