package gateway_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/config"
)

// certificate makes one for 127.0.0.1, signed by itself, and writes it and its key as PEM files.
func certificate(t *testing.T) (files config.TLSFiles, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	folder := t.TempDir()
	files = config.TLSFiles{Cert: filepath.Join(folder, "c.pem"), Key: filepath.Join(folder, "k.pem")}
	require.NoError(t, os.WriteFile(files.Cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(files.Key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	signed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool = x509.NewCertPool()
	pool.AddCert(signed)
	return files, pool
}

func TestWithCertificateAndKeyItSpeaksTLSOnly(t *testing.T) {
	t.Parallel()
	files, pool := certificate(t)
	address, _, _ := serve(t, newGateway(t, filled(), func(g *config.Gateway) { g.TLS = files }))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MaxVersion: tls.VersionTLS13}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport}
	for path, want := range map[string]string{"/healthz": "ok\n", "/v1/search?table=app.articles&q=boots": `"rows":[{"id":"42"`} {
		answer, err := client.Get("https://" + address + path)
		require.NoError(t, err)
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, http.StatusOK, answer.StatusCode, path)
		require.Contains(t, string(text), want)
		require.GreaterOrEqual(t, answer.TLS.Version, uint16(tls.VersionTLS12))
	}
	plain := dial(t, address, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
	text, _ := io.ReadAll(plain)
	require.NotContains(t, string(text), "200 OK", "not without TLS")

	_, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get("https://" + address + "/healthz")
	require.ErrorContains(t, err, "certificate", "the certificate shown is the configured one")
}

func TestFilesThatAreNotThereEndTheServing(t *testing.T) {
	t.Parallel()
	files, _ := certificate(t)
	require.NoError(t, os.Remove(files.Key))
	_, _, ended := serve(t, newGateway(t, filled(), func(g *config.Gateway) { g.TLS = files }))
	select {
	case err := <-ended:
		require.ErrorIs(t, err, os.ErrNotExist)
	case <-time.After(10 * time.Second):
		require.Fail(t, "it serves without them")
	}
}
