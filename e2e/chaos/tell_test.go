//go:build e2e

package chaos

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/e2e/chaos/plant"
	"github.com/rowvec/rowvec/e2e/chaos/report"
	"github.com/rowvec/rowvec/event"
)

// telling is what a run leaves to be told of.
type telling struct {
	changes counts
	verdict plant.Verdict
	meter   *meter
	drained time.Duration
	rows    int
}

// tell completes the report.
func (r *run) tell(t *testing.T, result *report.Report, of telling) {
	t.Helper()
	told, err := r.world.events(t.Context())
	require.NoError(t, err)
	messages, err := r.world.messages(t.Context())
	require.NoError(t, err)
	requests, refused, texts := r.world.endpoint.counted()
	most := of.meter.peak()
	needed := of.changes.chunks + r.canary + r.planter.good + of.verdict.Expected
	add := func(name, format string, args ...any) {
		result.Totals = append(result.Totals, report.Total{Name: name, Value: fmt.Sprintf(format, args...)})
	}
	add("changes", "%d of the workload in %d transactions (%d failed), %d canaries, %d poison", of.changes.changes, of.changes.transactions, of.changes.failed, r.canary, of.verdict.Expected)
	add("messages", "%d in the table's topic", messages)
	add("records settled", "%d, of %d messages: %d were delivered and settled again", len(told.events), told.distinct, len(told.events)-told.distinct)
	add("requests to the endpoint", "%d, of which %d met a fault", requests, refused)
	add("texts embedded", "%d, at most %d needed; %d of them for changes that became durable, %d wasted (%.1f %%)",
		texts, needed, told.useful, max(0, texts-told.useful), 100*float64(max(0, texts-told.useful))/float64(max(1, texts)))
	add("dead letters", "%d for %d planted; %d published twice for one message, %d for messages sent again", of.verdict.Letters, of.verdict.Expected, of.verdict.Again, of.verdict.Resent)
	back, looks := r.watch.Result()
	add("looks at the index", "%d, %d rows went back", looks, len(back))
	add("memory", "%.0f MiB resident at most, allowed are %d MiB; %d threads", float64(most.resident)/(1<<20), maxResident>>20, most.threads)
	add("drained", "%v after the start; equal, %d rows", of.drained.Round(time.Second), of.rows)
	add("by hand", "%d restarts of the function, which Pulsar had not started again with itself; %d ghosts that a lost offset had left, and %d rows of a lost Chroma mended", r.byHand, r.ghosts, r.rebuilt)
	result.Seconds = r.seconds(told.events, of.meter)
}

// seconds puts events and samples on the run's clock.
func (r *run) seconds(events []event.Event, m *meter) []report.Second {
	var line []report.Second
	at := func(when time.Time) *report.Second {
		n := int(when.Sub(r.begun).Seconds())
		if n < 0 || n > int((24*time.Hour).Seconds()) {
			return &report.Second{}
		}
		for len(line) <= n {
			line = append(line, report.Second{})
		}
		return &line[n]
	}
	fresh := map[int][]time.Duration{}
	for _, e := range events {
		at(e.SettledAt).Settled++
		if took, ok := e.Freshness(); ok {
			n := int(e.DurableAt.Sub(r.begun).Seconds())
			fresh[n] = append(fresh[n], took)
		}
	}
	for n, took := range fresh {
		slices.Sort(took)
		at(r.begun.Add(time.Duration(n) * time.Second)).Freshness = took[(len(took)*99-1)/100]
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, u := range m.samples {
		at(u.at).Resident = u.resident
	}
	return line
}
