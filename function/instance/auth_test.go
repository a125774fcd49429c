package instance

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/apache/pulsar-client-go/pulsar/auth"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

const hiddenParameter = "h1dden"

func TestAuthenticationTranslatesJavaNotations(t *testing.T) {
	t.Parallel()
	tokenPath := filepath.Join(t.TempDir(), "my token")
	require.NoError(t, os.WriteFile(tokenPath, []byte(" from-file\r\n"), 0o600))
	for _, tc := range []struct{ plugin, params, name, data string }{
		{"AuthenticationToken", "token:abc", "token", "abc"},
		{"AuthenticationToken", " abc ", "token", "abc"},
		{"AuthenticationToken", `{"token":"abc"}`, "token", "abc"},
		{"AuthenticationToken", "file://" + filepath.Dir(tokenPath) + "/my%20token", "token", "from-file"},
		{"AuthenticationToken", "file:" + filepath.Dir(tokenPath) + "/my%20token", "token", "from-file"},
		{"AuthenticationTls", "tlsCertFile:/c:1.pem,tlsKeyFile:/k.pem", "tls", ""},
		{"AuthenticationTls", `{"tlsCertFile":"/c.pem","tlsKeyFile":"/k.pem"}`, "tls", ""},
		{"AuthenticationBasic", `{"userId":"u","password":"p"}`, "basic", "u:p"},
		{"AuthenticationBasic", `{"username":"u","password":"p"}`, "basic", "u:p"},
		{"oauth2.AuthenticationOAuth2", `{"issuerUrl":"https://i","privateKey":"file:///k.json","audience":"a"}`, "token", ""},
		{"oauth2.AuthenticationOAuth2", `{"type":"client_credentials","issuerUrl":"https://i","privateKey":"data:application/json;base64,e30="}`, "token", ""},
		{"AuthenticationAthenz", `{"providerDomain":"d","privateKey":"file:///k","ztsUrl":"https://z","autoPrefetchEnabled":true}`, "athenz", ""},
	} {
		c := &Conf{AuthPlugin: "org.apache.pulsar.client.impl.auth." + tc.plugin, authParameters: tc.params}
		got, err := c.Authentication()
		require.NoError(t, err, tc.params)
		provider, ok := got.(auth.Provider)
		require.True(t, ok, tc.params)
		require.Equal(t, tc.name, provider.Name(), tc.params)
		if tc.data == "" {
			continue // made when the client connects
		}
		data, err := provider.GetData()
		require.NoError(t, err)
		require.Equal(t, tc.data, string(data), tc.params)
	}
}

func TestAuthenticationIsNilWithoutPlugin(t *testing.T) {
	t.Parallel()
	for _, plugin := range []string{"", "org.apache.pulsar.client.impl.auth.AuthenticationDisabled"} {
		got, err := (&Conf{AuthPlugin: plugin}).Authentication()
		require.NoError(t, err)
		require.Nil(t, got)
	}
}

func TestAuthenticationReadsTheTokenFileAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "token")
	got, err := (&Conf{AuthPlugin: "token", authParameters: "file://" + path}).Authentication()
	require.NoError(t, err, "a file that is not there yet is for the client to wait for")
	provider := got.(auth.Provider)
	_, err = provider.GetData()
	require.ErrorIs(t, err, os.ErrNotExist)
	for _, token := range []string{"one", "two"} {
		require.NoError(t, os.WriteFile(path, []byte(token+"\n"), 0o600))
		data, err := provider.GetData()
		require.NoError(t, err)
		require.Equal(t, token, string(data))
	}
	require.NoError(t, os.WriteFile(path, []byte(" \n"), 0o600))
	_, err = provider.GetData()
	require.ErrorContains(t, err, "is empty")
}

func TestAuthenticationRefusesClearly(t *testing.T) {
	t.Parallel()
	const java = "org.apache.pulsar.client.impl.auth."
	for _, tc := range []struct{ plugin, params, reason, want string }{
		{java + "AuthenticationKeyStoreTls", `{"keyStorePassword":"` + hiddenParameter + `"}`, "auth_unsupported", "a Go function cannot use"},
		{java + "AuthenticationSasl", hiddenParameter, "auth_unsupported", "AuthenticationSasl"},
		{"com.example.Own", hiddenParameter, "auth_unsupported", "com.example.Own"},
		{java + "AuthenticationToken", "token:", "auth_parameters", "hold no token"},
		{java + "AuthenticationToken", `{"tokens":"` + hiddenParameter + `"}`, "auth_parameters", "hold no token"},
		{java + "AuthenticationToken", `{"token":"` + hiddenParameter, "auth_parameters", "not a JSON object"},
		{java + "AuthenticationToken", `{"token":["` + hiddenParameter + `"]}`, "auth_parameters", "token is not a text"},
		{java + "AuthenticationTls", hiddenParameter, "auth_parameters", "neither JSON nor key:value"},
		{java + "AuthenticationTls", "tlsCertFile:/" + hiddenParameter, "auth_parameters", "tlsKeyFile is missing"},
		{java + "AuthenticationBasic", `{"userId":"u"}`, "auth_parameters", "password is missing"},
		{java + "AuthenticationBasic", `{"password":"` + hiddenParameter + `"}`, "auth_parameters", "userId is missing"},
		{java + "oauth2.AuthenticationOAuth2", `{"type":"` + hiddenParameter + `"}`, "auth_parameters", "type must be client_credentials"},
		{java + "oauth2.AuthenticationOAuth2", `{"issuerUrl":"https://i"}`, "auth_parameters", "privateKey is missing"},
		{java + "AuthenticationAthenz", `null`, "auth_parameters", "not a JSON object"},
		{java + "AuthenticationAthenz", `{"providerDomain":"d","privateKey":"k"}`, "auth_parameters", "ztsUrl is missing"},
	} {
		c := &Conf{ServiceURL: "pulsar://localhost:6650", AuthPlugin: tc.plugin, authParameters: tc.params}
		_, err := c.ClientOptions()
		var refused *AuthError
		require.ErrorAs(t, err, &refused, tc.params)
		require.Equal(t, tc.reason, refused.Reason())
		require.Equal(t, "halt", refused.Class())
		require.ErrorContains(t, err, tc.want)
		require.ErrorContains(t, err, tc.plugin)
		require.NotContains(t, err.Error(), hiddenParameter)
	}
}

func TestClientOptionsFollowTheURL(t *testing.T) {
	t.Parallel()
	c := &Conf{ServiceURL: "pulsar+ssl://a:6651,b:6651", TLSTrustCertsFile: "/ca.pem", TLSAllowInsecure: true, TLSVerifyHostname: true}
	options, err := c.ClientOptions()
	require.NoError(t, err)
	require.Equal(t, c.ServiceURL, options.URL)
	require.Equal(t, "/ca.pem", options.TLSTrustCertsFilePath)
	require.True(t, options.TLSAllowInsecureConnection)
	require.True(t, options.TLSValidateHostname)
	require.Nil(t, options.Authentication)

	for _, url := range []string{"kafka://x:" + hiddenParameter + "@a", "localhost:6650", ""} {
		_, err := (&Conf{ServiceURL: url}).ClientOptions()
		require.ErrorContains(t, err, "expected the scheme pulsar://")
		require.NotContains(t, err.Error(), hiddenParameter)
	}
}

func TestClientOptionsKeepTheClientOutOfTheDefaultRegistry(t *testing.T) {
	t.Parallel()
	options, err := (&Conf{ServiceURL: "pulsar://127.0.0.1:1"}).ClientOptions()
	require.NoError(t, err)
	client, err := pulsar.NewClient(options)
	require.NoError(t, err)
	defer client.Close()
	families, err := prometheus.DefaultGatherer.Gather()
	require.NoError(t, err)
	for _, family := range families {
		require.NotContains(t, family.GetName(), "pulsar_client")
	}
	families, err = options.MetricsRegisterer.(*prometheus.Registry).Gather()
	require.NoError(t, err)
	require.NotEmpty(t, families)
}
