package instance

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAccessOfItsOwn(t *testing.T) {
	t.Parallel()
	conf := &Conf{
		ServiceURL: "pulsar+ssl://user:pw@b:6651", AuthPlugin: javaAuthPackage + "AuthenticationSasl", authParameters: "token:worker",
		TLSTrustCertsFile: "/worker.pem", TLSAllowInsecure: true,
	}
	_, err := Access{}.options(conf)
	require.ErrorContains(t, err, "a Go function cannot use this plugin")

	asked := 0
	own := Access{TokenFrom: "userConfig.pulsar.token {file: /t}", TrustCertsFile: "/own.pem", Token: func() (string, error) {
		if asked++; asked > 1 {
			return "", errors.New("gone")
		}
		return "own", nil
	}}
	options, err := own.options(conf)
	require.NoError(t, err, "the worker's plugin does not matter")
	require.Equal(t, "/own.pem", options.TLSTrustCertsFilePath)
	require.False(t, options.TLSAllowInsecureConnection, "who names authorities wants them asked")
	provider, ok := options.Authentication.(interface{ GetData() ([]byte, error) })
	require.True(t, ok)
	data, err := provider.GetData()
	require.NoError(t, err)
	require.Equal(t, "own", string(data))
	_, err = provider.GetData()
	require.ErrorContains(t, err, "gone", "it is asked each time: tokens rotate")
	require.Equal(t, javaAuthPackage+"AuthenticationSasl", conf.AuthPlugin)
	require.Equal(t, "pulsar+ssl://xxxxx@b:6651 (token: userConfig.pulsar.token {file: /t}; trusted certificates: /own.pem)", own.server(conf))
	require.Equal(t, "pulsar+ssl://xxxxx@b:6651 (authentication: the functions worker's AuthenticationSasl; trusted certificates: /worker.pem)", Access{}.server(conf))
	require.Equal(t, "pulsar://b", Access{}.server(&Conf{ServiceURL: "pulsar://b"}))
}

func TestWithoutAccessOfItsOwnTheWorkersWayIsTaken(t *testing.T) {
	t.Parallel()
	options, err := Access{}.options(&Conf{
		ServiceURL: "pulsar+ssl://b", AuthPlugin: javaAuthPackage + "AuthenticationToken", authParameters: "token:worker",
		TLSTrustCertsFile: "/worker.pem", TLSAllowInsecure: true,
	})
	require.NoError(t, err)
	require.Equal(t, "/worker.pem", options.TLSTrustCertsFilePath)
	require.True(t, options.TLSAllowInsecureConnection)
	data, err := options.Authentication.(interface{ GetData() ([]byte, error) }).GetData()
	require.NoError(t, err)
	require.Equal(t, "worker", string(data))
}
