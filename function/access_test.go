package function

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/config"
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
