//go:build e2e

package e2e

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/deploy/local/admin"
)

// deployment is a function of its own for one table.
type deployment struct {
	name       string
	table      string
	source     string // first part of its topic's name; "" is the usual source's
	collection string
	file       string // its function.yaml
}

// topic is the topic of the function's table, without its domain.
func (d *deployment) topic() string {
	return "public/default/" + cmp.Or(d.source, "store") + ".app." + d.table
}

// functionYAML renders the shipped deploy/function.yaml for a table. changes come on top (paths as admin.Edit takes them).
func functionYAML(t *testing.T, d *deployment, changes map[string]any) {
	t.Helper()
	shipped, err := os.ReadFile(filepath.Join(world.root, "deploy", "function.yaml"))
	require.NoError(t, err)
	edits := map[string]any{
		"name": d.name, "subName": d.name, "go": filepath.Join(world.root, "bin", "rowvec-function"),
		"inputs": []string{"persistent://" + d.topic()}, "output": "persistent://public/default/" + d.name + "-events",
		"userConfig/embedding/baseURL": world.env.EmbeddingURL, "userConfig/embedding/model": world.env.EmbeddingModel,
		"userConfig/chroma/url": world.env.ChromaURL,
		"userConfig/tables": map[string]any{"app." + d.table: map[string]any{
			"collection": d.collection, "text": "{{.title}}: {{.body}}", "metadata": []string{"title", "price", "tags", "created_at"},
		}},
	}
	maps.Copy(edits, changes)
	out, err := admin.Edit(shipped, edits)
	require.NoError(t, err)
	d.file = filepath.Join(world.root, "e2e", "out", d.name+".yaml")
	require.NoError(t, os.WriteFile(d.file, out, 0o600))
}

// create makes a function for a table with pulsar-admin.
func create(t *testing.T, table string, changes map[string]any) *deployment {
	t.Helper()
	return createFrom(t, "", table, changes)
}

// createFrom is create for a table of another source than the usual one.
func createFrom(t *testing.T, source, table string, changes map[string]any) *deployment {
	t.Helper()
	d := &deployment{name: "rowvec-" + strings.ReplaceAll(table, "_", "-"), table: table, source: source, collection: "e2e-" + table}
	functionYAML(t, d, changes)
	command(t, "functions", "create", "--function-config-file", d.file)
	return d
}

// deploy is create; the function is deleted after the test.
func deploy(t *testing.T, table string, changes map[string]any) *deployment {
	t.Helper()
	return create(t, table, changes).temporary(t)
}

// temporary has the function deleted after the test.
func (d *deployment) temporary(t *testing.T) *deployment {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_, err := world.pulsar.Command(ctx, "functions", "delete", "--name", d.name)
		require.NoError(t, err)
	})
	return d
}

// subscribed waits until the function's subscription on its table's topic has the given number of consumers.
func (d *deployment) subscribed(t *testing.T, consumers int) {
	t.Helper()
	eventually(t, time.Minute, func(ctx context.Context) error {
		s, err := world.pulsar.TopicStats(ctx, d.topic())
		if err != nil {
			return err
		}
		if n := len(s.Subscriptions[d.name].Consumers); n != consumers {
			return fmt.Errorf("subscription %s has %d consumers, not %d", d.name, n, consumers)
		}
		return nil
	})
}

// update redeploys the function with other settings, or the same artifact again.
func (d *deployment) update(t *testing.T, changes map[string]any) {
	t.Helper()
	functionYAML(t, d, changes)
	command(t, "functions", "update", "--function-config-file", d.file)
}

// errorText is what the instances say of themselves in `functions status`.
func (d *deployment) errorText(ctx context.Context) (string, error) {
	s, err := world.pulsar.FunctionStatus(ctx, d.name)
	if err != nil {
		return "", err
	}
	var all []string
	for _, i := range s.Instances {
		all = append(all, i.Status.Error)
	}
	return strings.Join(all, "\n"), nil
}

func (d *deployment) says(t *testing.T, within time.Duration, want ...string) {
	t.Helper()
	eventually(t, within, func(ctx context.Context) error {
		text, err := d.errorText(ctx)
		if err != nil {
			return err
		}
		for _, w := range want {
			if !strings.Contains(text, w) {
				return fmt.Errorf("functions status says %q, not %q", text, w)
			}
		}
		return nil
	})
}

// isWell waits until the function runs and has nothing to complain of.
func (d *deployment) isWell(t *testing.T, within time.Duration, instances int) {
	t.Helper()
	eventually(t, within, func(ctx context.Context) error {
		s, err := world.pulsar.FunctionStatus(ctx, d.name)
		if err != nil {
			return err
		}
		if s.Running != instances {
			return fmt.Errorf("%d instances run, not %d", s.Running, instances)
		}
		if text, err := d.errorText(ctx); err != nil || strings.TrimSpace(text) != "" {
			return errors.Join(fmt.Errorf("functions status says %q", text), err)
		}
		return nil
	})
}

// deadLetters is how many messages the function's dead-letter topic has taken; 0 where there is none.
func (d *deployment) deadLetters(ctx context.Context) (int64, error) {
	s, err := world.pulsar.TopicStats(ctx, "public/default/"+d.name+"-dlq")
	var missing *admin.NotFoundError
	if errors.As(err, &missing) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return s.MessagesIn, nil
}

func (d *deployment) requireNoDeadLetters(t *testing.T) {
	t.Helper()
	n, err := d.deadLetters(t.Context())
	require.NoError(t, err)
	require.Zero(t, n, "dead letters")
}

func command(t *testing.T, args ...string) string {
	t.Helper()
	out, err := world.pulsar.Command(t.Context(), args...)
	require.NoError(t, err)
	return out
}

// snapshotRows are in app.articles before the source starts: it finds them by its snapshot.
const snapshotRows = 40

// road is the function of app.articles. It is there before the source, as the README says, because a topic without a subscription
// discards what the source's snapshot publishes.
var road struct {
	once     sync.Once
	function *deployment
}

// startSource creates the one source, from the shipped connector/postgres.yaml, and waits until it streams.
func startSource(t *testing.T) {
	t.Helper()
	road.once.Do(func() {
		for id := range int64(snapshotRows) {
			insert(t, "articles", makeRow(id))
		}
		road.function = create(t, "articles", nil)
		road.function.subscribed(t, 1)
		command(t, "sources", "create", "--source-config-file", sourceYAML(t, nil))
	})
	require.NotNil(t, road.function, "the source could not be started")
	streams(t, "rowvec")
}

// streams waits until a source reads the replication slot.
func streams(t *testing.T, slot string) {
	t.Helper()
	eventually(t, 2*time.Minute, func(ctx context.Context) error {
		var streaming bool
		err := world.db.QueryRow(ctx, "SELECT coalesce(bool_or(active), false) FROM pg_replication_slots WHERE slot_name = $1", slot).Scan(&streaming)
		if err == nil && !streaming {
			err = fmt.Errorf("no source streams from slot %s yet", slot)
		}
		return err
	})
}

// included is a source's table.include.list.
func included(tables []string) string {
	return "app." + strings.Join(tables, ",app.") + ",rowvec.signal"
}

// sourceYAML renders the shipped connector/postgres.yaml. changes come on top.
func sourceYAML(t *testing.T, changes map[string]any) string {
	t.Helper()
	db, err := url.Parse(world.env.PostgresURL)
	require.NoError(t, err)
	edits := map[string]any{
		"configs/database.hostname": db.Hostname(), "configs/database.port": db.Port(),
		"configs/database.dbname": strings.TrimPrefix(db.Path, "/"), "configs/database.password": "secret",
		"configs/table.include.list": included(tables), "configs/database.history.pulsar.service.url": world.env.PulsarURL,
	}
	maps.Copy(edits, changes)
	out, err := admin.Edit(connector.PostgresYAML(), edits)
	require.NoError(t, err)
	name, _ := edits["name"].(string)
	path := filepath.Join(world.root, "e2e", "out", "postgres"+name+".yaml")
	require.NoError(t, os.WriteFile(path, out, 0o600))
	return path
}
