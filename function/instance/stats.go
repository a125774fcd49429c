package instance

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// stats counts. Every method holds the lock for a few assignments only, so that neither the data path nor a status call waits.
type stats struct {
	now func() time.Time

	mu             sync.Mutex
	total, minute  Counts
	lastInvocation time.Time
	minuteLatency  prometheus.Summary
	exceptions     [exceptionKinds]recent
	labels         [exceptionKinds]errorLabels
	userMetrics    func() map[string]float64

	latency prometheus.Summary
}

func newStats() *stats {
	return &stats{
		now:           time.Now,
		latency:       newLatency("pulsar_function_process_latency_ms"),
		minuteLatency: newLatency("pulsar_function_process_latency_ms_1min"),
	}
}

// received counts a record taken from an input.
func (s *stats) received() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total.Received++
	s.minute.Received++
	s.lastInvocation = s.now()
}

// processed counts a record whose work is done and durable; latency is the time since it was received.
func (s *stats) processed(latency time.Duration) {
	s.mu.Lock()
	for _, c := range []*Counts{&s.total, &s.minute} {
		c.Processed++
		c.Busy += latency
	}
	minute := s.minuteLatency
	s.mu.Unlock()
	s.latency.Observe(milliseconds(latency))
	minute.Observe(milliseconds(latency))
}

func (s *stats) exception(kind ExceptionKind, err error) {
	kind %= exceptionKinds
	text := err.Error()
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	s.total.Exceptions[kind]++
	s.minute.Exceptions[kind]++
	s.exceptions[kind].add(Exception{Text: clip(text, exceptionBytes), At: now})
	s.labels[kind].add(clip(text, labelBytes), now)
}

func (s *stats) setUserMetrics(read func() map[string]float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.userMetrics = read
}

// readUserMetrics leaves out what is not a number, as the worker would (contract §2.2). The function is called without the lock.
func (s *stats) readUserMetrics() map[string]float64 {
	s.mu.Lock()
	read := s.userMetrics
	s.mu.Unlock()
	if read == nil {
		return nil
	}
	values := maps.Clone(read())
	maps.DeleteFunc(values, func(_ string, v float64) bool { return v != v })
	return values
}

// Snapshot is the state of the counters at one moment.
type Snapshot struct {
	Total, Minute  Counts
	LastInvocation time.Time                   // zero before the first record
	Exceptions     [exceptionKinds][]Exception // by ExceptionKind; the last ten, oldest first
	Conditions     map[string]string           // by source
}

func (s *stats) snapshot() Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	snap := Snapshot{Total: s.total, Minute: s.minute, LastInvocation: s.lastInvocation}
	for kind := range s.exceptions {
		snap.Exceptions[kind] = slices.Clone(s.exceptions[kind])
	}
	return snap
}

// seriesState is what the metrics need beside the snapshot.
func (s *stats) seriesState() (labels [exceptionKinds][]string, minuteLatency prometheus.Summary) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for kind := range s.labels {
		labels[kind] = slices.Clone(s.labels[kind].texts)
	}
	return labels, s.minuteLatency
}
