//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deploy/grafana"
	"github.com/rowvec/rowvec/embed/embedtest"
)

// TestDashboardAndAlerts runs the real Prometheus on the real stack. Every query of the dashboard has data after a workload; the alert for a
// stall fires while the endpoint is away, and ends after.
func TestDashboardAndAlerts(t *testing.T) {
	endpoint := embedtest.New(embedtest.Options{})
	t.Cleanup(endpoint.Close)
	endpoint.Control(embedtest.Poison(refusedText))
	d := deploy(t, "dashboard", map[string]any{"userConfig/embedding/baseURL": endpoint.URL()})
	startSource(t)
	d.subscribed(t, 1)
	gateway := freeAddress(t)
	launch(t, filepath.Join(world.root, "e2e", "out"), "http://"+gateway+"/healthz",
		filepath.Join(world.root, "bin", "rowvec"), "serve", "-f", d.file, "--listen", gateway)
	p := startPrometheus(t, gateway)

	// Twice, and seen in between: a rate is of what changes between two scrapes.
	d.watched(t, p, gateway, 0)
	d.watched(t, p, gateway, 100)
	t.Run("every query has data", func(t *testing.T) { p.requireDashboard(t, d.name) })
	t.Run("a dead letter, the first of its kind, alerts", func(t *testing.T) { p.fires(t, 10*time.Second, "RowvecDeadLetters", d.name, true) })
	t.Run("a stall alerts and clears", func(t *testing.T) {
		p.fires(t, 10*time.Second, "RowvecStalled", d.name, false)
		endpoint.Control(embedtest.Always(embedtest.Drop())) // connections break off
		insert(t, d.table, makeRow(300), makeRow(301))
		p.fires(t, 30*time.Second, "RowvecStalled", d.name, true)
		d.says(t, 10*time.Second, "retrying", "embedding")

		endpoint.Control(nil)
		p.fires(t, 60*time.Second, "RowvecStalled", d.name, false)
		eventually(t, 10*time.Second, holds(d.collection, "301"))
		d.isWell(t, 10*time.Second, 1)
	})
}

// watched changes rows from first on, in all the ways that the dashboard tells apart, asks the gateway, and waits until Prometheus has seen it.
func (d *deployment) watched(t *testing.T, p *prometheus, gateway string, first int64) {
	t.Helper()
	before := d.settled(t)
	refused := makeRow(first + 50)
	refused.Body = refusedText
	require.NoError(t, insertMany(t.Context(), d.table, first+1, first+20))
	insert(t, d.table, refused)
	eventually(t, 30*time.Second, holds(d.collection, strconv.FormatInt(first+20, 10)))
	execute(t, "UPDATE app."+d.table+" SET title = title || '!' WHERE id = $1", first+1)
	execute(t, "UPDATE app."+d.table+" SET price = 1 WHERE id = $1", first+2)
	execute(t, "DELETE FROM app."+d.table+" WHERE id = $1", first+3)
	d.settles(t, before+24)
	for n := range 5 {
		question := url.Values{"table": {"app." + d.table}, "q": {fmt.Sprintf("What is said of %d?", first+int64(n))}}
		require.NoError(t, ask(t.Context(), "http://"+gateway+"/v1/search?"+question.Encode(), nil))
	}
	eventually(t, 30*time.Second, func(ctx context.Context) error {
		return errors.Join(
			p.has(ctx, fmt.Sprintf(`sum(rowvec_records_total{name=%q}) == %d`, d.name, before+24)),
			p.has(ctx, fmt.Sprintf(`sum(rowvec_gateway_requests_total{route=~".*search.*",code="200"}) >= %d`, first/20+5)),
		)
	})
}

// settled is how many records the function has settled.
func (d *deployment) settled(t *testing.T) int {
	t.Helper()
	counts, err := d.outcomes(t.Context())
	require.NoError(t, err)
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return sum
}

// has fails where a query gives nothing.
func (p *prometheus) has(ctx context.Context, query string) error {
	found, err := p.query(ctx, query)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("no data: %s", query)
	}
	return err
}

// fallback is what a query shows where there is nothing to show. A typing error before it would never be seen.
var fallback = regexp.MustCompile(`\s+or (?:vector\(0\)|on\(\) label_replace\(vector\(0\),[^()]*\))$`)

// notInTheWorkload are series that watched does not bring about.
var notInTheWorkload = regexp.MustCompile(`rowvec_(?:metadata_dropped|texts_truncated|gateway_token_requests)_total`)

// shown is a query of the dashboard as Grafana sends it for one function, without its fallback.
func shown(expr, function string) string {
	if !notInTheWorkload.MatchString(expr) {
		expr = fallback.ReplaceAllString(expr, "")
	}
	return strings.NewReplacer("$function", function, "$__rate_interval", "1m", "$__range", "1h").Replace(expr)
}

var legendLabel = regexp.MustCompile(`\{\{(\w+)\}\}`)

// requireDashboard runs every query of the dashboard as Grafana would for one function.
func (p *prometheus) requireDashboard(t *testing.T, function string) {
	t.Helper()
	dashboard, err := grafana.Read()
	require.NoError(t, err)
	for _, panel := range dashboard.Panels {
		for _, q := range panel.Queries {
			eventually(t, 10*time.Second, func(ctx context.Context) error {
				found, err := p.query(ctx, shown(q.Expr, function))
				if err == nil {
					err = worthShowing(found, q.Legend)
				}
				if err != nil {
					err = fmt.Errorf("%s, %s: %w: %s", panel.Title, q.Ref, err, q.Expr)
				}
				return err
			})
		}
	}
	var names struct {
		Data []string `json:"data"`
	}
	require.Equal(t, "label_values(rowvec_state, name)", dashboard.Templating.List[1].Definition)
	require.NoError(t, ask(t.Context(), p.url+"/api/v1/label/name/values?match[]=rowvec_state", &names))
	require.Contains(t, names.Data, function)
}

// worthShowing: there is a number, and each label that the legend shows.
func worthShowing(found []promSample, legend string) error {
	numbers := 0
	for _, s := range found {
		if s.Value[1] != "NaN" {
			numbers++
		}
	}
	if numbers == 0 {
		return fmt.Errorf("%d series and no number", len(found))
	}
	for _, label := range legendLabel.FindAllStringSubmatch(legend, -1) {
		if found[0].Metric[label[1]] == "" {
			return fmt.Errorf("no label %s in %v", label[1], found[0].Metric)
		}
	}
	return nil
}
