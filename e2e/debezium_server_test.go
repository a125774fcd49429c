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
)

// TestDebeziumServer is the main job with the other source: a real Debezium Server with its Pulsar sink, from the shipped
// connector/debezium-server.properties, on a slot and a publication of its own.
func TestDebeziumServer(t *testing.T) {
	require.NoError(t, setUp(t.Context(), []string{"served"}, "publication=rowvec_served", "publish=insert, update, delete, truncate"))
	for id := range int64(snapshotRows) {
		insert(t, "served", makeRow(id))
	}
	d := createFrom(t, "served", "served", nil).temporary(t)
	d.subscribed(t, 1)
	startServer(t, "served")
	requireEqual(t, "served", d.collection, 2*time.Minute)
	d.requireNumbers(t, snapshotRows+d.travel(t))

	t.Run("a restart goes on where it was", func(t *testing.T) {
		before, err := world.pulsar.FunctionStats(t.Context(), d.name)
		require.NoError(t, err)
		require.NoError(t, world.stack.Debezium.Stop(t.Context()))
		insert(t, "served", makeRow(300))
		require.NoError(t, world.stack.Debezium.Start(t.Context()))
		requireEqual(t, "served", d.collection, time.Minute)
		after, err := world.pulsar.FunctionStats(t.Context(), d.name)
		require.NoError(t, err)
		require.Less(t, after.Received-before.Received, int64(snapshotRows), "the table is not read again")
	})
	t.Run("truncate is not taken for poison", func(t *testing.T) {
		execute(t, "TRUNCATE app.served")
		insert(t, "served", makeRow(500))
		eventually(t, 10*time.Second, holds(d.collection, "500"))
		d.isWell(t, 10*time.Second, 1)
		d.requireNoDeadLetters(t)
	})
}

// startServer runs Debezium Server for one table until the end of the test.
func startServer(t *testing.T, table string) {
	t.Helper()
	db, err := url.Parse(world.env.PostgresURL)
	require.NoError(t, err)
	settings, err := admin.EditProperties(connector.ServerProperties(), map[string]string{
		"debezium.source.database.hostname": db.Hostname(), "debezium.source.database.port": db.Port(),
		"debezium.source.database.dbname": strings.TrimPrefix(db.Path, "/"), "debezium.source.database.password": "secret",
		"debezium.source.table.include.list": included([]string{table}), "debezium.source.topic.prefix": table,
		"debezium.source.slot.name": "rowvec_" + table, "debezium.source.publication.name": "rowvec_" + table,
		"debezium.sink.pulsar.client.serviceUrl": world.env.PulsarURL,
	})
	require.NoError(t, err)
	require.NoError(t, world.stack.StartDebezium(t.Context(), settings))
	t.Cleanup(func() { require.NoError(t, world.stack.Debezium.Stop(context.Background())) })
	streams(t, "rowvec_"+table)
}
