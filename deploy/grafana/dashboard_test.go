package grafana

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func read(t *testing.T) *Dashboard {
	t.Helper()
	d, err := Read()
	require.NoError(t, err)
	return d
}

// graphs are the panels without the rows' headings.
func (d *Dashboard) graphs() []Panel {
	var graphs []Panel
	for _, p := range d.Panels {
		if p.Type != "row" {
			graphs = append(graphs, p)
		}
	}
	return graphs
}

func TestPanelsSayWhatTheyAre(t *testing.T) {
	t.Parallel()
	d := read(t)
	require.Equal(t, "rowvec", d.UID, "links and bookmarks hold it")
	require.NotEmpty(t, d.Title)
	require.Greater(t, len(d.graphs()), 20)
	ids, titles := map[int]string{}, map[string]bool{}
	row := ""
	for _, p := range d.Panels {
		require.NotEmpty(t, p.Title, "panel %d", p.ID)
		require.Positive(t, p.ID, p.Title)
		require.NotContains(t, ids, p.ID, p.Title)
		ids[p.ID] = p.Title
		if p.Type == "row" {
			row = p.Title
			require.Empty(t, p.Queries)
			continue
		}
		require.False(t, titles[row+": "+p.Title], "%s: %s is there twice", row, p.Title)
		titles[row+": "+p.Title] = true
		require.Greater(t, len(p.Description), 60, "%s: say what it means and what to do", p.Title)
		require.NotEmpty(t, p.Field.Defaults.Unit, p.Title)
		require.NotEmpty(t, p.Queries, p.Title)
		refs := map[string]bool{}
		for _, q := range p.Queries {
			require.NotEmpty(t, q.Expr, p.Title)
			require.NotEmpty(t, q.Legend, p.Title)
			require.Equal(t, "${datasource}", q.Datasource.UID, p.Title)
			require.False(t, refs[q.Ref], "%s: query %s is there twice", p.Title, q.Ref)
			refs[q.Ref] = true
		}
	}
}

// TestLegendsAndTooltipsShow: what the types of Grafana's own SDK (grafana-foundation-sdk 0.0.21), which the file was held against, call
// required.
func TestLegendsAndTooltipsShow(t *testing.T) {
	t.Parallel()
	for _, p := range read(t).graphs() {
		if p.Type == "stat" {
			continue
		}
		require.NotNil(t, p.Options.Legend, p.Title)
		require.True(t, p.Options.Legend.ShowLegend || (p.Type == "heatmap" && p.Options.Legend.Show), p.Title)
		require.NotNil(t, p.Options.Tooltip, p.Title)
		require.Contains(t, []string{"single", "multi"}, p.Options.Tooltip.Mode, p.Title)
	}
}

func TestPanelsDoNotOverlap(t *testing.T) {
	t.Parallel()
	taken := map[[2]int]string{}
	for _, p := range read(t).Panels {
		g := p.Grid
		require.Positive(t, g.Width*g.Height, p.Title)
		require.LessOrEqual(t, g.X+g.Width, 24, p.Title)
		for x := g.X; x < g.X+g.Width; x++ {
			for y := g.Y; y < g.Y+g.Height; y++ {
				require.Empty(t, taken[[2]int{x, y}], "%s lies on another", p.Title)
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
}

var variable = regexp.MustCompile(`\$\{?(\w+)`)

// TestFunctionIsChosen: whoever chooses a function sees that one only. A gateway's series have no function's name.
func TestFunctionIsChosen(t *testing.T) {
	t.Parallel()
	d := read(t)
	known := map[string]bool{"__rate_interval": true, "__range": true} // Grafana's own
	for _, v := range d.Templating.List {
		known[v.Name] = true
	}
	require.True(t, known["function"] && known["datasource"])
	for _, p := range d.graphs() {
		for _, q := range p.Queries {
			for _, v := range variable.FindAllStringSubmatch(q.Expr, -1) {
				require.True(t, known[v[1]], "%s: $%s", p.Title, v[1])
			}
			for _, m := range selector.FindAllStringSubmatch(q.Expr, -1) {
				switch {
				case strings.HasPrefix(m[1], "rowvec_gateway_"):
				case strings.HasPrefix(m[1], "rowvec_"):
					require.Contains(t, m[2], `name=~"$function"`, "%s: %s", p.Title, m[1])
				default:
					require.Contains(t, m[2], `subscription=~"$function"`, "%s: %s", p.Title, m[1])
				}
			}
		}
	}
}

var (
	selector = regexp.MustCompile(`\b((?:rowvec|pulsar)_[a-z_]+)(\{[^}]*\})?`)
	series   = regexp.MustCompile(`\browvec_[a-z_]+`)
	prose    = regexp.MustCompile(`^\s*(#|summary:|action:)`)
)

// fromBroker are the series of Pulsar's own that are used: 4.0.8 has them of each topic.
var fromBroker = map[string]bool{"pulsar_subscription_back_log": true}

func TestMetricsAreThoseOfTheCode(t *testing.T) {
	t.Parallel()
	metrics := registered(t)
	require.Greater(t, len(metrics), 18)
	used := map[string]bool{}
	check := func(where, expr string) {
		for _, m := range selector.FindAllStringSubmatch(expr, -1) {
			if !fromBroker[m[1]] {
				name, ok := metrics.find(m[1])
				require.True(t, ok, "%s: nothing registers %s", where, m[1])
				used[name] = true
			}
		}
	}
	for _, p := range read(t).graphs() {
		for _, q := range p.Queries {
			check(p.Title, q.Expr)
		}
	}
	for name := range metrics {
		require.True(t, used[name], "no panel shows %s", name)
	}
	rules, err := os.ReadFile("../prometheus/rules.yaml")
	require.NoError(t, err)
	require.Regexp(t, series, string(rules))
	for line := range strings.Lines(string(rules)) {
		if prose.MatchString(line) { // it may name a histogram as a whole
			for _, name := range series.FindAllString(line, -1) {
				require.Contains(t, metrics, name, "rules.yaml")
			}
			continue
		}
		check("rules.yaml", line)
	}
}

// TestOperatorsTable: README's table has every metric, and no other.
func TestOperatorsTable(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	metrics, told := registered(t), map[string]bool{}
	for line := range strings.Lines(string(readme)) {
		cell, isRow := strings.CutPrefix(line, "| `rowvec_")
		if !isRow {
			continue
		}
		cell, _, _ = strings.Cut("rowvec_"+cell, " | ")
		for _, name := range series.FindAllString(cell, -1) {
			require.Contains(t, metrics, name, "README.md")
			told[name] = true
		}
	}
	for name := range metrics {
		require.True(t, told[name], "README.md does not tell of %s", name)
	}
}
