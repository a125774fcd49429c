//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/event"
	"github.com/rowvec/rowvec/gateway"
	"github.com/rowvec/rowvec/gateway/monitor"
)

const (
	gatewayTable = "app.gateway"
	gatewayRows  = 5 // before the gateway starts
	allToken     = "e2e-token-of-all-tables"
	otherToken   = "e2e-token-of-another-table"
)

// TestGateway: `rowvec serve` beside a function answers every route from the real index, shows each change within two seconds of its
// commit, tells when the function is away, and ends in order.
func TestGateway(t *testing.T) {
	d := deploy(t, "gateway", gatewaySettings(t))
	d.subscribed(t, 1)
	startSource(t)
	for id := range int64(gatewayRows) {
		insert(t, "gateway", makeRow(id))
	}
	requireEqual(t, "gateway", d.collection, time.Minute)
	g := d.serve(t)
	s := g.listen(t, allToken)

	t.Run("status", func(t *testing.T) { g.requireStatus(t, gatewayRows) })
	t.Run("changes are found and shown", func(t *testing.T) { g.requireChanges(t, s) })
	t.Run("rows and features", func(t *testing.T) { g.requireRows(t) })
	t.Run("tokens", func(t *testing.T) { g.requireTokens(t, s) })
	t.Run("the OpenAPI document", func(t *testing.T) { g.requireDescribed(t) })
	t.Run("the function goes and comes back", func(t *testing.T) { g.requireAway(t, d, s) })
	t.Run("counts follow", func(t *testing.T) { g.requireStatus(t, gatewayRows+1) })
	t.Run("a clean stop", func(t *testing.T) { g.requireCleanStop(t) })
}

// gatewaySettings are what the gateway's routes need beside the usual settings. The function reads the same file.
func gatewaySettings(t *testing.T) map[string]any {
	t.Helper()
	file := func(name, content string) map[string]any {
		path := filepath.Join(world.root, "e2e", "out", name)
		require.NoError(t, os.WriteFile(path, []byte(content+"\n"), 0o600))
		return map[string]any{"file": path}
	}
	return map[string]any{
		"userConfig/pulsar":   map[string]any{"adminURL": world.env.PulsarAdminURL, "serviceURL": world.env.PulsarURL},
		"userConfig/postgres": map[string]any{"url": file("gateway-postgres", world.env.PostgresURL)},
		"userConfig/gateway": map[string]any{"tokens": []any{
			map[string]any{"name": "all", "token": file("gateway-all", allToken)},
			map[string]any{"name": "other", "token": file("gateway-other", otherToken), "tables": []string{"app.nothing"}},
		}},
		"userConfig/tables/app.gateway/entity": "article",
		"userConfig/tables/app.nothing":        map[string]any{"collection": "e2e-gateway-nothing", "text": "{{.title}}", "entity": "nothing"},
	}
}

func (g *gatewayProcess) status(t *testing.T) (s monitor.Status) {
	t.Helper()
	g.get(t, "/v1/status", &s)
	return s
}

// requireStatus waits for the counts, which are taken every half minute.
func (g *gatewayProcess) requireStatus(t *testing.T, rows int64) {
	t.Helper()
	var s monitor.Status
	eventually(t, 40*time.Second, func(context.Context) error {
		s = g.status(t)
		table := tableStatus(s, gatewayTable)
		have := fmt.Sprint(s.State, number(table.Rows), number(table.Records), number(table.SourceRows), number(table.Backlog), number(table.Coverage), len(s.Instances), s.Sources.Events.OK)
		if want := fmt.Sprint(monitor.Running, rows, rows, rows, 0, 1, 1, true); have != want {
			return fmt.Errorf("status has %s, not %s", have, want)
		}
		return nil
	})
	require.Equal(t, monitor.FunctionName{Tenant: "public", Namespace: "default", Name: "rowvec-gateway"}, s.Function)
	require.Equal(t, "article", tableStatus(s, gatewayTable).Entity)
	require.True(t, s.Instances[0].Running)
	require.Equal(t, s.Instances[0].Received, s.Instances[0].Processed)
	require.Zero(t, *s.Instances[0].Failed)
	require.Empty(t, s.Instances[0].LastError)
	require.Zero(t, *s.DeadLetters.Waiting)
	require.True(t, s.Sources.Admin.OK && s.Sources.Chroma.OK, "%+v", s.Sources)
}

func tableStatus(s monitor.Status, table string) monitor.TableStatus {
	for _, found := range s.Tables {
		if found.Table == table {
			return found
		}
	}
	return monitor.TableStatus{}
}

func number[N any](n *N) any {
	if n == nil {
		return "unknown"
	}
	return *n
}

// requireChanges takes a row through its life. Afterwards there is one row more than before.
func (g *gatewayProcess) requireChanges(t *testing.T, s *listener) {
	t.Helper()
	insert(t, "gateway",
		row{ID: 100, Title: "Trail shoe", Body: "Grippy lugs for muddy descents.", Price: "89.90", Tags: []string{"shoes"}},
		row{ID: 101, Title: "Lamp", Body: "Lights a desk.", Price: "20.00", Tags: []string{}})
	s.requireChange(t, "100", event.Insert, event.Indexed)
	s.requireChange(t, "101", event.Insert, event.Indexed)
	var posted, got gateway.Answer
	code := g.ask(t, http.MethodPost, "/v1/search", `{"table": "app.gateway", "query": "footwear for mud", "topK": 3, "where": {"title": {"$in": ["Trail shoe", "Lamp"]}}}`, allToken, &posted)
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, []string{"100", "101"}, []string{posted.Rows[0].ID, posted.Rows[1].ID})
	require.Equal(t, "Trail shoe: Grippy lugs for muddy descents.", posted.Rows[0].Text)
	require.Greater(t, posted.Rows[0].Score, posted.Rows[1].Score)
	g.get(t, "/v1/search?table=app.gateway&topK=1&q=footwear+for+mud", &got)
	require.Equal(t, "100", got.Rows[0].ID)
	require.True(t, got.TookMs.Cached, "the query's vector is at hand")

	execute(t, "UPDATE app.gateway SET price = 12.30 WHERE id = 100")
	s.requireChange(t, "100", event.Update, event.MetadataOnly)
	execute(t, "DELETE FROM app.gateway WHERE id = 101")
	s.requireChange(t, "101", event.Delete, event.Deleted)
	eventually(t, 5*time.Second, func(context.Context) error {
		if have, want := s.outcomes(), "map[deleted:1 indexed:2 metadata_only:1]"; fmt.Sprint(have) != want {
			return fmt.Errorf("the ticks have counted %v, not %s", have, want)
		}
		return nil
	})
	require.Equal(t, http.StatusNotFound, g.ask(t, http.MethodGet, "/v1/tables/app.gateway/rows/101", "", allToken, nil), "deleted")
}

func (g *gatewayProcess) requireRows(t *testing.T) {
	t.Helper()
	var one gateway.Row
	g.get(t, "/v1/tables/app.gateway/rows/100?vector=true", &one)
	require.Equal(t, "Trail shoe: Grippy lugs for muddy descents.", one.Text)
	require.Equal(t, "12.30", one.Metadata["price"])
	require.NotEmpty(t, one.Version.LSN)
	require.Len(t, one.Chunks, 1)
	require.Len(t, one.Chunks[0].Vector, 384)
	var features gateway.Features
	g.get(t, "/v1/features/article/100", &features)
	require.Equal(t, one.Chunks[0].Vector, features.Vector)
	require.Equal(t, []any{world.env.EmbeddingModel, 384}, []any{features.Model, features.Dimensions})
	for _, path := range []string{"/v1/tables/app.gateway/rows/100/similar?topK=20", "/v1/features/article/100/similar?topK=20"} {
		var near gateway.Neighbours
		g.get(t, path, &near)
		require.Len(t, near.Rows, gatewayRows, "all others")
		for _, r := range near.Rows {
			require.NotEqual(t, "100", r.ID)
		}
	}
	for path, want := range map[string]string{
		"/healthz": "ok\n", "/readyz": "ok\n", "/openapi.json": `"openapi":"3.1`, "/": "<!doctype html>",
		"/metrics": `rowvec_gateway_requests_total{code="200",route="POST /v1/search"} 1`,
	} {
		require.Contains(t, g.text(t, path), want, path)
	}
}

// requireTokens: a good token opens its tables and nothing else.
func (g *gatewayProcess) requireTokens(t *testing.T, s *listener) {
	t.Helper()
	for _, c := range []struct {
		path, token string
		want        int
	}{
		{"/v1/status", "", http.StatusUnauthorized},
		{"/v1/search?table=app.gateway&q=x", "e2e-token-of-nobody", http.StatusUnauthorized},
		{"/v1/events", "", http.StatusUnauthorized},
		{"/metrics", "", http.StatusUnauthorized},
		{"/v1/search?table=app.gateway&q=x", otherToken, http.StatusForbidden},
		{"/v1/tables/app.gateway/rows/100", otherToken, http.StatusForbidden},
		{"/v1/features/article/100", otherToken, http.StatusForbidden},
		{"/v1/features/nobody/100", otherToken, http.StatusForbidden},
		{"/v1//status", allToken, http.StatusNotFound},
		{"/metrics", otherToken, http.StatusForbidden},
		{"/v1/search?table=app.gateway&q=", allToken, http.StatusUnprocessableEntity},
		{"/v1/nothing", allToken, http.StatusNotFound},
	} {
		require.Equal(t, c.want, g.ask(t, http.MethodGet, c.path, "", c.token, nil), c.path)
	}
	var scoped monitor.Status
	require.Equal(t, http.StatusOK, g.ask(t, http.MethodGet, "/v1/status", "", otherToken, &scoped))
	text, err := json.Marshal(scoped)
	require.NoError(t, err)
	require.NotContains(t, string(text), gatewayTable)
	require.Nil(t, scoped.Instances[0].Received, "a count of all tables' records")
	heard := g.listen(t, otherToken)
	insert(t, "gateway", row{ID: 102, Title: "Hidden", Body: "From who may not see it.", Price: "1.00", Tags: []string{}})
	s.requireChange(t, "102", event.Insert, event.Indexed)
	execute(t, "DELETE FROM app.gateway WHERE id = 102")
	s.requireChange(t, "102", event.Delete, event.Deleted)
	heard.requireNothing(t)
	require.Contains(t, g.text(t, "/metrics"), `rowvec_gateway_token_requests_total{code="403",token="other"}`)
}

func (g *gatewayProcess) requireAway(t *testing.T, d *deployment, s *listener) {
	t.Helper()
	for _, c := range []struct {
		command string
		want    monitor.State
	}{{"stop", monitor.Away}, {"start", monitor.Running}} {
		command(t, "functions", c.command, "--name", d.name)
		begun := time.Now()
		eventually(t, 30*time.Second, func(context.Context) error {
			if have := s.state(); have != c.want {
				return fmt.Errorf("after functions %s the stream says %q, not %q", c.command, have, c.want)
			}
			return nil
		})
		t.Logf("functions %s: told %v later", c.command, time.Since(begun).Round(time.Millisecond))
		require.Equal(t, c.want, g.status(t).State)
	}
}
