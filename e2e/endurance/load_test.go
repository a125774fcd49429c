//go:build e2e

package endurance

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/e2e/await"
	"github.com/rowvec/rowvec/e2e/footprint"
)

// begin runs a task until the returned function is called, which waits for it.
func begin(t *testing.T, task func(context.Context)) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { task(ctx) })
	stop = func() { cancel(); running.Wait() }
	t.Cleanup(stop)
	return stop
}

// load gives the rows of a table new texts.
type load struct {
	table      string
	rows, rate int
	err        error // of run, when that is over

	mu      sync.Mutex
	changes int // so far
}

// fill makes the rows, in one transaction.
func (l *load) fill(ctx context.Context) error {
	return l.change(ctx, l.rows, "INSERT INTO app."+l.table+" SELECT i, 'Number ' || i || ' begins.' FROM generate_series(1, $1) AS i", l.rows)
}

// many changes n rows in one transaction.
func (l *load) many(ctx context.Context, n int) error {
	return l.change(ctx, n, "UPDATE app."+l.table+" SET body = 'Number ' || id || ' was among many at ' || clock_timestamp() WHERE id <= $1", n)
}

// run changes rows steadily until ctx ends.
func (l *load) run(ctx context.Context) {
	const each = 5
	rng := rand.New(rand.NewPCG(1, 1))
	for due := time.Now(); l.err == nil && await.Rest(ctx, time.Until(due)); due = due.Add(each * time.Second / time.Duration(l.rate)) {
		l.err = l.change(context.WithoutCancel(ctx), each, "UPDATE app."+l.table+" SET body = 'Number ' || id || ' has another text: ' || $1 WHERE id = ANY($2)",
			strconv.FormatUint(rng.Uint64(), 10), draw(rng, l.rows, each))
	}
}

// draw chooses n of the ids 1 to rows.
func draw(rng *rand.Rand, rows, n int) []int {
	chosen := map[int]bool{}
	for len(chosen) < n {
		chosen[1+rng.IntN(rows)] = true
	}
	return slices.Collect(maps.Keys(chosen))
}

func (l *load) change(ctx context.Context, n int, sql string, args ...any) error {
	done, err := world.db.Exec(ctx, sql, args...)
	if err != nil {
		return err
	}
	if done.RowsAffected() != int64(n) {
		return fmt.Errorf("%d rows were changed, not %d", done.RowsAffected(), n)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changes += n
	return nil
}

// made is how many changes were made.
func (l *load) made() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changes
}

// meter samples the resident memory of a function's instances each second.
type meter struct {
	function string

	mu      sync.Mutex
	samples []sample
}

type sample struct {
	at       time.Time
	resident int64 // bytes, of the largest instance
}

func (m *meter) run(ctx context.Context) {
	for await.Rest(ctx, time.Second) {
		there, err := footprint.Find(stackFolder, footprint.Instance, m.function)
		if err != nil {
			continue // TestOutage requires samples
		}
		s := sample{at: time.Now()}
		for _, pid := range there {
			if use, err := footprint.Of(pid); err == nil {
				s.resident = max(s.resident, use.Resident)
			}
		}
		m.mu.Lock()
		m.samples = append(m.samples, s)
		m.mu.Unlock()
	}
}

// peak is the most that was seen in a time.
func (m *meter) peak(from, to time.Time) (most int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.samples {
		if !s.at.Before(from) && s.at.Before(to) {
			most = max(most, s.resident)
		}
	}
	return most
}

// failed is how many requests to the endpoint have failed so far, by instance.
func (f *function) failed(t *testing.T) []int {
	t.Helper()
	s, err := world.pulsar.FunctionStats(t.Context(), f.name)
	require.NoError(t, err)
	require.Len(t, s.Instances, instances)
	n := make([]int, instances)
	for _, i := range s.Instances {
		for name, value := range i.Metrics.UserMetrics {
			if strings.HasPrefix(name, "rowvec_embed_requests_total{") && !strings.Contains(name, "code=200") {
				n[i.ID] += int(value)
			}
		}
	}
	return n
}

// idle tells whether the backlog is gone but for what has just come.
func (f *function) idle(ctx context.Context) error {
	for _, table := range f.tables {
		s, err := world.pulsar.TopicStats(ctx, topic(table))
		if err != nil {
			return err
		}
		if left := s.Subscriptions[f.name].Backlog; left > 2*outageRate {
			return fmt.Errorf("%d changes of %s are left", left, table)
		}
	}
	return nil
}
