//go:build e2e

package secure

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/deploy/local/admin"
	"github.com/rowvec/rowvec/e2e/await"
)

const function = "rowvec-articles"

// functionYAML renders the shipped deploy/function.yaml. changes come on top.
func functionYAML(t *testing.T, name string, changes map[string]any) string {
	t.Helper()
	shipped, err := os.ReadFile(filepath.Join(world.root, "deploy", "function.yaml"))
	require.NoError(t, err)
	reader, err := readerFile()
	require.NoError(t, err)
	ca := world.stack.Authority.CertFile()
	table := func(collection string) map[string]any {
		return map[string]any{"collection": collection, "text": "{{.title}}: {{.body}}", "metadata": []string{"title", "price"}}
	}
	edits := map[string]any{
		"name": name, "subName": name, "go": filepath.Join(world.root, "bin", "rowvec-function"),
		"inputs":   []string{"persistent://public/default/store.app.articles", "persistent://public/default/store.app.reviews"},
		"output":   "persistent://public/default/" + name + "-events",
		"logTopic": "persistent://public/default/" + name + "-log",
		"userConfig/embedding": map[string]any{
			"baseURL": world.endpoint.server.URL + "/v1", "model": "fake", "dimensions": 32, "apiKey": map[string]any{"secret": keyName}, "caFile": ca,
		},
		"userConfig/chroma":   map[string]any{"url": world.chroma.server.URL, "token": map[string]any{"secret": chromaName}, "caFile": ca},
		"userConfig/postgres": map[string]any{"url": map[string]any{"file": reader}},
		"userConfig/pulsar": map[string]any{
			"adminURL": world.env.PulsarAdminURL, "serviceURL": world.env.PulsarURL, "token": map[string]any{"secret": pulsarName}, "caFile": ca,
		},
		"userConfig/tables": map[string]any{"app.articles": table("articles"), "app.reviews": table("reviews")},
	}
	maps.Copy(edits, changes)
	return render(t, name+".yaml", shipped, edits)
}

// sourceYAML renders the shipped connector/postgres.yaml: without a password, which is in PGPASSFILE, and without an address of Pulsar, for which the source has the worker's.
func sourceYAML(t *testing.T) string {
	t.Helper()
	db, err := url.Parse(world.env.PostgresURL)
	require.NoError(t, err)
	return render(t, "source.yaml", connector.PostgresYAML(), map[string]any{
		"configs/database.hostname": db.Hostname(), "configs/database.port": db.Port(), "configs/database.dbname": strings.TrimPrefix(db.Path, "/"),
		"configs/database.password": nil, "configs/database.history.pulsar.service.url": nil,
		"configs/table.include.list": "app.articles,app.reviews,rowvec.signal",
	})
}

func render(t *testing.T, name string, document []byte, edits map[string]any) string {
	t.Helper()
	out, err := admin.Edit(document, edits)
	require.NoError(t, err)
	path := filepath.Join(world.out, name)
	require.NoError(t, os.WriteFile(path, out, 0o600))
	return path
}

// deployer runs pulsar-admin as the role that deploys.
func deployer(t *testing.T, args ...string) {
	t.Helper()
	out, err := as(t, deployRole, world.env.PulsarAdmin, args...)
	require.NoError(t, err, out)
}

// as runs a program with a role's token where pulsar-admin, and where rowvec, looks for it.
func as(t *testing.T, role, program string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	path, err := world.stack.Authority.Token(role)
	require.NoError(t, err)
	c := exec.CommandContext(ctx, program, args...)
	c.Env = append(os.Environ(), "PULSAR_TOKEN_FILE="+path, pulsarName+"="+planted["token of "+role])
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err = c.Run()
	return out.String(), err
}

// rowvec runs the CLI as the operator.
func rowvec(t *testing.T, args ...string) (string, error) {
	t.Helper()
	return as(t, operatorRole, filepath.Join(world.root, "bin", "rowvec"), args...)
}

func execute(t *testing.T, statement string, args ...any) {
	t.Helper()
	_, err := world.db.Exec(t.Context(), statement, args...)
	require.NoError(t, err, statement)
}

// insert adds rows, each with a text of its own.
func insert(t *testing.T, table string, ids ...int) {
	t.Helper()
	for _, id := range ids {
		execute(t, `INSERT INTO app.`+table+` (id, title, body, price) VALUES ($1, $2, 'What is to be said.', 9.50)`, id, table+" "+strconv.Itoa(id))
	}
}

// status is what the function says of itself.
func status(ctx context.Context, name string) (text string, restarts int64, err error) {
	s, err := world.pulsar.FunctionStatus(ctx, name)
	if err != nil {
		return "", 0, err
	}
	if len(s.Instances) != 1 || !s.Instances[0].Status.Running {
		return "", 0, fmt.Errorf("functions status: %+v", s)
	}
	return s.Instances[0].Status.Error, s.Instances[0].Status.Restarts, nil
}

// says waits until functions status has all of the words; none of them: until it has nothing to complain of.
func says(t *testing.T, name string, words ...string) {
	t.Helper()
	eventually(t, time.Minute, func(ctx context.Context) error {
		text, restarts, err := status(ctx, name)
		if err != nil {
			return err
		}
		require.Zero(t, restarts, "the worker has started it again")
		if len(words) == 0 && text != "" {
			return fmt.Errorf("functions status says %q", text)
		}
		for _, w := range words {
			if !strings.Contains(text, w) {
				return fmt.Errorf("functions status says %q, not %q", text, w)
			}
		}
		return nil
	})
}

// eventually polls until check returns nil; its last error is the failure.
func eventually(t *testing.T, within time.Duration, check func(ctx context.Context) error) {
	t.Helper()
	require.NoError(t, await.Until(t.Context(), within, check))
}
