//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deploy/local/admin"
)

// TestRoad is the main job: snapshot, insert, update, delete and key change arrive; status, stats and metrics have the right numbers;
// the operator's CLI finds what was written.
func TestRoad(t *testing.T) {
	startSource(t)
	d := road.function
	requireEqual(t, "articles", d.collection, 2*time.Minute)
	changes := snapshotRows + d.travel(t)

	t.Run("a null column is empty text", func(t *testing.T) {
		execute(t, "INSERT INTO app.articles (id, title, body) VALUES (300, 'x', NULL)")
		requireEqual(t, "articles", d.collection, 10*time.Second)
		execute(t, "DELETE FROM app.articles WHERE id = 300")
		requireEqual(t, "articles", d.collection, 10*time.Second)
		changes += 2
	})
	t.Run("numbers", func(t *testing.T) { d.requireNumbers(t, changes) })
	t.Run("search finds the new text and not the old", func(t *testing.T) { d.requireSearch(t) })
}

// travel takes a row of the function's table through everything that a row may live through, and returns how many changes came of it.
func (d *deployment) travel(t *testing.T) (changes int64) {
	t.Helper()
	t.Run("insert", func(t *testing.T) {
		insert(t, d.table, row{ID: 100, Title: "Trail shoe", Body: "Grippy lugs for muddy descents.", Price: "89.90", Tags: []string{"shoes"}})
		requireEqual(t, d.table, d.collection, 10*time.Second)
		changes++
	})
	t.Run("update of the text", func(t *testing.T) {
		execute(t, "UPDATE app."+d.table+" SET title = 'Espresso machine', body = 'Steam wand for silky milk.' WHERE id = 100")
		requireEqual(t, d.table, d.collection, 10*time.Second)
		changes++
	})
	t.Run("update of metadata embeds nothing", func(t *testing.T) {
		before := d.metric(t, "rowvec_embed_texts_total")
		execute(t, "UPDATE app."+d.table+" SET price = 12.30, tags = '{}' WHERE id = 100")
		requireEqual(t, d.table, d.collection, 10*time.Second)
		require.InDelta(t, before, d.metric(t, "rowvec_embed_texts_total"), 0.1)
		changes++
	})
	t.Run("delete", func(t *testing.T) {
		execute(t, "DELETE FROM app."+d.table+" WHERE id = 3")
		requireEqual(t, d.table, d.collection, 10*time.Second)
		changes++
	})
	t.Run("key change", func(t *testing.T) {
		execute(t, "UPDATE app."+d.table+" SET id = 200 WHERE id = 5")
		requireEqual(t, d.table, d.collection, 10*time.Second)
		changes += 2 // Debezium sends a delete and an insert
	})
	return changes
}

// metric sums a user metric of `functions stats` over the instances.
func (d *deployment) metric(t *testing.T, name string) float64 {
	t.Helper()
	s, err := world.pulsar.FunctionStats(t.Context(), d.name)
	require.NoError(t, err)
	return s.UserMetric(name)
}

// requireNumbers asserts what pulsar-admin prints after a known number of changes, none of which failed.
func (d *deployment) requireNumbers(t *testing.T, changes int64) {
	t.Helper()
	var status admin.FunctionStatus
	require.NoError(t, json.Unmarshal([]byte(command(t, "functions", "status", "--name", d.name)), &status))
	require.Equal(t, 1, status.Running)
	s := status.Instances[0].Status
	require.True(t, s.Running)
	require.Empty(t, s.Error)
	require.Equal(t, changes, s.Received)
	require.Equal(t, changes, s.Processed)
	require.Zero(t, s.UserExceptions)
	require.WithinDuration(t, time.Now(), time.UnixMilli(s.LastInvocation), 5*time.Minute, "milliseconds")
	require.Greater(t, s.AverageLatency, 0.0)

	var stats admin.FunctionStats
	require.NoError(t, json.Unmarshal([]byte(command(t, "functions", "stats", "--name", d.name)), &stats))
	require.Equal(t, changes, stats.Received)
	require.Equal(t, changes, stats.Processed)
	require.NotNil(t, stats.Latency)
	require.InDelta(t, 1, stats.UserMetric("rowvec_records_total{outcome=metadata_only,table=app."+d.table+"}"), 0.1)
	require.InDelta(t, 1, stats.UserMetric("rowvec_state{state=running,table=app."+d.table+"}"), 0.1)
	require.InDelta(t, 0, stats.UserMetric("rowvec_in_flight_records{table=app."+d.table+"}"), 0.1)
	require.Positive(t, stats.UserMetric("rowvec_freshness_seconds_count"))
	d.requireNoDeadLetters(t)
}

func (d *deployment) requireSearch(t *testing.T) {
	t.Helper()
	type results struct {
		Results []struct {
			ID    string  `json:"id"`
			Score float64 `json:"score"`
			Text  string  `json:"text"`
		} `json:"results"`
	}
	search := func(query string) results {
		out, err := exec.CommandContext(t.Context(), filepath.Join(world.root, "bin", "rowvec"), "search", "-f", d.file, "--json", query).Output()
		require.NoError(t, err)
		var r results
		require.NoError(t, json.Unmarshal(out, &r))
		return r
	}
	r := search("coffee with milk foam at home")
	require.Equal(t, "100", r.Results[0].ID)
	require.Equal(t, "Espresso machine: Steam wand for silky milk.", r.Results[0].Text)
	for _, found := range search("Trail shoe with grippy lugs").Results {
		require.NotContains(t, found.Text, "Trail shoe")
	}
}

// TestMetricsAreScrapedThroughTheBroker asserts that Pulsar's own /metrics/ carries the function's series with its labels.
func TestMetricsAreScrapedThroughTheBroker(t *testing.T) {
	d := deploy(t, "spare", nil)
	startSource(t)
	d.subscribed(t, 1)
	insert(t, "spare", makeRow(1))
	requireEqual(t, "spare", d.collection, time.Minute)
	eventually(t, time.Minute, func(ctx context.Context) error {
		text, err := scrape(ctx)
		if err != nil {
			return err
		}
		for _, want := range []string{"pulsar_function_received_total", "rowvec_records_total", "rowvec_freshness_seconds_bucket"} {
			if v, ok := sample(text, want, `name="`+d.name+`"`, `fqfn="public/default/`+d.name+`"`); !ok {
				return fmt.Errorf("%s is not among Pulsar's metrics", want)
			} else if v < 1 && want != "rowvec_freshness_seconds_bucket" {
				return fmt.Errorf("%s is %v", want, v)
			}
		}
		return nil
	})
}
