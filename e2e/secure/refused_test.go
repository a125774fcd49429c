//go:build e2e

package secure

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deploy/local/authority"
)

// notLetIn deploys a function that Pulsar does not let in: it says why, runs on, and comes in by itself when the files and rights that it was given have become right.
func notLetIn(t *testing.T) {
	t.Helper()
	other, err := authority.Open(filepath.Join(t.TempDir(), "other"))
	require.NoError(t, err)
	ca, token := filepath.Join(t.TempDir(), "ca.pem"), filepath.Join(t.TempDir(), "token")
	put := func(into, from string) {
		text, err := os.ReadFile(from)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(into, text, 0o600))
	}
	issued := func(a *authority.Authority, role string) string {
		path, err := a.Token(role)
		require.NoError(t, err)
		return path
	}
	put(ca, other.CertFile())
	put(token, issued(other, functionRole))
	const name = "rowvec-stranger"
	access := map[string]any{"token": map[string]any{"file": token}, "caFile": ca}
	changes := map[string]any{"name": name, "subName": name, "output": nil, "logTopic": nil, "userConfig/pulsar": access}
	file := functionYAML(t, name, changes)
	access["adminURL"], access["serviceURL"] = world.env.PulsarAdminURL, world.env.PulsarURL
	operators := functionYAML(t, "operators", changes)
	deployer(t, "functions", "create", "--function-config-file", file)
	where := "token: userConfig.pulsar.token {file: " + token + "}; trusted certificates: " + ca

	says(t, name, "cannot subscribe", "certificate signed by unknown authority", where)
	answer, err := rowvec(t, "dlq", "list", "-f", operators)
	require.Error(t, err)
	require.Contains(t, answer, "certificate signed by unknown authority")

	put(ca, world.stack.Authority.CertFile())
	says(t, name, "cannot subscribe", "Failed to authenticate", where)
	answer, err = rowvec(t, "dlq", "list", "-f", operators)
	require.Error(t, err)
	require.Contains(t, answer, "401")

	put(token, issued(world.stack.Authority, "stranger"))
	says(t, name, "cannot subscribe", "AuthorizationError", where)

	for _, table := range []string{"articles", "reviews"} {
		administer(t, http.MethodPost, "/admin/v2/persistent/public/default/store.app."+table+"/permissions/stranger", []byte(`["consume"]`))
	}
	says(t, name)
	deployer(t, "functions", "delete", "--name", name)
}
