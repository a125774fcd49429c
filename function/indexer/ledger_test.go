package indexer

import (
	"sync"
	"time"
)

// ledger sees every event of a table, as the function's metrics will.
type ledger struct {
	mu         sync.Mutex
	kinds      map[Kind]int
	batches    []int
	inFlight   int
	most       int
	saved      int
	dropped    int
	conditions []Condition
	fresh      []time.Duration
	latency    []time.Duration
}

func newLedger() *ledger { return &ledger{kinds: make(map[Kind]int)} }

func (l *ledger) BatchTaken(_ string, records int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.batches = append(l.batches, records)
}

func (l *ledger) Settled(_ string, kind Kind, freshness, latency time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kinds[kind]++
	if kind.Durable() {
		l.fresh = append(l.fresh, freshness)
	}
	l.latency = append(l.latency, latency)
}

func (l *ledger) InFlight(_ string, delta int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inFlight += delta
	l.most = max(l.most, l.inFlight)
}

func (l *ledger) TextsSaved(_ string, texts int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.saved += texts
}

func (l *ledger) MetadataDropped(_ string, values int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dropped += values
}

func (l *ledger) TextTruncated(string) {}

func (l *ledger) Condition(_ string, c Condition) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conditions = append(l.conditions, c)
}

func (l *ledger) states() []State {
	l.mu.Lock()
	defer l.mu.Unlock()
	var states []State
	for _, c := range l.conditions {
		states = append(states, c.State)
	}
	return states
}
