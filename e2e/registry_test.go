//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/embed/embedtest"
	"github.com/rowvec/rowvec/function/document"
)

// holds tells whether a collection has a record.
func holds(collection, id string) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		have, err := records(ctx, collection)
		if _, ok := have[id]; err == nil && !ok {
			err = fmt.Errorf("collection %s has no record %s", collection, id)
		}
		return err
	}
}

// TestConnectorDefaultsThroughTheRegistry: a source that sends decimals as base64, dates as days and times as microseconds, as Debezium
// does by default, and a function that is told where the broker's schemas are: the index has what the columns mean.
func TestConnectorDefaultsThroughTheRegistry(t *testing.T) {
	execute(t, `ALTER TABLE app.typed ADD big numeric, ADD day date, ADD at timestamp, ADD clock time, ADD span interval, ADD days date[]`)
	require.NoError(t, setUp(t.Context(), []string{"typed"}, "publication=rowvec_typed"))
	for id := range int64(10) {
		insert(t, "typed", makeRow(id))
	}
	endpoint := embedtest.New(embedtest.Options{})
	t.Cleanup(endpoint.Close)
	endpoint.Control(embedtest.Poison(refusedText))
	d := createFrom(t, "typed", "typed", map[string]any{
		"userConfig/embedding/baseURL": endpoint.URL(), "userConfig/pulsar/adminURL": world.env.PulsarAdminURL,
		"userConfig/tables": map[string]any{"app.typed": map[string]any{
			"collection": "e2e-typed", "text": "{{.title}}: {{.body}}",
			"metadata": []string{"title", "price", "tags", "big", "day", "at", "clock", "span", "days", "extra"},
		}},
	}).temporary(t)
	d.subscribed(t, 1)
	startDefaults(t, "typed")
	requireEqual(t, "typed", d.collection, 2*time.Minute) // prices are compared as exact decimals

	execute(t, `INSERT INTO app.typed (id, title, body, price, big, day, at, clock, span, days) VALUES (100, 'Typed', 'x', -12345678.90,
		12345678901234567890.123456789, '2026-01-02', '2026-01-02 03:04:05.678901', '03:04:05.5', '1 day 2 hours', '{2026-01-02,1969-12-31}')`)
	requireEqual(t, "typed", d.collection, 10*time.Second)
	requireMetadata(t, d.collection, "100", map[string]any{
		"title": "Typed", "price": "-12345678.90", "big": "12345678901234567890.123456789", "day": "2026-01-02", "at": "2026-01-02T03:04:05.678901",
		"clock": "03:04:05.5", "span": "PT26H", "days": []string{"2026-01-02", "1969-12-31"},
	})
	// Another schema version.
	execute(t, `ALTER TABLE app.typed ADD extra numeric(6,3)`)
	execute(t, `UPDATE app.typed SET extra = 1.5, day = 'infinity' WHERE id = 100`)
	eventually(t, 10*time.Second, func(ctx context.Context) error {
		have, err := records(ctx, d.collection)
		if got := document.UserMetadata(have["100"].Metadata); err == nil && (got["extra"] != "1.500" || got["day"] != "infinity") {
			err = fmt.Errorf("metadata is %v", got)
		}
		return err
	})
	d.isWell(t, 10*time.Second, 1)
	d.requireNoDeadLetters(t)

	t.Run("verify knows the types", func(t *testing.T) { d.requireVerifiedTypes(t) })
	t.Run("a redriven letter has its types", func(t *testing.T) { d.requireTypedRedrive(t, endpoint) })
	t.Run("a wrong address halts and loses nothing", func(t *testing.T) {
		letters, err := d.deadLetters(t.Context())
		require.NoError(t, err)
		d.update(t, map[string]any{
			"userConfig/embedding/baseURL": endpoint.URL(), "userConfig/pulsar/adminURL": world.env.ChromaURL,
			"userConfig/tables": map[string]any{"app.typed": map[string]any{
				"collection": "e2e-typed", "text": "{{.title}}: {{.body}}", "metadata": []string{"title", "price", "tags"},
			}},
		})
		insert(t, "typed", makeRow(200))
		d.says(t, time.Minute, "halted", "schema version", "userConfig.pulsar.adminURL")
		d.update(t, map[string]any{
			"userConfig/embedding/baseURL": endpoint.URL(), "userConfig/pulsar/adminURL": world.env.PulsarAdminURL,
			"userConfig/tables": map[string]any{"app.typed": map[string]any{
				"collection": "e2e-typed", "text": "{{.title}}: {{.body}}", "metadata": []string{"title", "price", "tags"},
			}},
		})
		requireEqual(t, "typed", d.collection, time.Minute)
		now, err := d.deadLetters(t.Context())
		require.NoError(t, err)
		require.Equal(t, letters, now, "dead letters")
	})
}

func requireMetadata(t *testing.T, collection, id string, want map[string]any) {
	t.Helper()
	have, err := records(t.Context(), collection)
	require.NoError(t, err)
	got := document.UserMetadata(have[id].Metadata)
	for key, v := range want {
		if list, ok := v.([]string); ok {
			require.Equal(t, list, texts(got[key]), key)
			continue
		}
		require.Equal(t, v, got[key], key)
	}
}

// startDefaults creates another source inside Pulsar (functions and sources share their names), of the shipped connector/postgres.yaml without its settings for types.
func startDefaults(t *testing.T, table string) {
	t.Helper()
	command(t, "sources", "create", "--source-config-file", sourceYAML(t, map[string]any{
		"name": "source-" + table, "topicName": "persistent://public/default/source-" + table, "configs/database.server.name": table,
		"configs/table.include.list": included([]string{table}), "configs/slot.name": "rowvec_" + table,
		"configs/publication.name": "rowvec_" + table, "configs/decimal.handling.mode": nil, "configs/interval.handling.mode": nil,
	}))
	t.Cleanup(func() {
		_, err := world.pulsar.Command(context.Background(), "sources", "delete", "--name", "source-"+table)
		require.NoError(t, err)
	})
	streams(t, "rowvec_"+table)
}
