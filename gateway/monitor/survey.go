package monitor

import (
	"context"
	"maps"
	"sync"
	"time"
)

// survey asks everybody in rounds. Nobody who is slow holds up another's answer: each is asked by a goroutine of its own.
func (m *Monitor) survey(ctx context.Context) {
	var wg sync.WaitGroup
	if m.config.Broker != nil {
		wg.Go(func() { repeat(ctx, round, m.askBroker) })
	}
	wg.Go(func() { repeat(ctx, countRound, m.askIndex) })
	if m.config.Source != nil {
		wg.Go(func() { repeat(ctx, countRound, m.askSource) })
	}
	repeat(ctx, statusRound, m.publishStatus)
	wg.Wait()
}

// repeat calls ask at once and then every period.
func repeat(ctx context.Context, period time.Duration, ask func(context.Context)) {
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for ctx.Err() == nil {
		ask(ctx)
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

// update changes the status under the lock.
func (m *Monitor) update(change func(s *Status)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(m.status)
}

// health words what went wrong for an operator; why in detail goes to the log alone, where addresses may be named, and only when it
// is news.
func (m *Monitor) health(ctx context.Context, who string, before Health, err error) Health {
	if err == nil {
		return Health{OK: true}
	}
	now := Health{Error: who + " gave no good answer; the gateway's log says why"}
	if ctx.Err() == nil && before != now {
		m.config.Log.WarnContext(ctx, "the monitor got no answer", "from", who, "error", err)
	}
	return now
}

func (m *Monitor) askBroker(ctx context.Context) {
	asking, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	instances, err := m.config.Broker.Instances(asking)
	var backlog map[string]int64
	var waiting int64
	if err == nil {
		backlog, waiting, err = m.config.Broker.Backlog(asking)
	}
	before := m.summary()
	m.update(func(s *Status) {
		s.Sources.Admin = m.health(ctx, "Pulsar's admin interface", s.Sources.Admin, err)
		if err != nil {
			s.Instances, s.State, s.Cause, s.DeadLetters.Waiting = []Instance{}, Unknown, s.Sources.Admin.Error, nil
			for i := range s.Tables {
				s.Tables[i].Backlog = nil
			}
			return
		}
		s.Instances, s.DeadLetters.Waiting = append([]Instance{}, instances...), &waiting // never null in JSON
		s.State, s.Cause = summarize(instances)
		for i := range s.Tables {
			s.Tables[i].Backlog = nil
			if n, ok := backlog[s.Tables[i].Table]; ok {
				s.Tables[i].Backlog = &n
			}
		}
	})
	if m.summary() != before {
		m.publishStatus(ctx)
	}
}

// summary is what a listener must hear of at once.
func (m *Monitor) summary() [2]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return [2]string{string(m.status.State), m.status.Cause}
}

// summarize is the function's state: the worst of its instances'.
func summarize(instances []Instance) (State, string) {
	rank := map[State]int{Running: 0, Retrying: 1, Halted: 2, Away: 3}
	state, cause, alive := Running, "", false
	for _, i := range instances {
		alive = alive || i.Running
		if rank[i.State] > rank[state] {
			state, cause = i.State, i.Cause
		}
	}
	if !alive {
		return Away, "no instance of the function runs"
	}
	return state, cause
}

func (m *Monitor) askIndex(ctx context.Context) {
	var failed error
	for i, t := range m.config.Tables {
		asking, cancel := context.WithTimeout(ctx, askTimeout)
		counts, err := m.config.Index(asking, t)
		cancel()
		m.update(func(s *Status) {
			if err != nil {
				failed = err
				s.Tables[i].Records, s.Tables[i].Rows = nil, nil
				return
			}
			s.Tables[i].Records, s.Tables[i].Rows = &counts.Records, counts.Rows
			s.Tables[i].Coverage = coverage(s.Tables[i])
		})
	}
	m.update(func(s *Status) { s.Sources.Chroma = m.health(ctx, "Chroma", s.Sources.Chroma, failed) })
}

func (m *Monitor) askSource(ctx context.Context) {
	var failed error
	for i, t := range m.config.Tables {
		asking, cancel := context.WithTimeout(ctx, countRound)
		rows, err := m.config.Source(asking, t)
		cancel()
		m.update(func(s *Status) {
			if err != nil {
				failed = err
				s.Tables[i].SourceRows, s.Tables[i].Coverage = nil, nil
				return
			}
			s.Tables[i].SourceRows = &rows
			s.Tables[i].Coverage = coverage(s.Tables[i])
		})
	}
	m.update(func(s *Status) {
		var before Health
		if s.Sources.Postgres != nil {
			before = *s.Sources.Postgres
		}
		h := m.health(ctx, "Postgres", before, failed)
		s.Sources.Postgres = &h
	})
}

// coverage compares two counts taken at different moments: over 1 is rows deleted in between.
func coverage(t TableStatus) *float64 {
	if t.Rows == nil || t.SourceRows == nil {
		return nil
	}
	c := 1.0
	if *t.SourceRows > 0 {
		c = min(1, float64(*t.Rows)/float64(*t.SourceRows))
	}
	return &c
}

// Status returns the picture of this moment.
func (m *Monitor) Status() *Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.complete()
	return m.status.clone()
}

func (m *Monitor) publishStatus(context.Context) { m.hub.Publish("status", m.Status()) }

// complete adds what the events told. The caller holds mu.
func (m *Monitor) complete() {
	s := m.status
	s.Now = time.Now().UnixMilli()
	if m.config.Events != nil {
		s.Sources.Events = m.config.Events()
	}
	s.DeadLetters.ByReason = map[string]int64{}
	for _, t := range m.totals {
		addAll(s.DeadLetters.ByReason, t.deadLetters)
	}
	for i := range s.Tables {
		table := &s.Tables[i]
		table.Freshness = m.freshness(table.Table)
		if t, ok := m.totals[table.Table]; ok {
			last := t.lastChange
			table.DeadLetters, table.LastChange = maps.Clone(t.deadLetters), &last
		}
	}
}

// freshness of a table over the last freshSeconds. The caller holds mu.
func (m *Monitor) freshness(table string) *Quantiles {
	var all samples
	for _, t := range m.history[max(0, len(m.history)-freshSeconds):] {
		if s, ok := t.tables[table]; ok {
			all.merge(s.freshness)
		}
	}
	return all.quantiles()
}
