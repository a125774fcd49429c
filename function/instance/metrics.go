package instance

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// gatherTimeout bounds a scrape: the worker sets no timeout, and a hanging answer would hang the broker's own (contract §3.2).
const gatherTimeout = 5 * time.Second

// metricLabels are on every series of the instance (contract §3.1).
func metricLabels(c *Conf) prometheus.Labels {
	return prometheus.Labels{
		"tenant":      c.Tenant,
		"namespace":   c.Tenant + "/" + c.Namespace,
		"name":        c.Name,
		"instance_id": strconv.Itoa(c.InstanceID),
		"cluster":     c.Cluster,
		"fqfn":        c.FQFN(),
	}
}

func newLatency(name string) prometheus.Summary {
	return prometheus.NewSummary(prometheus.SummaryOpts{
		Name:       name,
		Help:       "Time from receiving a record to its result being durable, in milliseconds.",
		Objectives: map[float64]float64{0.5: 0.05, 0.9: 0.01, 0.99: 0.001, 0.999: 0.0001},
	})
}

// collector shows the stats under the names that Pulsar's dashboards know (contract §3.1).
type collector struct {
	stats   *stats
	counts  [countSeries]*prometheus.Desc
	minutes [countSeries]*prometheus.Desc
	last    *prometheus.Desc
	errors  [exceptionKinds]*prometheus.Desc
}

const countSeries = 4

func newCollector(s *stats) *collector {
	c := &collector{stats: s}
	for n, series := range [countSeries][2]string{
		{"received", "Records received"},
		{"processed_successfully", "Records processed successfully"},
		{"user_exceptions", "User exceptions"},
		{"system_exceptions", "System exceptions, with those of source and sink"},
	} {
		c.counts[n] = prometheus.NewDesc("pulsar_function_"+series[0]+"_total", series[1]+".", nil, nil)
		c.minutes[n] = prometheus.NewDesc("pulsar_function_"+series[0]+"_1min_total", series[1]+", in the minute in progress.", nil, nil)
	}
	for kind, name := range exceptionKindNames {
		c.errors[kind] = prometheus.NewDesc("pulsar_function_"+name+"_exception", "Recent errors of the "+name+" kind.", []string{"error"}, nil)
	}
	c.last = prometheus.NewDesc("pulsar_function_last_invocation", "When the last record was received, in milliseconds since the epoch.", nil, nil)
	return c
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for n := range c.counts {
		ch <- c.counts[n]
		ch <- c.minutes[n]
	}
	for _, desc := range c.errors {
		ch <- desc
	}
	ch <- c.last
	c.stats.latency.Describe(ch)
	newLatency("pulsar_function_process_latency_ms_1min").Describe(ch)
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	snap := c.stats.snapshot()
	labels, minuteLatency := c.stats.seriesState()
	collectCounts(ch, c.counts, snap.Total)
	collectCounts(ch, c.minutes, snap.Minute)
	for kind, desc := range c.errors {
		for _, text := range labels[kind] {
			ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, 1, text)
		}
	}
	ch <- prometheus.MustNewConstMetric(c.last, prometheus.GaugeValue, float64(epochMillis(snap.LastInvocation)))
	c.stats.latency.Collect(ch)
	minuteLatency.Collect(ch)
}

func collectCounts(ch chan<- prometheus.Metric, descs [countSeries]*prometheus.Desc, c Counts) {
	for n, value := range [countSeries]int64{c.Received, c.Processed, c.Exceptions[UserException], c.System()} {
		ch <- prometheus.MustNewConstMetric(descs[n], prometheus.CounterValue, float64(value))
	}
}

// newMetricsServer serves the registry on / (which the worker asks for) and /metrics, in the plain text format 0.0.4 only: the worker
// puts the texts of all its functions behind one another (contract §3.2).
func newMetricsServer(registry prometheus.Gatherer, log *slog.Logger) *http.Server {
	handler := promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog:            gatherErrors{log},
		ErrorHandling:       promhttp.ContinueOnError, // one broken series must not hide the others
		DisableCompression:  true,
		MaxRequestsInFlight: 8,
		Timeout:             gatherTimeout,
	})
	serve := func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Accept", "text/plain;version=0.0.4")
		handler.ServeHTTP(w, r)
	}
	mux := http.NewServeMux()
	for _, path := range []string{"/{$}", "/metrics", "/metrics/{$}"} {
		mux.HandleFunc("GET "+path, serve)
	}
	return &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       5 * time.Second,
		WriteTimeout:      2 * gatherTimeout,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

type gatherErrors struct{ log *slog.Logger }

// Println implements promhttp.Logger.
func (g gatherErrors) Println(v ...any) {
	g.log.LogAttrs(context.Background(), slog.LevelWarn, "cannot gather a metric", slog.String("error", fmt.Sprint(v...)))
}
