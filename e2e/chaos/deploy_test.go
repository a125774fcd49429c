//go:build e2e

package chaos

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/deploy/local/admin"
	"github.com/rowvec/rowvec/function/document"
)

// What there is one of.
const (
	table      = "chaos"
	collection = "chaos"
	function   = "rowvec-chaos"
	source     = "rowvec-chaos-source"
	namespace  = "public/default"
	topic      = namespace + "/store.app." + table
	letters    = namespace + "/" + function + "-dlq"
	events     = namespace + "/" + function + "-events"
	instances  = 2
)

// chunks are short, so that some rows have several.
var chunks = document.ChunkSpec{Tokens: 128, Overlap: 8}

// functionYAML renders the shipped deploy/function.yaml into a file. more comes on top.
func (w *world) functionYAML(t *testing.T, name string, more map[string]any) string {
	t.Helper()
	shipped, err := os.ReadFile(filepath.Join(w.root, "deploy", "function.yaml"))
	require.NoError(t, err)
	edits := map[string]any{
		"name": function, "subName": function, "go": filepath.Join(w.root, "bin", "rowvec-function"), "parallelism": instances,
		"inputs": []string{"persistent://" + topic}, "output": "persistent://" + events,
		"userConfig/embedding/baseURL": "http://" + w.toEndpoint.Address() + "/v1", "userConfig/embedding/model": model, "userConfig/embedding/dimensions": dimensions,
		"userConfig/chroma/url": "http://" + w.toChroma.Address(),
		"userConfig/tables": map[string]any{"app." + table: map[string]any{
			"collection": collection, "text": "{{.title}}: {{.body}}", "metadata": []string{"title", "price", "tags", "created_at"},
			"chunk": map[string]any{"tokens": chunks.Tokens, "overlap": chunks.Overlap},
		}},
	}
	maps.Copy(edits, more)
	return w.write(t, name, shipped, edits)
}

// sourceYAML renders the shipped connector/postgres.yaml into a file.
func (w *world) sourceYAML(t *testing.T) string {
	t.Helper()
	db, err := url.Parse(w.env.PostgresURL)
	require.NoError(t, err)
	return w.write(t, "chaos-source.yaml", connector.PostgresYAML(), map[string]any{
		"name": source, "topicName": "persistent://" + namespace + "/" + source,
		"configs/database.hostname": db.Hostname(), "configs/database.port": db.Port(),
		"configs/database.dbname": strings.TrimPrefix(db.Path, "/"), "configs/database.password": "secret",
		"configs/table.include.list": "app." + table + ",rowvec.signal", "configs/database.history.pulsar.service.url": w.env.PulsarURL,
	})
}

func (w *world) write(t *testing.T, name string, shipped []byte, edits map[string]any) string {
	t.Helper()
	out, err := admin.Edit(shipped, edits)
	require.NoError(t, err)
	path := filepath.Join(w.out, name)
	require.NoError(t, os.WriteFile(path, out, 0o600))
	return path
}

// deploy makes function and source, in the order that the README says, and waits until changes flow.
func (w *world) deploy(t *testing.T) (functionFile, sourceFile string) {
	t.Helper()
	functionFile, sourceFile = w.functionYAML(t, "chaos.yaml", nil), w.sourceYAML(t)
	_, err := w.pulsar.Command(t.Context(), "functions", "create", "--function-config-file", functionFile)
	require.NoError(t, err)
	require.NoError(t, until(t.Context(), 2*time.Minute, w.subscribed))
	_, err = w.pulsar.Command(t.Context(), "sources", "create", "--source-config-file", sourceFile)
	require.NoError(t, err)
	require.NoError(t, until(t.Context(), 2*time.Minute, w.streams))
	return functionFile, sourceFile
}

// subscribed tells whether all instances consume.
func (w *world) subscribed(ctx context.Context) error {
	s, err := w.pulsar.TopicStats(ctx, topic)
	if err != nil {
		return err
	}
	if n := len(s.Subscriptions[function].Consumers); n != instances {
		return fmt.Errorf("subscription %s has %d consumers, not %d", function, n, instances)
	}
	return nil
}

// streams tells whether the source reads the replication slot.
func (w *world) streams(ctx context.Context) error {
	var streaming bool
	err := w.db.QueryRow(ctx, "SELECT coalesce(bool_or(active), false) FROM pg_replication_slots WHERE slot_name = 'rowvec'").Scan(&streaming)
	if err == nil && !streaming {
		err = fmt.Errorf("no source streams from its slot")
	}
	return err
}

// complaint is what the instances say of themselves in `functions status`; a failure's report has it.
func (w *world) complaint(ctx context.Context) string {
	s, err := w.pulsar.FunctionStatus(ctx, function)
	if err != nil {
		return err.Error()
	}
	said := []string{fmt.Sprintf("%d instances run", s.Running)}
	for _, i := range s.Instances {
		if i.Status.Error != "" {
			said = append(said, fmt.Sprintf("instance %d: %s", i.ID, i.Status.Error))
		}
	}
	return strings.Join(said, "; ")
}

// well tells whether the instances run and have nothing to complain of.
func (w *world) well(ctx context.Context) error {
	if said := w.complaint(ctx); said != fmt.Sprintf("%d instances run", instances) {
		return fmt.Errorf("functions status says: %s", said)
	}
	return nil
}

// drained tells whether the function's subscription has nothing left.
func (w *world) drained(ctx context.Context) error {
	s, err := w.pulsar.TopicStats(ctx, topic)
	if err != nil {
		return err
	}
	if n := s.Subscriptions[function].Backlog; n != 0 {
		return fmt.Errorf("the backlog is %d; %s", n, w.complaint(ctx))
	}
	return nil
}
