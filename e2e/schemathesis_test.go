//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deploy/local/install"
)

const schemathesisVersion = "4.32.5"

// requireDescribed lets schemathesis ask whatever the OpenAPI document allows, and much that it does not: no answer may be a 5xx, nor one
// that the document does not have. The event stream does not end and is left out.
func (g *gatewayProcess) requireDescribed(t *testing.T) {
	t.Helper()
	cache, err := install.NewCache("")
	require.NoError(t, err)
	environment := install.Environment{
		Name: "schemathesis-" + schemathesisVersion, Pip: []string{"schemathesis==" + schemathesisVersion}, Imports: "schemathesis",
	}
	python, err := environment.Ensure(t.Context(), cache, nil)
	require.NoError(t, err)
	c := exec.CommandContext(t.Context(), python, "-m", "schemathesis.cli", "run", g.url+"/openapi.json", "--no-color",
		"--header", "Authorization: Bearer "+allToken, "--exclude-path", "/v1/events", "--phases", "examples,coverage,fuzzing",
		"--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
		"--max-examples", "30", "--generation-deterministic", "--no-shrink", "--request-timeout", "10")
	c.Dir = t.TempDir()
	c.Env = append(os.Environ(), "PYTHONPATH=", "PYTHONHOME=")
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Regexp(t, `[1-9][0-9]{2,} passed`, string(out), "it has asked something")
	t.Logf("%s", out)
}
