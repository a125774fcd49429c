//go:build e2e

package secure

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// administering is a line of README.md, "Security".
var administering = regexp.MustCompile(`(?m)^ {4}pulsar-admin (namespaces|topics) (create|grant-permission) (\S+)(?: --role (\S+) --actions (\S+))?$`)

// grantAsDocumented runs the lines of README.md by the admin interface, which takes milliseconds for each. So nobody has a right that is not documented.
func grantAsDocumented(t *testing.T) {
	t.Helper()
	readme, err := os.ReadFile(filepath.Join(world.root, "README.md"))
	require.NoError(t, err)
	roles := map[string]int{}
	for _, line := range administering.FindAllStringSubmatch(string(readme), -1) {
		kind, verb, target, role, actions := line[1], line[2], line[3], line[4], line[5]
		path, method, body := "/admin/v2/namespaces/"+target, http.MethodPut, []byte(nil)
		if kind == "topics" {
			path = "/admin/v2/" + strings.Replace(target, "://", "/", 1)
		}
		if verb == "grant-permission" {
			path, method = path+"/permissions/"+role, http.MethodPost
			body, err = json.Marshal(strings.Split(actions, ","))
			require.NoError(t, err)
			roles[role]++
		}
		administer(t, method, path, body)
	}
	for _, role := range []string{deployRole, functionRole, sourceRole, operatorRole} {
		require.Positive(t, roles[role], "README.md grants nothing to %s", role)
	}
}

// administer sends one order as the stack's administrator.
func administer(t *testing.T, method, path string, body []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, world.pulsar.URL+path, bytes.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	answer, err := world.pulsar.Client.Do(request)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusNoContent, answer.StatusCode, "%s %s %s", method, path, body)
}
