package config_test

import (
	"crypto/tls"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/config"
)

func TestCAFileIsTrustedInPlaceOfTheSystems(t *testing.T) {
	t.Parallel()
	pool, err := config.CAFile("").Pool()
	require.NoError(t, err)
	require.Nil(t, pool, "the system's")

	server := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	path := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	pool, err = config.CAFile(path).Pool()
	require.NoError(t, err)
	connection, err := (&tls.Dialer{Config: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	require.NoError(t, connection.Close())

	require.NoError(t, os.WriteFile(path, []byte("-----BEGIN PRIVATE KEY-----\n"), 0o600))
	_, err = config.CAFile(path).Pool()
	require.ErrorContains(t, err, path+": expected one or more certificates in PEM form")
	require.NotContains(t, err.Error(), "PRIVATE")
	_, err = config.CAFile(path + ".not").Pool()
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestCAFileIsForTLS(t *testing.T) {
	t.Parallel()
	settings := func(scheme string) map[string]any {
		return map[string]any{
			"embedding": map[string]any{"baseURL": scheme + "://e/v1", "model": "m", "caFile": "/e.pem"},
			"chroma":    map[string]any{"url": scheme + "://c", "caFile": "/c.pem"},
			"pulsar":    map[string]any{"caFile": "/p.pem", "serviceURL": "pulsar://p:6650", "adminURL": "http://p:8080"},
			"tables":    map[string]any{"app.t": map[string]any{"collection": "ttt", "text": "{{.x}}"}},
		}
	}
	c, err := config.Parse(settings("https"))
	require.NoError(t, err)
	require.Equal(t, []config.CAFile{"/e.pem", "/c.pem", "/p.pem"}, []config.CAFile{c.Embedding.CAFile, c.Chroma.CAFile, c.Pulsar.CAFile})
	_, err = config.Parse(settings("http"))
	require.ErrorContains(t, err, "userConfig.embedding.caFile: is for https:// addresses")
	require.ErrorContains(t, err, "userConfig.chroma.caFile: is for https:// addresses")
	require.NotContains(t, err.Error(), "pulsar", "the function's own connection may use it: the worker says its address")
}
