//go:build e2e

package endurance

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/e2e/await"
	"github.com/rowvec/rowvec/embed/embedtest"
	"github.com/rowvec/rowvec/function/indexer"
)

const (
	outageRows = 3_000
	outageRate = 30               // changes a second, all the time
	nightly    = 2_500            // rows that change at once, when the outage begins
	slowModel  = time.Second      // for a request of 16 texts: the two instances with four requests each have at most 128 texts a second embedded
	fullWithin = 10 * time.Second // of the endpoint's return
	fullAfter  = 5 * time.Second  // is how long full speed is measured from then on

	// What an instance may use: the payloads that batch.maxBytes (8 MiB) allows in the four batches in work and in the queue, and a constant for the process
	// itself. The same bound holds in e2e/chaos.
	maxResident = (4+1)*8<<20 + 64<<20
)

// TestOutage takes the endpoint away while rows change steadily: once it refuses connections, for ENDURE_OUTAGE, and once it answers 503, for a shorter time.
// Nothing is dead-lettered, memory stays within its bound, hardly anything is asked meanwhile, and ten seconds after the return the endpoint embeds as many
// texts a second as it ever does for a backlog: as when the table was filled.
func TestOutage(t *testing.T) {
	t.Parallel()
	f := world.outage
	f.endpoint.becomes(slowModel, nil)
	load := &load{table: "outage", rows: outageRows, rate: outageRate}
	meter := &meter{function: f.name}
	stopMeter := begin(t, meter.run)
	full := fillingSpeed(t, f, load)
	stopLoad := begin(t, load.run)
	t.Logf("full speed is %.0f texts a second", full)

	refuse := outage{name: "connections refused", length: lengths.outage, begin: f.endpoint.door.Shut, end: f.endpoint.door.Open}
	unavailable := outage{name: "503", length: min(lengths.outage, 30*time.Second)}
	unavailable.begin = func() error {
		f.endpoint.becomes(0, embedtest.Always(embedtest.Fail(http.StatusServiceUnavailable, "", "come back later")))
		return nil
	}
	unavailable.end = func() error { f.endpoint.becomes(slowModel, nil); return nil }
	for _, o := range []outage{refuse, unavailable} {
		r := o.suffer(t, f, load, meter, full)
		t.Logf("\n%s", r.text())
		require.LessOrEqual(t, r.most, int64(maxResident), "resident memory of an instance")
		for id, probes := range r.probes {
			require.LessOrEqual(t, probes, r.allowed, "requests of instance %d while the endpoint was away", id)
			require.Positive(t, probes, "instance %d must have tried", id)
		}
		require.GreaterOrEqual(t, r.speed, 0.9*full, "texts a second, %v after the return", fullWithin)
	}
	stopLoad()
	require.NoError(t, load.err)
	f.drained(t, "outage", load.made(), patience)
	stopMeter()
	f.requireNoLetters(t)
	f.requireEqual(t, outageRows)
	require.LessOrEqual(t, meter.peak(time.Time{}, time.Now()), int64(maxResident), "resident memory of an instance")
}

// fillingSpeed fills the table, and measures how many texts a second are embedded while there is a backlog: between the first and the last fifth.
func fillingSpeed(t *testing.T, f *function, l *load) float64 {
	t.Helper()
	require.NoError(t, l.fill(t.Context()))
	f.drained(t, l.table, l.made(), patience)
	times := f.endpoint.embedded()
	from, to := len(times)/5, len(times)*4/5
	return float64(to-from) / times[to].Sub(times[from]).Seconds()
}

// outage is one way for an endpoint to be away.
type outage struct {
	name       string
	length     time.Duration
	begin, end func() error
}

// suffered is how an outage went.
type suffered struct {
	outage
	probes   []int         // requests that failed, by instance
	allowed  int           // for each of them
	backlog  int           // changes not settled when it ended
	back     time.Duration // until the speed was full
	speed    float64       // texts a second in the seconds after fullWithin
	full     float64
	before   int64 // resident memory before it, during it and after it
	during   int64
	after    int64
	most     int64
	drained  time.Duration // after its end
	settled  []int         // rows, in each second after its end
	embedded []int         // texts, in each second after its end
}

// suffer takes the endpoint away for a while, and waits until all is made up for.
func (o outage) suffer(t *testing.T, f *function, l *load, m *meter, full float64) *suffered {
	t.Helper()
	failedBefore := f.failed(t)
	begun := time.Now()
	require.NoError(t, o.begin())
	require.NoError(t, l.many(t.Context(), nightly))
	require.True(t, await.Rest(t.Context(), time.Until(begun.Add(o.length))))
	r := &suffered{outage: o, full: full, probes: f.failed(t), allowed: steps(o.length) + 2*concurrency}
	for id := range r.probes {
		r.probes[id] -= failedBefore[id]
	}
	ended := time.Now()
	require.NoError(t, o.end())
	require.NoError(t, await.Until(t.Context(), 30*time.Minute, f.idle))
	r.drained = time.Since(ended)
	require.Greater(t, r.drained, fullWithin+fullAfter, "the backlog must last until full speed is measured")
	settled, embedded := f.settled(t), f.endpoint.embedded()
	r.backlog = within(settled, ended, ended.Add(r.drained)) - int(r.drained.Seconds()*outageRate)
	r.settled, r.embedded = bySecond(settled, ended, r.drained), bySecond(embedded, ended, r.drained)
	r.speed = speed(embedded, ended.Add(fullWithin), fullAfter)
	for r.back < r.drained && speed(embedded, ended.Add(r.back), fullAfter) < 0.9*full {
		r.back += 100 * time.Millisecond
	}
	r.before, r.during, r.after = m.peak(begun.Add(-10*time.Second), begun), m.peak(begun, ended), m.peak(ended, time.Now())
	r.most = max(r.before, r.during, r.after)
	return r
}

// steps is how many back-off steps there are in a time at most, of ten thousand draws: with jitter, 4 s long on average once they have grown.
func steps(length time.Duration) (most int) {
	for range 10_000 {
		n := 0
		for passed := time.Duration(0); passed < length; n++ {
			passed += indexer.Delay(errAway, n+1)
		}
		most = max(most, n)
	}
	return most
}

var errAway = errors.New("the endpoint is away")

// within counts what happened in [from, to).
func within(times []time.Time, from, to time.Time) (n int) {
	for _, at := range times {
		if !at.Before(from) && at.Before(to) {
			n++
		}
	}
	return n
}

func bySecond(times []time.Time, from time.Time, over time.Duration) (counts []int) {
	for passed := time.Duration(0); passed < over; passed += time.Second {
		counts = append(counts, within(times, from.Add(passed), from.Add(passed+time.Second)))
	}
	return counts
}

func speed(times []time.Time, from time.Time, over time.Duration) float64 {
	return float64(within(times, from, from.Add(over))) / over.Seconds()
}

func (r *suffered) text() string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "  %-12s "+format+"\n", append([]any{name}, args...)...)
	}
	fmt.Fprintf(&b, "outage: %s for %v, %d changes a second, %d instances\n", r.name, r.length, outageRate, instances)
	line("probes", "%v by instance, at most %d allowed", r.probes, r.allowed)
	line("memory", "%s MiB before, %s during, %s after; allowed are %s", mebibytes(r.before), mebibytes(r.during), mebibytes(r.after), mebibytes(maxResident))
	line("backlog", "%d changes, drained after %v", r.backlog, r.drained.Round(100*time.Millisecond))
	line("full speed", "after %v; %.0f texts a second %v after the return, %.0f when the table was filled", r.back, r.speed, fullWithin, r.full)
	line("texts", "by second after the return %v", r.embedded[:min(30, len(r.embedded))])
	line("rows", "by second after the return %v", r.settled[:min(30, len(r.settled))])
	return b.String()
}

func mebibytes(n int64) string { return fmt.Sprintf("%.0f", float64(n)/(1<<20)) }
