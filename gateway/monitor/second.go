package monitor

import (
	"time"

	"github.com/rowvec/rowvec/event"
)

// second is what one table brought in one second. What belongs to no table of the settings has the name "".
type second struct {
	outcomes    map[event.Outcome]int64
	deadLetters map[string]int64
	freshness   durations
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
		s.freshness.add(milliseconds(d)) // a snapshot's row has no commit of its own
	}
}

// moment is a whole second: every table's share, and what holds for all of them.
type moment struct {
	time     int64
	tables   map[string]*second
	searches []*searches
	backlog  map[string]*int64
	state    State
	clients  int
}

// For sums up the tables that may be seen.
func (m *moment) For(see func(string) bool) any { return m.tick(see) }

func (m *moment) tick(see func(string) bool) Tick {
	t := Tick{
		Time: m.time, Outcomes: map[event.Outcome]int64{}, DeadLetters: map[string]int64{}, Backlog: map[string]*int64{}, State: m.state, Clients: m.clients,
	}
	var freshness, queries durations
	for table, s := range m.tables {
		if see != nil && !see(table) {
			continue
		}
		addAll(t.Outcomes, s.outcomes)
		addAll(t.DeadLetters, s.deadLetters)
		freshness.merge(&s.freshness)
		t.ChangesDropped += s.dropped
	}
	for _, s := range m.searches {
		if s.seen(see) {
			queries.merge(&s.took)
			t.Queries.Errors += s.errors
		}
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

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1_000 }

func addAll[K comparable](into, from map[K]int64) {
	for k, n := range from {
		into[k] += n
	}
}
