package monitor

import (
	"slices"
	"time"

	"github.com/rowvec/rowvec/event"
)

// maxSamples bounds the durations kept of one table in one second; what comes after them is counted, and no quantile moves for it.
const maxSamples = 8_192

// samples are durations in milliseconds.
type samples struct {
	count  int64
	values []float64
}

func (s *samples) add(d time.Duration) {
	s.count++
	if len(s.values) < maxSamples {
		s.values = append(s.values, float64(d.Microseconds())/1_000)
	}
}

// merge adds another's samples to these.
func (s *samples) merge(o samples) {
	s.count += o.count
	s.values = append(s.values, o.values...)
}

// quantiles returns nil where nothing was measured. It sorts the values.
func (s *samples) quantiles() *Quantiles {
	if s.count == 0 {
		return nil
	}
	slices.Sort(s.values)
	at := func(q float64) float64 { return s.values[min(len(s.values)-1, int(q*float64(len(s.values))))] }
	return &Quantiles{Count: s.count, P50: at(.5), P95: at(.95), P99: at(.99)}
}

// second is what one table brought in one second. What of it belongs to no known table has the name "".
type second struct {
	outcomes    map[event.Outcome]int64
	deadLetters map[string]int64
	freshness   samples
	queries     samples
	queryErrors int64
	dropped     int64 // changes left out of the stream
}

func newSecond() *second {
	return &second{outcomes: map[event.Outcome]int64{}, deadLetters: map[string]int64{}}
}

func (s *second) observe(e *event.Event) {
	s.outcomes[e.Outcome]++
	if e.Outcome == event.Poison {
		s.deadLetters[e.Reason]++
	}
	if d, ok := e.Freshness(); ok && e.Operation != event.Read {
		s.freshness.add(d) // a snapshot's row has no commit of its own
	}
}

// moment is a whole second: every table's share, and what holds for all of them.
type moment struct {
	time    int64
	tables  map[string]*second
	backlog map[string]*int64
	state   State
	clients int
}

// For sums up the tables that may be seen.
func (m *moment) For(see func(string) bool) any { return m.tick(see) }

func (m *moment) tick(see func(string) bool) Tick {
	t := Tick{
		Time: m.time, Outcomes: map[event.Outcome]int64{}, DeadLetters: map[string]int64{}, Backlog: map[string]*int64{}, State: m.state, Clients: m.clients,
	}
	var freshness, queries samples
	for table, s := range m.tables {
		if see != nil && !see(table) {
			continue
		}
		addAll(t.Outcomes, s.outcomes)
		addAll(t.DeadLetters, s.deadLetters)
		freshness.merge(s.freshness)
		queries.merge(s.queries)
		t.Queries.Errors += s.queryErrors
		t.ChangesDropped += s.dropped
	}
	for table, n := range m.backlog {
		if see == nil || see(table) {
			t.Backlog[table] = n
		}
	}
	t.Freshness = freshness.quantiles()
	if q := queries.quantiles(); q != nil {
		t.Queries.Quantiles = *q
	}
	return t
}

func addAll[K comparable](into, from map[K]int64) {
	for k, n := range from {
		into[k] += n
	}
}
