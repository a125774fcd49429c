package function

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/embed"
	"github.com/rowvec/rowvec/function/indexer"
)

// metrics are rowvec's own series. They stand in two registries: the instance's, which adds its labels for the scrape, and a plain
// one, from which `functions stats` takes its user metrics.
type metrics struct {
	plain *prometheus.Registry

	records       *prometheus.CounterVec
	embedRequests *prometheus.CounterVec
	embedTexts    prometheus.Counter
	embedTokens   prometheus.Counter
	embedSeconds  prometheus.Histogram

	embedConcurrency prometheus.Gauge

	chromaSeconds *prometheus.HistogramVec
	chromaCodes   *prometheus.CounterVec
	batchRecords  prometheus.Histogram
	freshness     prometheus.Histogram
	start         prometheus.Gauge
	lastSuccess   *prometheus.GaugeVec // no labels
	inFlight      *prometheus.GaugeVec
	state         *prometheus.GaugeVec
	textsSaved    prometheus.Counter

	metadataDropped *prometheus.CounterVec
	events          prometheus.Counter
	eventsDropped   prometheus.Counter
	textsTruncated  *prometheus.CounterVec
	deadLetters     *prometheus.CounterVec

	mu sync.Mutex // guards the pair of series that a state change moves
}

var latencyBuckets = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900}

func newMetrics(into prometheus.Registerer) (*metrics, error) {
	m := &metrics{plain: prometheus.NewRegistry()}
	m.makeCounters()
	m.makeOthers()
	for _, c := range m.all() {
		if err := m.plain.Register(c); err != nil {
			return nil, err
		}
		if err := into.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) makeCounters() {
	m.records = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "rowvec_records_total", Help: "Records settled, by table and outcome.",
	}, []string{"table", "outcome"})
	m.embedRequests = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "rowvec_embed_requests_total", Help: "Requests to the embedding endpoint, by HTTP status, or timeout, network, canceled.",
	}, []string{"code"})
	m.chromaCodes = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "rowvec_chroma_requests_total", Help: "Requests to Chroma, by operation and HTTP status, or timeout, network, canceled, bad_response.",
	}, []string{"op", "code"})
	m.embedTexts = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "rowvec_embed_texts_total", Help: "Texts that the endpoint has embedded.",
	})
	m.embedTokens = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "rowvec_embed_tokens_total", Help: "Tokens that the endpoint counted, or their estimate where it does not say.",
	})
	m.textsSaved = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "rowvec_texts_saved_total", Help: "Texts that needed no embedding: unchanged, or equal to another of their batch.",
	})
	m.metadataDropped = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "rowvec_metadata_dropped_total", Help: "Metadata values that were left out: Chroma cannot hold them (NaN, infinities), or the source did not send them and nobody knows them.",
	}, []string{"table"})
	m.events = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "rowvec_events_total", Help: "Outcome events that the output topic has taken.",
	})
	m.eventsDropped = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "rowvec_events_dropped_total", Help: "Outcome events that the output topic did not get: too many waited, or the process ended.",
	})
	m.textsTruncated = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "rowvec_texts_truncated_total", Help: "Texts of which only the beginning was embedded, because they are over embedding.maxTextTokens.",
	}, []string{"table"})
	m.deadLetters = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "rowvec_dead_letters_total", Help: "Records that can never succeed and went to the dead-letter topic, by table and reason.",
	}, []string{"table", "reason"})
}

func (m *metrics) makeOthers() {
	m.embedSeconds = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "rowvec_embed_duration_seconds", Help: "Duration of requests to the embedding endpoint.", Buckets: latencyBuckets,
	})
	m.embedConcurrency = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "rowvec_embed_concurrency", Help: "Requests to the endpoint at a time, as adapted to what it takes.",
	})
	m.chromaSeconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "rowvec_chroma_duration_seconds", Help: "Duration of requests to Chroma, by operation.", Buckets: latencyBuckets,
	}, []string{"op"})
	m.batchRecords = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "rowvec_batch_records", Help: "Records taken in one batch.", Buckets: prometheus.ExponentialBuckets(1, 2, 12),
	})
	m.freshness = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "rowvec_freshness_seconds", Help: "From a change's commit in Postgres to its being durable in Chroma.", Buckets: latencyBuckets,
	})
	m.start = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "rowvec_start_timestamp_seconds", Help: "When the process began, in seconds since the epoch.",
	})
	m.start.SetToCurrentTime()
	m.lastSuccess = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "rowvec_last_success_timestamp_seconds", Help: "When a record last became durable, in seconds since the epoch; absent before the first.",
	}, nil) // without labels, as 0 would be taken for a stall of decades
	m.inFlight = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "rowvec_in_flight_records", Help: "Records received and not yet settled, by table.",
	}, []string{"table"})
	m.state = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "rowvec_state", Help: "1 for the state that a table is in: running, retrying or halted.",
	}, []string{"table", "state"})
}

func (m *metrics) all() []prometheus.Collector {
	return append(processGauges(),
		m.records, m.embedRequests, m.embedTexts, m.embedTokens, m.embedSeconds, m.chromaSeconds, m.batchRecords, m.freshness,
		m.start, m.lastSuccess, m.inFlight, m.state, m.textsSaved, m.metadataDropped, m.events, m.eventsDropped, m.textsTruncated,
		m.deadLetters, m.chromaCodes, m.embedConcurrency,
	)
}

// embedded counts a request. concurrency is how many are made at a time after it.
func (m *metrics) embedded(o embed.Observation, concurrency int) {
	m.embedConcurrency.Set(float64(concurrency))
	m.embedRequests.WithLabelValues(o.Code).Inc()
	m.embedSeconds.Observe(o.Duration.Seconds())
	if o.Code == "200" { // what failed was not embedded, and is not paid for
		m.embedTexts.Add(float64(o.Texts))
		m.embedTokens.Add(float64(o.Tokens))
	}
}

func (m *metrics) indexed(o chroma.Observation) {
	m.chromaCodes.WithLabelValues(o.Op, o.Code).Inc()
	m.chromaSeconds.WithLabelValues(o.Op).Observe(o.Duration.Seconds())
}

func (m *metrics) settled(table string, kind indexer.Kind, freshness time.Duration) {
	m.records.WithLabelValues(table, string(kind)).Inc()
	if kind.Durable() {
		m.freshness.Observe(freshness.Seconds())
		m.lastSuccess.WithLabelValues().SetToCurrentTime()
	}
}

func (m *metrics) setState(table string, state indexer.State) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range []indexer.State{indexer.Running, indexer.Retrying, indexer.Halted} {
		v := 0.0
		if s == state {
			v = 1
		}
		m.state.WithLabelValues(table, string(s)).Set(v)
	}
}

// forgetState takes a table's state away, which nobody has any more.
func (m *metrics) forgetState(table string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state.DeletePartialMatch(prometheus.Labels{"table": table})
}

// user returns every series as name{label=value} -> value; histograms as their _count and _sum. NaN never occurs, which the worker
// would drop (contract §2.2).
func (m *metrics) user() map[string]float64 {
	families, err := m.plain.Gather()
	if err != nil {
		return nil
	}
	found := make(map[string]float64)
	for _, f := range families {
		for _, s := range f.GetMetric() {
			name, labels := f.GetName(), labelText(s.GetLabel())
			switch {
			case s.GetCounter() != nil:
				found[name+labels] = s.GetCounter().GetValue()
			case s.GetGauge() != nil:
				found[name+labels] = s.GetGauge().GetValue()
			case s.GetHistogram() != nil:
				found[name+"_count"+labels] = float64(s.GetHistogram().GetSampleCount())
				found[name+"_sum"+labels] = s.GetHistogram().GetSampleSum()
			}
		}
	}
	return found
}

func labelText(pairs []*dto.LabelPair) string {
	if len(pairs) == 0 {
		return ""
	}
	byName := make(map[string]string, len(pairs))
	for _, p := range pairs {
		byName[p.GetName()] = p.GetValue()
	}
	parts := make([]string, 0, len(pairs))
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		parts = append(parts, name+"="+byName[name])
	}
	return "{" + strings.Join(parts, ",") + "}"
}
