//go:build e2e

package chaos

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/e2e/chaos/plant"
	"github.com/rowvec/rowvec/e2e/chaos/report"
	"github.com/rowvec/rowvec/e2e/chaos/schedule"
	"github.com/rowvec/rowvec/e2e/observer"
	"github.com/rowvec/rowvec/function/verify"
)

const (
	rate = 30 // changes a second

	// What an instance with small records may use, a part of what README, Limits, allows: the payloads that batch.maxBytes (8 MiB) allows in the four batches in
	// work and in the queue, and a constant for the process itself. 62 MiB in all were seen.
	maxResident = (4+1)*8<<20 + 64<<20
	maxThreads  = 64
)

// TestChaos has faults go over every part of the stack, by a schedule that CHAOS_SEED and CHAOS_FOR decide, while rows change steadily. At the end the index
// equals the table, the dead letters are exactly those of the planted poison, no row was seen to go back, and memory stayed bounded.
func TestChaos(t *testing.T) {
	seed, length := asked(t)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("to run this again: make chaos CHAOS_SEED=%d CHAOS_FOR=%v CHAOS_ONLY='%s'", seed, length, os.Getenv("CHAOS_ONLY"))
		}
	})
	w := newWorld(t)
	w.prepareDatabase(t)
	w.keep(t, topic, letters, events)
	r := &run{T: t, world: w, rng: rand.New(rand.NewPCG(seed, 2))}
	r.functionFile, r.sourceFile = w.deploy(t)
	r.verifyFile = w.functionYAML(t, "chaos-verify.yaml", map[string]any{"userConfig/postgres/url": w.env.PostgresURL})
	r.begun = time.Now()
	changes := newWorkload(w.db, seed, rate)
	r.watch, r.planter = observer.New(w.chroma, collection, rows), &planter{world: w, every: max(5*time.Second, length/60)}
	meter := &meter{world: w}

	stopWatching := begin(t, r.watch.Run, meter.run)
	stopChanges := begin(t, changes.run, r.planter.run)
	faults, err := r.suffer(t.Context(), drawn(t, seed, length))
	rest(t.Context(), time.Until(r.begun.Add(length)))
	stopChanges()
	result := &report.Report{Seed: seed, Length: length, Faults: faults}
	t.Cleanup(func() { r.publish(t, result, meter) })
	require.NoError(t, err)
	require.NoError(t, r.planter.err)

	require.NoError(t, until(t.Context(), patience, w.drained))
	drained := time.Since(r.begun)
	planted := judged(t, w, r.planter.sown)
	require.NoError(t, r.planter.heal(t.Context()))
	require.NoError(t, until(t.Context(), patience, w.drained))
	stopWatching()
	verified := r.verified(t)
	r.tell(t, result, telling{changes: changes.counted(), verdict: planted, meter: meter, drained: drained, rows: verified})

	back, looks := r.watch.Result()
	require.Empty(t, back, "rows that were seen to go back")
	require.Greater(t, looks, int(length.Seconds())/10, "the observer must have looked while rows changed")
	require.LessOrEqual(t, meter.peak().resident, int64(maxResident), "resident memory of an instance")
	require.LessOrEqual(t, meter.peak().threads, maxThreads, "threads of an instance")
	require.NoError(t, until(t.Context(), time.Minute, w.well))
	judged(t, w, r.planter.sown) // what the poison rows became since has made no letter
}

// asked reads what is to be run: the short form unless it is said otherwise.
func asked(t *testing.T) (seed uint64, length time.Duration) {
	t.Helper()
	seed, err := strconv.ParseUint(cmp.Or(os.Getenv("CHAOS_SEED"), "1"), 10, 64)
	require.NoError(t, err, "CHAOS_SEED")
	length, err = time.ParseDuration(cmp.Or(os.Getenv("CHAOS_FOR"), "5m"))
	require.NoError(t, err, "CHAOS_FOR")
	return seed, length
}

// drawn is the schedule: CHAOS_ONLY takes only the kinds whose names it matches, for looking into one of them.
func drawn(t *testing.T, seed uint64, length time.Duration) []schedule.Fault {
	t.Helper()
	only := os.Getenv("CHAOS_ONLY")
	if only == "" {
		return schedule.Draw(seed, length)
	}
	names, err := regexp.Compile(only)
	require.NoError(t, err, "CHAOS_ONLY")
	faults := schedule.Only(seed, length, names)
	require.NotEmpty(t, faults, "CHAOS_ONLY=%s matches no fault", only)
	return faults
}

// begin runs tasks until the returned function is called, which waits for them.
func begin(t *testing.T, tasks ...func(context.Context)) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for _, task := range tasks {
		running.Go(func() { task(ctx) })
	}
	stop = func() { cancel(); running.Wait() }
	t.Cleanup(stop)
	return stop
}

// judged compares the dead letters with what was planted, and requires that they are the same.
func judged(t *testing.T, w *world, sown []plant.Plant) (verdict plant.Verdict) {
	t.Helper()
	require.NoError(t, until(t.Context(), patience, func(ctx context.Context) error {
		found, err := w.letters(ctx)
		if err != nil {
			return err
		}
		if verdict = plant.Judge(sown, found); !verdict.Exact() {
			err = fmt.Errorf("dead letters that are missing: %q\nunexpected: %q\nwrong: %q", verdict.Missing, verdict.Unexpected, verdict.Wrong)
		}
		return err
	}))
	return verdict
}

// verified waits until `rowvec verify` says equal, and returns how many rows there are. Where the source had lost its offset the ghosts of rows that were
// deleted meanwhile are removed first, as the README says, and there must be nothing else to mend.
func (r *run) verified(t *testing.T) (rows int) {
	t.Helper()
	if r.lost {
		mended, err := r.world.verify(t.Context(), r.verifyFile, "--repair")
		require.NoError(t, err)
		for _, kind := range verify.Kinds() {
			if kind != verify.Ghost && mended.Repair != nil {
				require.Zero(t, mended.Repair.Mended[kind], "%s after the source has read the table again: %+v", kind, mended)
			}
		}
		if mended.Repair != nil {
			r.ghosts = mended.Repair.Mended[verify.Ghost]
		}
	}
	require.NoError(t, until(t.Context(), patience, func(ctx context.Context) error {
		found, err := r.world.equal(ctx, r.verifyFile)
		if err == nil {
			rows = found.Rows
		}
		return err
	}))
	return rows
}

// publish prints the report, and leaves it as files. A run that failed has its picture, too, if the events can be read.
func (r *run) publish(t *testing.T, result *report.Report, m *meter) {
	t.Helper()
	if result.Seconds == nil {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		told, err := r.world.events(ctx)
		t.Logf("the run ended early: %d events were read (%v); functions status: %s", len(told.events), err, r.world.complaint(ctx))
		result.Seconds = r.seconds(told.events, m)
	}
	name := filepath.Join(r.world.out, fmt.Sprintf("chaos-%d", result.Seed))
	t.Logf("\n%s", result.Text())
	require.NoError(t, os.WriteFile(name+".txt", []byte(result.Text()), 0o600))
	require.NoError(t, os.WriteFile(name+".svg", []byte(result.Picture()), 0o600))
	t.Logf("table and picture are in %s.txt and .svg", name)
}
