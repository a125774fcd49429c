package gateway

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rowvec/rowvec/gateway/monitor"
)

// metrics are the gateway's own.
type metrics struct {
	requests *prometheus.CounterVec
	tokens   *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics(registry *prometheus.Registry, m *monitor.Monitor) *metrics {
	c := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rowvec_gateway_requests_total", Help: "Requests answered, by route and status; route is none where no route was reached.",
		}, []string{"route", "code"}),
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rowvec_gateway_token_requests_total", Help: "Requests that came with a good token, by the token's name and the answer's status.",
		}, []string{"token", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "rowvec_gateway_request_duration_seconds", Help: "Time until the answer was written, without event streams.",
			Buckets: []float64{.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10},
		}, []string{"route"}),
	}
	registry.MustRegister(c.requests, c.tokens, c.seconds)
	if m != nil {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "rowvec_gateway_stream_listeners", Help: "Listeners of the event stream.",
		}, func() float64 { return float64(m.Hub().Listeners()) }))
	}
	return c
}

// counted counts the requests, those that are refused, too, by the mux's patterns: paths hold row ids.
func (g *Gateway) counted(mux *http.ServeMux, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		s := &statusWriter{ResponseWriter: w, code: http.StatusOK}
		from := &caller{}
		next.ServeHTTP(s, r.WithContext(context.WithValue(r.Context(), callerKey{}, from)))
		g.metrics.count(routeOf(mux, r), from, s.code, time.Since(start))
	})
}

func (m *metrics) count(route string, from *caller, code int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(code)).Inc()
	if from.token != "" {
		m.tokens.WithLabelValues(from.token, strconv.Itoa(code)).Inc()
	}
	if from.admitted && route != eventsPattern {
		m.seconds.WithLabelValues(route).Observe(took.Seconds())
	}
}

// routeOf is what a request is counted as. The page's files are below /, and so is what no route has.
func routeOf(mux *http.ServeMux, r *http.Request) string {
	switch pattern := patternOf(mux, r); {
	case pattern == "", pattern == restPattern, pattern == eventsHead, pattern == pagePattern && private(pattern, r.URL.Path):
		return "none"
	default:
		return pattern
	}
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
