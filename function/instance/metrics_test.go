package instance

import (
	"errors"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"
)

type hangingGatherer struct{ release <-chan struct{} }

func (g hangingGatherer) Gather() ([]*dto.MetricFamily, error) {
	<-g.release
	return nil, nil
}

func scrape(tb testing.TB, url string, header ...string) (status int, contentType, body string) {
	tb.Helper()
	request, err := http.NewRequest(http.MethodGet, url, http.NoBody)
	require.NoError(tb, err)
	if len(header) > 0 {
		request.Header.Set(header[0], header[1])
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}
	response, err := client.Do(request)
	require.NoError(tb, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(tb, err)
	return response.StatusCode, response.Header.Get("Content-Type"), string(text)
}

func TestMetricsAreThoseOfPulsar(t *testing.T) {
	t.Parallel()
	i := opened(t, testConf(t), Options{})
	i.stats.now = func() time.Time { return time.UnixMilli(1_700_000_000_123) }
	own := prometheus.NewCounter(prometheus.CounterOpts{Name: "rowvec_own_total", Help: "Of another package."})
	require.NoError(t, i.Registerer().Register(own))
	own.Add(7)
	for range 3 {
		i.stats.received()
	}
	i.stats.processed(20 * time.Millisecond)
	i.RecordException(UserException, errors.New("a \"quoted\"\nrow"))
	i.RecordException(SystemException, errors.New("down"))
	i.RecordException(SourceException, errors.New("no broker"))
	i.RecordException(SinkException, errors.New("no dead-letter topic"))

	for _, addr := range i.MetricsAddrs() {
		for _, path := range []string{"", "/", "/metrics", "/metrics/"} {
			status, kind, body := scrape(t, "http://"+addr.String()+path)
			require.Equal(t, http.StatusOK, status)
			require.Equal(t, "text/plain; version=0.0.4; charset=utf-8; escaping=underscores", withEscaping(kind))
			requireGolden(t, body)
		}
	}
}

// withEscaping fills in the parameter that the library leaves out or writes according to its defaults; no reader of 0.0.4 minds.
func withEscaping(contentType string) string {
	return regexp.MustCompile(`(; escaping=\w+)?$`).ReplaceAllString(contentType, "; escaping=underscores")
}

func requireGolden(t *testing.T, body string) {
	t.Helper()
	want, err := os.ReadFile("testdata/metrics.txt")
	require.NoError(t, err)
	require.Equal(t, string(want), body)
}

func TestMetricsStayInThePlainFormat(t *testing.T) {
	t.Parallel()
	i := opened(t, testConf(t), Options{})
	url := "http://" + i.MetricsAddrs()[0].String() + "/"
	for _, accept := range []string{
		"application/openmetrics-text;version=1.0.0",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
	} {
		_, kind, body := scrape(t, url, "Accept", accept)
		require.Contains(t, kind, "text/plain; version=0.0.4")
		require.NotContains(t, body, "# EOF")
	}
	_, _, body := scrape(t, url, "Accept-Encoding", "gzip")
	require.Contains(t, body, "pulsar_function_received_total")
	status, _, _ := scrape(t, url+"other")
	require.Equal(t, http.StatusNotFound, status)
}

func TestEverySeriesTellsTheInstance(t *testing.T) {
	t.Parallel()
	i := opened(t, testConf(t), Options{})
	require.NoError(t, i.Registerer().Register(prometheus.NewGauge(prometheus.GaugeOpts{Name: "rowvec_state", Help: "x"})))
	_, _, body := scrape(t, "http://"+i.MetricsAddrs()[0].String())
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		for _, label := range []string{
			`tenant="public"`, `namespace="public/default"`, `name="emb"`, `instance_id="2"`, `cluster="standalone"`, `fqfn="public/default/emb"`,
		} {
			require.Contains(t, line, label)
		}
		for _, foreign := range []string{"go_", "process_", "promhttp_", "pulsar_client_"} {
			require.False(t, strings.HasPrefix(line, foreign), line)
		}
	}
}

func TestOneBrokenSeriesDoesNotHideTheOthers(t *testing.T) {
	t.Parallel()
	i := opened(t, testConf(t), Options{})
	require.NoError(t, i.Registerer().Register(brokenCollector{prometheus.NewDesc("rowvec_broken", "x", nil, nil)}))
	status, _, body := scrape(t, "http://"+i.MetricsAddrs()[0].String())
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "pulsar_function_received_total")
}

type brokenCollector struct{ desc *prometheus.Desc }

func (c brokenCollector) Describe(ch chan<- *prometheus.Desc) { ch <- c.desc }

func (c brokenCollector) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.NewInvalidMetric(c.desc, errors.New("broken"))
}
