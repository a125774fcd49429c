//go:build e2e

package endurance

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/deploy/local/admin"
	"github.com/rowvec/rowvec/e2e/await"
	"github.com/rowvec/rowvec/e2e/broker"
	"github.com/rowvec/rowvec/e2e/operator"
	"github.com/rowvec/rowvec/event"
)

const (
	stackFolder = "endurance-stack"
	namespace   = "public/default"
	source      = "rowvec-endurance-source"
	instances   = 2
	concurrency = 4               // requests at a time, of each instance
	patience    = 3 * time.Minute // with what takes seconds, on a machine that does other work as well
)

// function is a deployed rowvec function with an endpoint of its own. Each of its tables has a collection.
type function struct {
	name     string
	tables   []string
	maxTexts int // in a request
	endpoint *endpoint
	file     string // its function.yaml, with Postgres, for rowvec verify
}

func makeFunctions() ([]*function, error) {
	world.outage = &function{name: "rowvec-outage", tables: []string{"outage"}, maxTexts: 16}
	world.poison = &function{name: "rowvec-poison", tables: []string{"live_good", "live_poisoned", "bulk_good", "bulk_poisoned"}, maxTexts: 64}
	world.limit = &function{name: "rowvec-limit", tables: []string{"limited"}, maxTexts: 8}
	all := []*function{world.outage, world.poison, world.limit}
	for _, f := range all {
		var err error
		if f.endpoint, err = newEndpoint(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func topic(table string) string { return namespace + "/store.app." + table }

func (f *function) letters() string { return namespace + "/" + f.name + "-dlq" }
func (f *function) events() string  { return namespace + "/" + f.name + "-events" }

// deploy makes functions and source, in the order that the README says, and waits until changes flow.
func deploy(ctx context.Context, functions []*function) error {
	var creating errgroup.Group
	var tables []string
	for _, f := range functions {
		if err := broker.Keep(ctx, world.env.PulsarURL, f.letters(), f.events()); err != nil {
			return err
		}
		tables = append(tables, f.tables...)
		creating.Go(func() error { return f.create(ctx) })
	}
	if err := creating.Wait(); err != nil {
		return err
	}
	db, err := url.Parse(world.env.PostgresURL)
	if err != nil {
		return err
	}
	file, err := write("endurance-source.yaml", connector.PostgresYAML(), map[string]any{
		"name": source, "topicName": "persistent://" + namespace + "/" + source,
		"configs/database.hostname": db.Hostname(), "configs/database.port": db.Port(),
		"configs/database.dbname": strings.TrimPrefix(db.Path, "/"), "configs/database.password": "secret",
		"configs/table.include.list": "app." + strings.Join(tables, ",app.") + ",rowvec.signal", "configs/database.history.pulsar.service.url": world.env.PulsarURL,
	})
	if err != nil {
		return err
	}
	if _, err := world.pulsar.Command(ctx, "sources", "create", "--source-config-file", file); err != nil {
		return err
	}
	return await.Until(ctx, patience, streams)
}

// create deploys the shipped deploy/function.yaml, with what is this function's own, and waits until it consumes.
func (f *function) create(ctx context.Context) error {
	shipped, err := os.ReadFile(filepath.Join(world.root, "deploy", "function.yaml"))
	if err != nil {
		return err
	}
	var inputs []string
	tables := map[string]any{}
	for _, table := range f.tables {
		inputs = append(inputs, "persistent://"+topic(table))
		tables["app."+table] = map[string]any{"collection": "endurance-" + table, "text": "{{.body}}", "metadata": []string{"body"}}
	}
	edits := map[string]any{
		"name": f.name, "subName": f.name, "go": filepath.Join(world.root, "bin", "rowvec-function"), "parallelism": instances,
		"inputs": inputs, "output": "persistent://" + f.events(),
		"userConfig/embedding/baseURL": f.endpoint.URL(), "userConfig/embedding/model": model, "userConfig/embedding/dimensions": dimensions,
		"userConfig/embedding/maxTexts": f.maxTexts, "userConfig/embedding/concurrency": concurrency,
		"userConfig/chroma/url": world.env.ChromaURL, "userConfig/tables": tables,
	}
	file, err := write(f.name+".yaml", shipped, edits)
	if err != nil {
		return err
	}
	edits["userConfig/postgres/url"] = world.env.PostgresURL
	if f.file, err = write(f.name+"-verify.yaml", shipped, edits); err != nil {
		return err
	}
	if _, err := world.pulsar.Command(ctx, "functions", "create", "--function-config-file", file); err != nil {
		return err
	}
	return await.Until(ctx, patience, func(ctx context.Context) error {
		for _, table := range f.tables {
			s, err := world.pulsar.TopicStats(ctx, topic(table))
			if err != nil {
				return err
			}
			if n := len(s.Subscriptions[f.name].Consumers); n != instances {
				return fmt.Errorf("%d instances of %s consume %s, not %d", n, f.name, topic(table), instances)
			}
		}
		return nil
	})
}

// write renders a configuration as it is shipped, with other values, into a file.
func write(name string, shipped []byte, edits map[string]any) (string, error) {
	out, err := admin.Edit(shipped, edits)
	if err != nil {
		return "", err
	}
	path := filepath.Join(world.out, name)
	return path, os.WriteFile(path, out, 0o600)
}

// streams tells whether the source reads the replication slot.
func streams(ctx context.Context) error {
	var streaming bool
	err := world.db.QueryRow(ctx, "SELECT coalesce(bool_or(active), false) FROM pg_replication_slots WHERE slot_name = 'rowvec'").Scan(&streaming)
	if err == nil && !streaming {
		err = errors.New("no source streams from its slot")
	}
	return err
}

// drained waits until a table's topic has had so many changes, and all of them are settled.
func (f *function) drained(t *testing.T, table string, changes int, within time.Duration) {
	t.Helper()
	require.NoError(t, await.Until(t.Context(), within, func(ctx context.Context) error {
		s, err := world.pulsar.TopicStats(ctx, topic(table))
		if err != nil {
			return err
		}
		if left := s.Subscriptions[f.name].Backlog; s.MessagesIn < int64(changes) || left != 0 {
			return fmt.Errorf("%s has had %d of %d changes, and %d are left", table, s.MessagesIn, changes, left)
		}
		return nil
	}))
}

// requireNoLetters requires that the function has published no dead letter.
func (f *function) requireNoLetters(t *testing.T) {
	t.Helper()
	s, err := world.pulsar.TopicStats(t.Context(), f.letters())
	require.NoError(t, err)
	require.Zero(t, s.MessagesIn, "dead letters of %s", f.name)
}

// requireEqual waits until `rowvec verify` says that index and table are equal, of all tables, and have so many rows each.
func (f *function) requireEqual(t *testing.T, rows int) {
	t.Helper()
	require.NoError(t, await.Until(t.Context(), patience, func(ctx context.Context) error {
		tables, err := operator.Verify(ctx, filepath.Join(world.root, "bin", "rowvec"), f.file)
		if err != nil {
			return err
		}
		if len(tables) != len(f.tables) {
			return fmt.Errorf("%d tables were verified, not %d", len(tables), len(f.tables))
		}
		for _, r := range tables {
			if err := operator.Equal(r); err != nil {
				return err
			}
			if r.Rows != rows {
				return fmt.Errorf("%s has %d rows, not %d", r.Table, r.Rows, rows)
			}
		}
		return nil
	}))
}

// settled reads when the function settled its records.
func (f *function) settled(t *testing.T) (times []time.Time) {
	t.Helper()
	require.NoError(t, broker.Read(t.Context(), world.env.PulsarURL, f.events(), func(m pulsar.Message) error {
		e, err := event.Parse(m.Payload())
		times = append(times, e.SettledAt)
		return err
	}))
	return times
}
