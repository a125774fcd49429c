package stack

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestASecurePulsarHandsOutPathsOnly(t *testing.T) {
	t.Parallel()
	s := &Stack{opts: Options{Dir: t.TempDir()}}
	secured, err := s.secure()
	require.NoError(t, err)
	p := distribution(t)
	p.security, p.ports = secured, append(p.ports, 8081)
	require.NoError(t, p.prepare(t.Context(), false))
	conf := read(t, p.dir, "conf", "standalone.conf")
	for _, line := range []string{
		"brokerServicePort=", "brokerServicePortTls=6650", "webServicePort=8081", "webServicePortTls=8080", "authenticationEnabled=true", "authorizationEnabled=true",
		"superUserRoles=admin,broker", "brokerClientAuthenticationParameters=file://" + secured.broker, "tokenSecretKey=file://" + s.Authority.TokenKeyFile(),
	} {
		require.Equal(t, 1, strings.Count("\n"+conf, "\n"+line+"\n"), line)
	}
	worker := read(t, p.dir, "conf", "functions_worker.yml")
	for _, line := range []string{"pulsarServiceUrl: pulsar+ssl://127.0.0.1:6650", "pulsarWebServiceUrl: https://127.0.0.1:8080", "useTls: true", "superUserRoles: [admin,broker]"} {
		require.Equal(t, 1, strings.Count("\n"+worker, "\n"+line+"\n"), line)
	}
	token, err := os.ReadFile(secured.broker)
	require.NoError(t, err)
	require.NotContains(t, conf+worker, string(token))
	admin := read(t, filepath.Dir(p.dir), adminName)
	require.Contains(t, admin, `--auth-params "file://${PULSAR_TOKEN_FILE:-`+secured.admin+`}"`)
}

func TestTheAdministratorShowsHisToken(t *testing.T) {
	t.Parallel()
	s := &Stack{opts: Options{Dir: t.TempDir()}}
	secured, err := s.secure()
	require.NoError(t, err)
	token, err := os.ReadFile(secured.admin)
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+string(token) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(`{"numRunning":2}`))
	}))
	pair, err := tls.LoadX509KeyPair(secured.cert, secured.key)
	require.NoError(t, err)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	address, ok := server.Listener.Addr().(*net.TCPAddr)
	require.True(t, ok)
	port := address.Port
	s.Pulsar = &Component{service: newPulsar(place{ports: []int{1, port}}, secured)}
	found, err := s.Admin().FunctionStatus(t.Context(), "f")
	require.NoError(t, err)
	require.Equal(t, 2, found.Running)
}
