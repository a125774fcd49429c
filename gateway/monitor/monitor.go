// Package monitor keeps the live picture that the gateway shows: what each second brought, the latest changes, the state of the
// function and of its tables. It learns changes from the function's outcome events and asks for the rest in rounds.
package monitor

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rowvec/rowvec/event"
	"github.com/rowvec/rowvec/gateway/rowpath"
	"github.com/rowvec/rowvec/gateway/stream"
)

// Sizes of what is kept.
const (
	HistorySeconds = 300
	lastChanges    = 100
	changesASecond = 50     // sent to listeners; the others are counted
	ringSize       = 20_000 // messages: the changes, ticks and statuses of stream.MaxAge
	freshSeconds   = 60     // over which a table's freshness is measured
)

// Monitor is the picture. Its methods may be called from any goroutine.
type Monitor struct {
	config Config
	hub    *stream.Hub
	tables map[string]Table // those of the settings
	ready  atomic.Bool      // Chroma answered when it was asked last

	mu       sync.Mutex
	current  map[string]*second   // by table
	searches map[string]*searches // of the current second, by their tables
	sent     int                  // changes sent in the current second
	history  []*moment            // the last HistorySeconds
	changes  []Change             // the last lastChanges
	totals   map[string]*total    // by table
	status   *Status
	failing  map[string]bool // who gave no good answer when he was asked last, and the log says so
}

// total is what a table brought since the gateway's start.
type total struct {
	deadLetters map[string]int64
	lastChange  int64
}

// New returns a monitor; Run makes it tick.
func New(c Config) *Monitor {
	m := &Monitor{
		config: c, hub: stream.NewHub(ringSize), tables: map[string]Table{}, current: map[string]*second{}, searches: map[string]*searches{}, totals: map[string]*total{},
		failing: map[string]bool{},
	}
	for _, t := range c.Tables {
		m.tables[t.Table] = t
	}
	m.status = m.blank()
	return m
}

// Observe takes in an outcome event. Another function may publish to the same topic: its events are passed over.
func (m *Monitor) Observe(e *event.Event) {
	if e.Function != m.config.Function.String() {
		return
	}
	change, table := m.newChange(e), m.known(e.Table)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.second(table).observe(e)
	t := m.total(table)
	t.lastChange = max(t.lastChange, change.Time)
	if e.Outcome == event.Poison {
		t.deadLetters[e.Reason]++
	}
	m.changes = append(m.changes, change)
	if over := len(m.changes) - lastChanges; over > 0 {
		m.changes = append(m.changes[:0], m.changes[over:]...)
	}
	if m.sent >= changesASecond {
		m.second(table).dropped++
		return
	}
	m.sent++
	m.hub.Publish("change", change)
}

// known is the name that a table is counted under: "" for one that is not in the gateway's settings, be it the function's own are newer.
func (m *Monitor) known(table string) string {
	if _, ok := m.tables[table]; ok {
		return table
	}
	return ""
}

// newChange names the row as the routes do: its id in the index may carry the table's name.
func (m *Monitor) newChange(e *event.Event) Change {
	return Change{
		Time: e.SettledAt.UnixMilli(), Table: e.Table, Row: rowpath.Of(m.tables[e.Table].IDs.Name(e.Row, "")), Operation: e.Operation, Outcome: e.Outcome, Reason: e.Reason,
		FreshnessMs: e.FreshnessMs, Chunks: e.Chunks, Texts: e.Texts, LSN: e.LSN, Instance: e.Instance,
	}
}

// second returns the table's share of the current second. The caller holds mu.
func (m *Monitor) second(table string) *second {
	s, ok := m.current[table]
	if !ok {
		s = newSecond()
		m.current[table] = s
	}
	return s
}

func (m *Monitor) total(table string) *total {
	t, ok := m.totals[table]
	if !ok {
		t = &total{deadLetters: map[string]int64{}}
		m.totals[table] = t
	}
	return t
}

// Run ticks each second and asks for the status in rounds, until ctx ends.
func (m *Monitor) Run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { m.survey(ctx) })
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for ctx.Err() == nil {
		select {
		case now := <-ticker.C:
			m.tick(now)
		case <-ctx.Done():
		}
	}
	wg.Wait()
}

// tick closes the current second.
func (m *Monitor) tick(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := &moment{
		time: now.UnixMilli(), tables: m.current, searches: slices.Collect(maps.Values(m.searches)), backlog: map[string]*int64{},
		state: m.status.State, clients: m.hub.Listeners(),
	}
	for _, table := range m.status.Tables {
		t.backlog[table.Table] = table.Backlog
	}
	m.current, m.searches, m.sent = map[string]*second{}, map[string]*searches{}, 0
	m.history = append(m.history, t)
	if over := len(m.history) - HistorySeconds; over > 0 {
		m.history = append(m.history[:0], m.history[over:]...)
	}
	for i := range m.status.Tables {
		m.status.Tables[i].Freshness = m.freshness(m.status.Tables[i].Table)
	}
	m.hub.Publish("tick", t)
}

// freshness of a table over the last freshSeconds. The caller holds mu.
func (m *Monitor) freshness(table string) *Quantiles {
	var all durations
	for _, t := range m.history[max(0, len(m.history)-freshSeconds):] {
		if s, ok := t.tables[table]; ok {
			all.merge(&s.freshness)
		}
	}
	return all.quantiles()
}

// Ready reports whether questions can be answered: whether Chroma gave its last sign of life. It costs nothing.
func (m *Monitor) Ready() bool { return m.ready.Load() }

// Hub is where listeners hear of it.
func (m *Monitor) Hub() *stream.Hub { return m.hub }

// Opening is what a listener hears first: who we are, the seconds and the changes before, the status. One that resumes has them.
func (m *Monitor) Opening(see func(string) bool, resumed, authenticated bool) []stream.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	events := []stream.Event{{Name: "hello", Body: m.hello(see, authenticated)}}
	if !resumed {
		h := History{Ticks: make([]Tick, len(m.history))}
		for i, t := range m.history {
			h.Ticks[i] = t.tick(see)
		}
		events = append(events, stream.Event{Name: "history", Body: h})
		for _, c := range m.changes {
			if body := c.For(see); body != nil {
				events = append(events, stream.Event{Name: "change", Body: body})
			}
		}
	}
	m.complete()
	last := stream.Event{Name: "status", Body: m.status.clone().For(see)}
	if !resumed {
		last.ID = m.hub.Last() // ticks and changes are published under mu: the opening has all until here
	}
	return append(events, last)
}

func (m *Monitor) hello(see func(string) bool, authenticated bool) Hello {
	h := Hello{
		Version: m.config.Version, Now: time.Now().UnixMilli(), Function: m.config.Function.String(), Tables: []Named{},
		HistorySeconds: HistorySeconds, Authenticated: authenticated,
	}
	for _, t := range m.config.Tables {
		if see == nil || see(t.Table) {
			h.Tables = append(h.Tables, Named{Table: t.Table, Entity: t.Entity})
		}
	}
	return h
}
