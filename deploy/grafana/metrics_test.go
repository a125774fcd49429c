package grafana

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// metricSources make the series. They are read, and not gathered: a registry does not show a series with labels before it has a value.
var metricSources = []string{"../../function/metrics.go", "../../function/process.go", "../../gateway/metrics.go"}

// metrics are the registered ones: name -> CounterOpts, GaugeOpts or HistogramOpts.
type metrics map[string]string

func registered(t *testing.T) metrics {
	t.Helper()
	found := metrics{}
	for _, path := range metricSources {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			if literal, ok := n.(*ast.CompositeLit); ok {
				found.add(t, literal)
			}
			return true
		})
	}
	return found
}

// add takes a literal of the form prometheus.XOpts{Name: "…"}.
func (m metrics) add(t *testing.T, literal *ast.CompositeLit) {
	t.Helper()
	kind, ok := literal.Type.(*ast.SelectorExpr)
	if !ok || !strings.HasSuffix(kind.Sel.Name, "Opts") {
		return
	}
	for _, e := range literal.Elts {
		pair, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		key, isName := pair.Key.(*ast.Ident)
		value, isText := pair.Value.(*ast.BasicLit)
		if isName && isText && key.Name == "Name" {
			name, err := strconv.Unquote(value.Value)
			require.NoError(t, err)
			m[name] = kind.Sel.Name
		}
	}
}

// find is the metric that a series belongs to: those of a histogram have endings, and no series of just its name.
func (m metrics) find(series string) (name string, ok bool) {
	for _, ending := range []string{"_bucket", "_count", "_sum"} {
		if name, cut := strings.CutSuffix(series, ending); cut && m[name] == "HistogramOpts" {
			return name, true
		}
	}
	return series, m[series] == "CounterOpts" || m[series] == "GaugeOpts"
}

func TestFindMetric(t *testing.T) {
	t.Parallel()
	m := registered(t)
	require.Equal(t, "CounterOpts", m["rowvec_records_total"])
	require.Equal(t, "GaugeOpts", m["rowvec_gateway_stream_listeners"])
	for series, want := range map[string]bool{
		"rowvec_records_total": true, "rowvec_state": true, "rowvec_freshness_seconds_bucket": true, "rowvec_batch_records_count": true,
		"rowvec_freshness_seconds": false, "rowvec_records_total_bucket": false, "rowvec_unheard_of": false, "rowvec_records": false,
	} {
		_, ok := m.find(series)
		require.Equal(t, want, ok, series)
	}
}
