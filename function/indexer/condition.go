package indexer

import (
	"log/slog"
	"sync"
	"time"
)

// State is how a table is doing: a closed set, used as metric label.
type State string

// The states of a table, from good to bad.
const (
	Running  State = "running"
	Retrying State = "retrying" // something fails that waiting can cure
	Halted   State = "halted"   // a setting must change; the table takes no records
)

// Condition is a table's state and, unless it is running, the oldest cause. Cause is free of secrets as far as the errors of the
// Embedder and the Store are.
type Condition struct {
	State State
	Cause string
	Since time.Time // when the table came into this state
}

// trouble is one operation that does not get on.
type trouble struct {
	of    *conditions
	state State
	cause string
	least bool // it is told only where there is no other of its state
}

// conditions keeps the troubles of a table and tells its condition: that of the worst trouble, the oldest of equals, one that others wait for first.
type conditions struct {
	table   string
	log     *slog.Logger
	observe func(Condition)

	publishing sync.Mutex // held while a change is published, so that observers see changes in order; taken before mu
	mu         sync.Mutex
	now        Condition
	troubles   []*trouble // oldest first
}

func newConditions(table string, log *slog.Logger, observe func(Condition)) *conditions {
	return &conditions{table: table, log: log, observe: observe, now: Condition{State: Running, Since: time.Now()}}
}

// operation returns a reporter for one operation.
func (c *conditions) operation() *trouble { return &trouble{of: c, state: Running} }

// minor returns a reporter for an operation that nobody else waits for.
func (c *conditions) minor() *trouble { return &trouble{of: c, state: Running, least: true} }

// current returns the condition.
func (c *conditions) current() Condition {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (t *trouble) report(s State, err error) {
	t.of.publish(func() {
		if t.state == Running {
			t.of.troubles = append(t.of.troubles, t)
		}
		t.state, t.cause = s, err.Error()
	})
}

func (t *trouble) clear() {
	if t.state == Running { // only its own operation writes it
		return
	}
	t.of.publish(func() {
		t.state = Running
		for i, other := range t.of.troubles {
			if other == t {
				t.of.troubles = append(t.of.troubles[:i], t.of.troubles[i+1:]...)
				return
			}
		}
	})
}

// publish applies a change and tells the observer when the condition is another one.
func (c *conditions) publish(change func()) {
	c.publishing.Lock()
	defer c.publishing.Unlock()
	c.mu.Lock()
	change()
	before, now := c.now, Condition{State: Running}
	least := false
	for _, t := range c.troubles {
		if now.State == Running || (now.State == Retrying && t.state == Halted) || least && !t.least && t.state == now.State {
			now.State, now.Cause, least = t.state, t.cause, t.least
		}
	}
	now.Since = before.Since
	if now.State != before.State {
		now.Since = time.Now()
	}
	c.now = now
	c.mu.Unlock()
	if now == before {
		return
	}
	if now.State != before.State {
		c.write(now)
	}
	c.observe(now)
}

func (c *conditions) write(now Condition) {
	switch now.State {
	case Running:
		c.log.Info("table is running again", "table", c.table)
	case Retrying:
		c.log.Warn("table is retrying", "table", c.table, "cause", now.Cause)
	case Halted:
		c.log.Error("table is halted until a setting changes", "table", c.table, "cause", now.Cause)
	}
}
