package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/gateway"
	"github.com/rowvec/rowvec/gateway/stream"
)

// loadVariable makes TestLoad a measurement: how long each of its parts lasts. `make load` sets it.
const loadVariable = "ROWVEC_LOAD"

// loadPlan is what is asked of the gateway at once.
type loadPlan struct {
	rate       int // searches a second, whether or not those before are answered
	lasts      time.Duration
	rows       int           // in the index
	dimensions int           // of their vectors
	listeners  int           // that read the event stream
	stuck      int           // listeners that read nothing of it
	events     int           // a second
	adds       time.Duration // what the gateway may take beside the endpoint and Chroma, at the 99th percentile
	late       time.Duration // how late an event may come to a listener that reads
	chroma     bool          // the real one
}

// planned is the measurement, or the short form of it that runs with all tests, beside others and with the race detector.
func planned(t *testing.T) loadPlan {
	t.Helper()
	p := loadPlan{rate: 15, lasts: 5 * time.Second, rows: 30, dimensions: 32, listeners: 50, stuck: 5, events: 20, adds: 2 * time.Second, late: stream.WriteTimeout}
	if value, given := os.LookupEnv(loadVariable); given {
		lasts, err := time.ParseDuration(value)
		require.NoError(t, err, loadVariable)
		p.rate, p.events, p.lasts, p.rows, p.dimensions, p.adds, p.late, p.chroma = 200, 200, lasts, 10_000, 384, 5*time.Millisecond, time.Second, true
	}
	return p
}

// TestLoad: searches come at a constant rate, whatever becomes of those before, while many listen to the events and some of them read
// nothing. No search fails, the gateway adds little to what the endpoint and Chroma take, and those who read hear all in time.
func TestLoad(t *testing.T) {
	p := planned(t)
	s := newStand(t, p)
	known := func(n int) string { return fmt.Sprintf("a question that is asked again and again, number %d", n%50) }
	for _, part := range []struct {
		name     string
		question func(n int) string
		cached   bool
	}{
		{"new questions", func(n int) string { return fmt.Sprintf("question %d that nobody has asked before", n) }, false},
		{"known questions", known, true},
	} {
		t.Run(part.name, func(t *testing.T) {
			for n := 0; part.cached && n < 50; n++ {
				require.NoError(t, s.ask(t.Context(), time.Now(), known(n)).err)
			}
			crowd := s.gather(t, p)
			answers := s.attack(t.Context(), p, part.question)
			crowd.leave(t, p)
			requireAnswers(t, p, answers, part.cached)
		})
	}
}

// answered is what became of one search.
type answered struct {
	total  time.Duration // from when it was to be sent to the last byte of its answer
	behind time.Duration // of that the endpoint's and Chroma's
	held   time.Duration // what the simulated ones took by themselves, without the way there and back; 0: not known
	cached bool
	err    error
}

// attack sends the searches at their times. One that is sent late, as the machine is busy, counts from its time.
func (s *stand) attack(ctx context.Context, p loadPlan, question func(n int) string) []answered {
	answers := make([]answered, int(float64(p.rate)*p.lasts.Seconds()))
	var wg sync.WaitGroup
	for i, begun := 0, time.Now(); i < len(answers) && ctx.Err() == nil; i++ {
		due := begun.Add(time.Duration(i) * time.Second / time.Duration(p.rate))
		select {
		case <-time.After(time.Until(due)):
		case <-ctx.Done():
		}
		wg.Go(func() { answers[i] = s.ask(ctx, due, question(i)) })
	}
	wg.Wait()
	return answers
}

func (s *stand) ask(ctx context.Context, due time.Time, question string) (a answered) {
	asked, err := json.Marshal(map[string]any{"table": loadTable, "query": question, "topK": 10})
	if err != nil {
		return answered{err: err}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/v1/search", bytes.NewReader(asked))
	if err != nil {
		return answered{err: err}
	}
	r.Header.Set("Content-Type", "application/json")
	text, err := s.read(r)
	a.total = time.Since(due)
	var answer gateway.Answer
	if err == nil {
		err = json.Unmarshal(text, &answer)
	}
	if err == nil && len(answer.Rows) != 10 {
		err = fmt.Errorf("%d rows, not 10", len(answer.Rows))
	}
	a.err, a.cached = err, answer.TookMs.Cached
	a.behind = time.Duration((answer.TookMs.Embed + answer.TookMs.Index) * float64(time.Millisecond))
	a.held = s.heldFor(question, a.cached)
	return a
}

func (s *stand) read(r *http.Request) ([]byte, error) {
	answer, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(answer.Body)
	if err = errors.Join(err, answer.Body.Close()); err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("answered %s: %s", answer.Status, text)
	}
	return text, err
}

func requireAnswers(t *testing.T, p loadPlan, answers []answered, cached bool) {
	t.Helper()
	var totals, added, beyond []time.Duration
	misses := 0
	for i, a := range answers {
		require.NoError(t, a.err, "search %d of %d", i, len(answers))
		if a.cached != cached {
			misses++
		}
		totals, added = append(totals, a.total), append(added, a.total-a.behind)
		if a.held > 0 {
			beyond = append(beyond, a.total-a.held)
		}
	}
	t.Logf("%d searches, %d/s, no error", len(answers), p.rate)
	t.Logf("  the whole answer                         %s", quantiles(totals))
	t.Logf("  without the calls of endpoint and Chroma %s", quantiles(added))
	if len(beyond) > 0 {
		t.Logf("  without what these took by themselves    %s", quantiles(beyond))
	}
	require.Zero(t, misses, "the vectors of known questions are at hand, of new ones not")
	require.LessOrEqual(t, quantile(added, .99), p.adds, "what the gateway adds, p99")
}

func quantile(all []time.Duration, q float64) time.Duration {
	slices.Sort(all)
	return all[min(len(all)-1, int(q*float64(len(all))))]
}

func quantiles(all []time.Duration) string {
	var b strings.Builder
	for _, q := range []struct {
		name string
		q    float64
	}{{"p50", .5}, {"p95", .95}, {"p99", .99}, {"p99.9", .999}, {"max", 1}} {
		fmt.Fprintf(&b, "%s %.2f ms  ", q.name, float64(quantile(all, q.q).Microseconds())/1000)
	}
	return b.String()
}
