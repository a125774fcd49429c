package function

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/embed/embedtest"
	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/function/instance"
)

func TestFailuresAreCountedByClass(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	count := func(service, class string) float64 {
		return b.metrics.user()["rowvec_failures_total{class="+class+",service="+service+"}"]
	}
	b.endpoint.Control(embedtest.Times(2, embedtest.Always(embedtest.Fail(503, "", "overloaded"))))
	require.Equal(t, instance.Ack, within(t, b.handle(t, t.Context(), change(1, "articles"))).Verdict)
	require.InDelta(t, 2, count("embedding", "retry"), 0)
	b.endpoint.Control(embedtest.Times(2, embedtest.Always(embedtest.Fail(400, "", "no"))))
	require.Equal(t, instance.DeadLetter, within(t, b.handle(t, t.Context(), change(2, "articles"))).Verdict)
	require.InDelta(t, 2, count("embedding", "poison"), 0)
	for _, class := range []string{"halt", "interrupted"} {
		require.Zero(t, count("embedding", class))
		require.Contains(t, b.metrics.user(), "rowvec_failures_total{class="+class+",service=postgres}", "from the start")
	}
}

func TestFailuresOfTheIndexAndOfPostgres(t *testing.T) {
	t.Parallel()
	m, err := newMetrics(prometheus.NewRegistry())
	require.NoError(t, err)
	m.indexed(chroma.Observation{Op: "get", Code: "canceled", Err: context.Canceled, Duration: time.Second})
	m.indexed(chroma.Observation{Op: "get", Code: "200", Duration: time.Second})
	have := m.user()
	require.InDelta(t, 1, have["rowvec_failures_total{class=interrupted,service=chroma}"], 0)
	require.Zero(t, have["rowvec_failures_total{class=retry,service=chroma}"])

	reader, err := NewPostgres(config.Postgres{URL: config.Secret{Name: "DB"}}, func(string) (string, bool) { return "postgres://u:p@127.0.0.1:1/x?sslmode=disable", true })
	require.NoError(t, err)
	defer reader.Close()
	_, _, err = columnsOf(reader, m).Fetch(t.Context(), &connector.Change{Table: connector.Table{Schema: "app", Name: "a"}}, nil, nil)
	require.Error(t, err)
	require.InDelta(t, 1, m.user()["rowvec_failures_total{class=retry,service=postgres}"], 0)
}
