package function

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/function/instance"
)

func TestTheFunctionsOwnAccess(t *testing.T) {
	t.Parallel()
	nothing := func(string) (string, bool) { return "", false }
	own := access(config.Pulsar{AdminURL: "http://a", ServiceURL: "pulsar://b"}, nothing)
	require.Nil(t, own.Token, "the worker's way")
	require.Empty(t, own.TrustCertsFile)

	path := filepath.Join(t.TempDir(), "token")
	own = access(config.Pulsar{Token: config.Secret{File: path}, CAFile: "/ca.pem"}, nothing)
	require.Equal(t, "/ca.pem", own.TrustCertsFile)
	require.Equal(t, fmt.Sprintf("userConfig.pulsar.token {file: %s}", path), own.TokenFrom)
	_, err := own.Token()
	require.ErrorIs(t, err, os.ErrNotExist, "the connection says so, and is tried again")
	for _, token := range []string{"first", "second"} {
		require.NoError(t, os.WriteFile(path, []byte(token+"\n"), 0o600))
		got, err := own.Token()
		require.NoError(t, err)
		require.Equal(t, token, got)
	}
}

func TestAccessHoldsBesideAWrongSetting(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(path, []byte("own"), 0o600))
	compose := func(edit func(m map[string]any)) instance.Settings {
		f := &life{conf: &instance.Conf{UserConfig: valid(func(m map[string]any) {
			m["bach"] = 1
			m["subscription"] = "failover"
			m["pulsar"] = map[string]any{"token": map[string]any{"file": path}, "caFile": "/ca.pem"}
			edit(m)
		})}}
		var settings instance.Settings
		_, err := f.compose(nil, &settings)
		require.ErrorContains(t, err, "userConfig.bach: unknown setting")
		return settings
	}
	right := compose(func(map[string]any) {})
	require.Equal(t, "failover", right.SubscriptionType)
	require.Equal(t, "/ca.pem", right.Access.TrustCertsFile)
	token, err := right.Access.Token()
	require.NoError(t, err)
	require.Equal(t, "own", token)

	wrongType := compose(func(m map[string]any) { m["subscription"] = "keyshared" })
	require.Equal(t, "key_shared", wrongType.SubscriptionType)
	require.NotNil(t, wrongType.Access.Token)

	wrongToken := compose(func(m map[string]any) { m["pulsar"].(map[string]any)["token"] = 7 })
	require.Equal(t, "failover", wrongToken.SubscriptionType)
	require.Nil(t, wrongToken.Access.Token, "the worker's way")
}

// The whole function, which says whose role it tries.
func TestAWrongSettingLeavesTheFunctionItsRole(t *testing.T) {
	t.Parallel()
	s := start(t, valid(func(m map[string]any) {
		m["bach"] = 1
		m["pulsar"] = map[string]any{"token": map[string]any{"secret": "KEY"}}
	}))
	s.says(t, "userConfig.pulsar.token {secret: KEY}")
	s.says(t, "halted: userConfig.bach: unknown setting")
	require.Equal(t, exitOK, s.end())
	require.NotContains(t, s.stderr.String(), "planted-secret")
}
