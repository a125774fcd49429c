// Package monitor keeps the live picture that the gateway shows: what each second brought, the latest changes, the state of the
// function and of its tables. It learns changes from the function's outcome events and asks for the rest in rounds.
package monitor

import (
	"context"
	"sync"
	"time"

	"github.com/rowvec/rowvec/event"
	"github.com/rowvec/rowvec/gateway/stream"
)

// Sizes of what is kept.
const (
	HistorySeconds = 300
	lastChanges    = 100
	changesASecond = 50     // sent to listeners; the others are counted
	ringSize       = 20_000 // messages: the history and the changes of its seconds
	freshSeconds   = 60     // over which a table's freshness is measured
)

// Monitor is the picture. Its methods may be called from any goroutine.
type Monitor struct {
	config Config
	hub    *stream.Hub

	mu      sync.Mutex
	current map[string]*second // by table
	sent    int                // changes sent in the current second
	history []*moment          // the last HistorySeconds
	changes []Change           // the last lastChanges
	totals  map[string]*total  // by table
	status  *Status
}

// total is what a table brought since the gateway's start.
type total struct {
	deadLetters map[string]int64
	lastChange  int64
}

// New returns a monitor; Run makes it tick.
func New(c Config) *Monitor {
	m := &Monitor{config: c, hub: stream.NewHub(ringSize), current: map[string]*second{}, totals: map[string]*total{}}
	m.status = m.blank()
	return m
}

// Observe takes in an outcome event.
func (m *Monitor) Observe(e *event.Event) {
	change := newChange(e)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.second(e.Table).observe(e)
	t := m.total(e.Table)
	t.lastChange = max(t.lastChange, change.Time)
	if e.Outcome == event.Poison {
		t.deadLetters[e.Reason]++
	}
	m.changes = append(m.changes, change)
	if over := len(m.changes) - lastChanges; over > 0 {
		m.changes = append(m.changes[:0], m.changes[over:]...)
	}
	if m.sent >= changesASecond {
		m.second(e.Table).dropped++
		return
	}
	m.sent++
	m.hub.Publish("change", change)
}

func newChange(e *event.Event) Change {
	return Change{
		Time: e.SettledAt.UnixMilli(), Table: e.Table, Row: e.Row, Operation: e.Operation, Outcome: e.Outcome, Reason: e.Reason,
		FreshnessMs: e.FreshnessMs, Chunks: e.Chunks, Texts: e.Texts, LSN: e.LSN, Instance: e.Instance,
	}
}

// Query takes in a search that the gateway answered, or failed to.
func (m *Monitor) Query(table string, took time.Duration, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.second(table)
	if err != nil {
		s.queryErrors++
		return
	}
	s.queries.add(took)
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
	t := &moment{time: now.UnixMilli(), tables: m.current, backlog: map[string]*int64{}, state: m.status.State, clients: m.hub.Listeners()}
	for _, table := range m.status.Tables {
		t.backlog[table.Table] = table.Backlog
	}
	m.current, m.sent = map[string]*second{}, 0
	m.history = append(m.history, t)
	if over := len(m.history) - HistorySeconds; over > 0 {
		m.history = append(m.history[:0], m.history[over:]...)
	}
	m.hub.Publish("tick", t)
}

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
	return append(events, stream.Event{Name: "status", Body: m.status.clone().For(see)})
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
