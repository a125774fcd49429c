package monitor_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/event"
	"github.com/rowvec/rowvec/gateway/monitor"
)

// world is everybody whom the monitor asks.
type world struct {
	mu        sync.Mutex
	instances []monitor.Instance
	backlog   map[string]int64
	waiting   int64
	records   int64
	rows      int64
	err       error // of everybody

	instancesErr, backlogErr, chromaErr, postgresErr error
	index, source                                    func(ctx context.Context, table string) error // before a count is answered
}

func (w *world) set(change func(w *world)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(w)
}

func (w *world) Instances(context.Context) ([]monitor.Instance, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.instances, errors.Join(w.err, w.instancesErr)
}

func (w *world) Backlog(context.Context) (map[string]int64, *int64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return nil, nil, w.err
	}
	waiting := w.waiting
	return maps.Clone(w.backlog), &waiting, w.backlogErr
}

// answer waits for the test, where it holds up the counting.
func (w *world) answer(ctx context.Context, hold func(ctx context.Context, table string) error, table string) error {
	if hold != nil {
		if err := hold(ctx, table); err != nil {
			return err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// tables are those in Postgres.
type tables struct{ *world }

func (t tables) Ping(context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return errors.Join(t.err, t.postgresErr)
}

func (t tables) Rows(ctx context.Context, table string) (int64, error) {
	return t.rows, t.answer(ctx, t.source, table)
}

func (w *world) config() monitor.Config {
	return monitor.Config{
		Version: "v1", Function: monitor.FunctionName{Tenant: "public", Namespace: "default", Name: "f"},
		Tables: []monitor.Table{{Table: "app.a", Collection: "a", Entity: "article"}, {Table: "app.b", Collection: "b"}},
		Broker: w,
		Chroma: func(context.Context) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			return errors.Join(w.err, w.chromaErr)
		},
		Index: func(ctx context.Context, t monitor.Table) (monitor.IndexCounts, error) {
			return monitor.IndexCounts{Records: w.records, Rows: &w.records}, w.answer(ctx, w.index, t.Table)
		},
		Source: tables{w},
		Events: func() monitor.Health { return monitor.Health{OK: true} },
		Log:    slog.New(slog.DiscardHandler),
	}
}

func healthy() *world {
	return &world{
		instances: []monitor.Instance{{ID: 0, Running: true, State: monitor.Running}}, backlog: map[string]int64{"app.a": 3}, waiting: 2,
		records: 90, rows: 100,
	}
}

const function = "public/default/f"

// watch runs a monitor in a bubble of its own clock; observe ends it.
func watch(t *testing.T, w *world, observe func(m *monitor.Monitor)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := monitor.New(w.config())
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { m.Run(ctx) })
		synctest.Wait()
		observe(m)
		stop()
		wg.Wait()
	})
}

// pass lets the bubble's clock go on, and everything that waits for it.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func indexed(table string, row int, took time.Duration) *event.Event {
	now := time.Now()
	ms := took.Milliseconds()
	return &event.Event{
		Version: event.Version, Function: function, Table: table, Row: strconv.Itoa(row), Operation: event.Update, Outcome: event.Indexed,
		CommittedAt: now.Add(-took), DurableAt: now, SettledAt: now, FreshnessMs: &ms, Chunks: 1, Texts: 1,
	}
}

// opening decodes what a listener hears first.
func opening(t *testing.T, m *monitor.Monitor, see func(string) bool) (hello monitor.Hello, ticks []monitor.Tick, changes []monitor.Change, status monitor.Status) {
	t.Helper()
	for _, e := range m.Opening(see, false, false) {
		data, err := json.Marshal(e.Body)
		require.NoError(t, err)
		switch e.Name {
		case "hello":
			require.NoError(t, json.Unmarshal(data, &hello))
		case "history":
			var h monitor.History
			require.NoError(t, json.Unmarshal(data, &h))
			ticks = h.Ticks
		case "change":
			var c monitor.Change
			require.NoError(t, json.Unmarshal(data, &c))
			changes = append(changes, c)
		case "status":
			require.NoError(t, json.Unmarshal(data, &status))
		}
	}
	return hello, ticks, changes, status
}
