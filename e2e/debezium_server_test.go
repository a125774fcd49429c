//go:build e2e

package e2e

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/deploy/local/admin"
	"github.com/rowvec/rowvec/deploy/local/stack"
)

// TestDebeziumServer is the main job with the other source: a real Debezium Server with its Pulsar sink, from the shipped
// connector/debezium-server.properties, on a slot and a publication of its own. Two versions run side by side.
func TestDebeziumServer(t *testing.T) {
	both := []*served{newServed(t, "2", world.stack.Debezium2), newServed(t, "3", world.stack.Debezium3)}
	for _, s := range both { // one by one: what is not installed yet is fetched by Maven, which wants to be alone
		s.rows.subscribed(t, 1)
		s.keys.subscribed(t, 1)
		startServer(t, s.server, s.rows.table, s.more...)
	}
	for _, s := range both {
		t.Run(s.version, func(t *testing.T) {
			t.Parallel()
			s.arrives(t)
		})
	}
}

// served is what one version of Debezium Server feeds.
type served struct {
	version    string
	server     *stack.Component
	rows, keys *deployment
	more       []string // tables beside that of rows
}

func newServed(t *testing.T, version string, server *stack.Component) *served {
	t.Helper()
	table, more := "served"+version, keyTables(t, version)
	require.NoError(t, setUp(t.Context(), append(more, table), "publication=rowvec_"+table, "publish=insert, update, delete, truncate"))
	for id := range int64(snapshotRows) {
		insert(t, table, makeRow(id))
	}
	keys, changes := withKeys(&deployment{name: "rowvec-" + table, table: table, source: table, collection: "e2e-" + table}, version)
	return &served{version: version, server: server, more: more, rows: createFrom(t, table, table, changes).temporary(t), keys: keys}
}

// arrives takes the tables through what may happen to them and to their source.
func (s *served) arrives(t *testing.T) {
	t.Helper()
	d, table := s.rows, s.rows.table
	requireEqual(t, table, d.collection, 2*time.Minute)
	s.keys.requireKeys(t, s.version)
	d.requireNumbers(t, snapshotRows+keyRows+d.travel(t))
	t.Run("keys of all kinds", func(t *testing.T) { s.keys.requireKeyChanges(t, s.version) })

	t.Run("a restart goes on where it was", func(t *testing.T) {
		before, err := world.pulsar.FunctionStats(t.Context(), d.name)
		require.NoError(t, err)
		require.NoError(t, s.server.Stop(t.Context()))
		insert(t, table, makeRow(300))
		require.NoError(t, s.server.Start(t.Context()))
		requireEqual(t, table, d.collection, time.Minute)
		after, err := world.pulsar.FunctionStats(t.Context(), d.name)
		require.NoError(t, err)
		require.Less(t, after.Received-before.Received, int64(snapshotRows), "the table is not read again")
	})
	t.Run("verify says equal", func(t *testing.T) {
		v := newVerifying(t, d)
		for _, more := range s.more {
			execute(t, "GRANT SELECT ON app."+more+" TO verifier_"+table)
		}
		reports, err := v.all(t.Context())
		require.NoError(t, err)
		require.Len(t, reports, len(s.more)+1)
		for name, r := range reports {
			require.True(t, r.Equal, "%s: %v, for example %v", name, r.Faults, r.Examples)
		}
	})
	t.Run("truncate empties the index", func(t *testing.T) {
		execute(t, "TRUNCATE app."+table)
		insert(t, table, makeRow(500))
		eventually(t, 10*time.Second, holds(d.collection, "500"))
		requireEqual(t, table, d.collection, time.Minute) // the sweep waits 10 s before it deletes
		d.isWell(t, 10*time.Second, 1)
		d.requireNoDeadLetters(t)
	})
}

// startServer runs a Debezium Server for a table, and more, until the end of the test.
func startServer(t *testing.T, server *stack.Component, table string, more ...string) {
	t.Helper()
	db, err := url.Parse(world.env.PostgresURL)
	require.NoError(t, err)
	settings, err := admin.EditProperties(connector.ServerProperties(), map[string]string{
		"debezium.source.database.hostname": db.Hostname(), "debezium.source.database.port": db.Port(),
		"debezium.source.database.dbname": strings.TrimPrefix(db.Path, "/"), "debezium.source.database.password": "secret",
		"debezium.source.table.include.list": included(append(more, table)), "debezium.source.topic.prefix": table,
		"debezium.source.slot.name": "rowvec_" + table, "debezium.source.publication.name": "rowvec_" + table,
		"debezium.sink.pulsar.client.serviceUrl": world.env.PulsarURL,
	})
	require.NoError(t, err)
	require.NoError(t, world.stack.StartDebezium(t.Context(), server, settings))
	t.Cleanup(func() { require.NoError(t, server.Stop(context.Background())) })
	streams(t, "rowvec_"+table)
}
