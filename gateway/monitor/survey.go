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
	for _, ask := range m.questions() {
		wg.Go(func() { repeat(ctx, round, ask) })
	}
	wg.Go(func() { m.keepCounting(ctx, indexCounts, m.countIndex) })
	if m.config.Source != nil {
		wg.Go(func() { m.keepCounting(ctx, sourceCounts, m.countSource) })
	}
	repeat(ctx, statusRound, m.publishStatus)
	wg.Wait()
}

// questions are those that are answered at once.
func (m *Monitor) questions() []func(context.Context) {
	all := []func(context.Context){m.askChroma}
	if m.config.Source != nil {
		all = append(all, m.askPostgres)
	}
	if m.config.Broker != nil {
		all = append(all, m.askInstances, m.askBacklog)
	}
	return all
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
func (m *Monitor) health(ctx context.Context, who string, err error) Health {
	m.mu.Lock()
	news := err != nil && !m.failing[who]
	m.failing[who] = err != nil
	m.mu.Unlock()
	if news && ctx.Err() == nil {
		m.config.Log.WarnContext(ctx, "the monitor got no answer", "from", who, "error", err)
	}
	if err == nil {
		return Health{OK: true}
	}
	return Health{Error: who + " gave no good answer; the gateway's log says why"}
}

const (
	nameOfChroma   = "Chroma"
	nameOfAdmin    = "Pulsar's admin interface"
	nameOfPostgres = "Postgres"
)

func (m *Monitor) askChroma(ctx context.Context) {
	asking, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	err := m.config.Chroma(asking)
	health := m.health(ctx, nameOfChroma, err)
	m.ready.Store(err == nil)
	m.update(func(s *Status) { s.Sources.Chroma = health })
}

func (m *Monitor) askPostgres(ctx context.Context) {
	asking, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	health := m.health(ctx, nameOfPostgres, m.config.Source.Ping(asking))
	m.update(func(s *Status) { s.Sources.Postgres = &health })
}

func (m *Monitor) askInstances(ctx context.Context) {
	asking, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	instances, err := m.config.Broker.Instances(asking)
	health := m.health(ctx, nameOfAdmin, err)
	before := m.summary()
	m.update(func(s *Status) {
		s.Sources.Admin = health
		if err != nil {
			s.Instances, s.State, s.Cause = []Instance{}, Unknown, health.Error
			return
		}
		s.Instances = append([]Instance{}, instances...) // never null in JSON
		s.State, s.Cause = summarize(instances)
	})
	if m.summary() != before {
		m.publishStatus(ctx)
	}
}

// askBacklog shows what can be known of it: a topic that cannot be read hides no other.
func (m *Monitor) askBacklog(ctx context.Context) {
	asking, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	backlog, waiting, err := m.config.Broker.Backlog(asking)
	m.health(ctx, "Pulsar about the backlog", err)
	m.update(func(s *Status) {
		s.DeadLetters.Waiting = waiting
		for i := range s.Tables {
			s.Tables[i].Backlog = nil
			if n, ok := backlog[s.Tables[i].Table]; ok {
				s.Tables[i].Backlog = &n
			}
		}
	})
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
		if t, ok := m.totals[table.Table]; ok {
			last := t.lastChange
			table.DeadLetters, table.LastChange = maps.Clone(t.deadLetters), &last
		}
	}
}
