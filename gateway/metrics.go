package gateway

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rowvec/rowvec/gateway/monitor"
)

// metrics are the gateway's own.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics(registry *prometheus.Registry, m *monitor.Monitor) *metrics {
	c := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rowvec_gateway_requests_total", Help: "Requests answered, by route and status; route is none where no route was reached.",
		}, []string{"route", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "rowvec_gateway_request_duration_seconds", Help: "Time until the answer was written, without event streams.",
			Buckets: []float64{.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10},
		}, []string{"route"}),
	}
	registry.MustRegister(c.requests, c.seconds)
	if m != nil {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "rowvec_gateway_stream_listeners", Help: "Listeners of the event stream.",
		}, func() float64 { return float64(m.Hub().Listeners()) }))
	}
	return c
}

// count counts the requests that a mux answers, by its patterns: paths hold row ids.
func (m *metrics) count(mux http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		s := &statusWriter{ResponseWriter: w, code: http.StatusOK}
		mux.ServeHTTP(s, r)
		route := r.Pattern
		if route == "" || route == "/" {
			route = "none"
		}
		m.requests.WithLabelValues(route, strconv.Itoa(s.code)).Inc()
		if route != eventsPattern {
			m.seconds.WithLabelValues(route).Observe(time.Since(start).Seconds())
		}
	})
}

// statusWriter remembers the status.
type statusWriter struct {
	http.ResponseWriter

	code int
}

// WriteHeader implements http.ResponseWriter.
func (s *statusWriter) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// Unwrap gives http.ResponseController the connection's own writer.
func (s *statusWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }
