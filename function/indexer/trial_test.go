package indexer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// answered is an error as the endpoint's client returns it.
type answered struct {
	faulty
	status   int
	timedOut bool
}

func (a answered) Status() int    { return a.status }
func (a answered) TimedOut() bool { return a.timedOut }

var (
	err500     = answered{faulty: faulty{class: ClassRetry, reason: "server_error"}, status: 500}
	errTimeout = answered{faulty: faulty{class: ClassRetry, reason: "timeout"}, timedOut: true}
)

// taking is a rig whose endpoint gets up to 64 texts in a request.
func taking(fault func(ctx context.Context, texts []string) error) func(*rig) {
	return func(r *rig) {
		r.batch.MaxRecords = 64
		r.embedder.size = 64
		r.embedder.fault = fault
	}
}

// together submits rows 0 to n-1 with these texts so that they are one request, and returns when they are on their way.
func (r *rig) together(n int, text func(i int) string) []*receipt {
	release := r.plug()
	var receipts []*receipt
	for i := range n {
		receipts = append(receipts, r.submit(upserted(i, 1, text(i)))...)
	}
	release()
	return receipts
}

func numbered(i int) string { return fmt.Sprint("text ", i) }

func TestDoubt(t *testing.T) {
	t.Parallel()
	for _, status := range []int{0, 408, 429, 501, 502, 503, 504, 520, 529} {
		require.Equal(t, noDoubt, doubtOf(answered{faulty: errOutage, status: status}), "%d", status)
	}
	require.Equal(t, noDoubt, doubtOf(nil))
	require.Equal(t, noDoubt, doubtOf(errOutage))
	require.Equal(t, noDoubt, doubtOf(answered{faulty: errRefuse, status: 500}), "another class")
	require.Equal(t, noDoubt, doubtOf(answered{faulty: faulty{class: ClassRetry, after: time.Second}, status: 500}), "it says when to come again")
	require.Equal(t, breaks, doubtOf(fmt.Errorf("wrapped: %w", err500)))
	require.Equal(t, stalls, doubtOf(errTimeout))
}

// One text on which the endpoint breaks down, after an outage: the 63 others go on, and it is a dead letter.
func TestATextThatGetsA500IsFound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		back := time.Now().Add(time.Minute)
		r := newRig(t, taking(func(ctx context.Context, texts []string) error {
			if time.Now().Before(back) && !strings.HasPrefix(texts[0], "plug ") {
				return err500
			}
			return refusing(err500, "text 40")(ctx, texts)
		}))
		receipts := r.together(64, numbered)
		for i, p := range receipts {
			o := p.outcome(t)
			if i != 40 {
				require.Equal(t, Indexed, o.Kind, "row %d", i)
				require.Less(t, p.at.Sub(back), 60*time.Second)
				continue
			}
			require.Equal(t, []any{Poison, "server_error", "embed"}, []any{o.Kind, o.Reason, o.Stage})
			require.ErrorContains(t, o.Err, "answers 500 to this text and takes others")
			require.ErrorIs(t, o.Err, err500)
		}
		alone := asked(r, "text 40")
		require.GreaterOrEqual(t, len(alone), trialStrikes)
		require.GreaterOrEqual(t, alone[len(alone)-1].Sub(alone[0]), trialSpan)
		require.Less(t, len(alone), 20)
		require.Equal(t, Running, r.table.Condition().State)
	})
}

// asked lists when a text was asked for alone.
func asked(r *rig, text string) []time.Time {
	var times []time.Time
	for _, c := range r.embedder.seen() {
		if slices.Equal(c.ids, []string{text}) {
			times = append(times, c.at)
		}
	}
	return times
}

// A table with many of them is done in minutes, and the first one's measure is back when the errors turn out to pass.
func TestFurtherTextsThatGetA500AreCondemnedSooner(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bad := []string{"text 3", "text 17", "text 18", "text 60"}
		r := newRig(t, taking(refusing(err500, bad...)))
		receipts := r.together(64, numbered)
		for i, kind := range kinds(t, receipts) {
			require.Equal(t, slices.Contains(bad, numbered(i)), kind == Poison, "row %d", i)
		}
		for _, text := range bad[1:] {
			require.Len(t, asked(r, text), trialAgain)
		}
		require.Less(t, receipts[63].took(), time.Minute)
		require.True(t, r.pool.breaking.Load())
		passing := asked(r, "text 4")
		failing := 4
		r.embedder.fault = func(_ context.Context, texts []string) error {
			if texts[0] == "passes" && failing > 0 {
				failing--
				return err500
			}
			return nil
		}
		require.Empty(t, passing)
		require.Equal(t, []Kind{Indexed}, kinds(t, r.submit(upserted(100, 1, "passes"))))
		require.False(t, r.pool.breaking.Load())
	})
}

// While everything fails nobody is blamed, and each step of the back-off is one request.
func TestAnOutageOf500sBlamesNoText(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]error{"500": err500, "timeout": errTimeout} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				back := time.Now().Add(time.Hour)
				r := newRig(t, func(r *rig) {
					r.batch.InFlight = 8
					r.embedder.size = 2
					r.embedder.fault = func(context.Context, []string) error { return until(back, failure)() }
				})
				var receipts []*receipt
				for i := range 20 {
					receipts = append(receipts, r.submit(upserted(i, 1, numbered(i)))...)
				}
				<-time.After(30 * time.Minute)
				began := len(r.embedder.seen())
				require.Equal(t, Retrying, r.table.Condition().State)
				<-time.After(20 * time.Minute)
				steps := r.embedder.seen()[began:]
				require.Less(t, len(steps), 400, "a step is 4 s in the mean")
				for i := 1; i < len(steps); i++ {
					require.GreaterOrEqual(t, steps[i].at.Sub(steps[i-1].at), 100*time.Millisecond, "one request per step")
				}
				for i, kind := range kinds(t, receipts) {
					require.Equal(t, Indexed, kind, "row %d", i)
				}
				for _, p := range receipts {
					require.WithinRange(t, p.at, back, back.Add(20*time.Second))
				}
			})
		})
	}
}

// A request that was halved for its 500s has refused nobody: who is refused in it alone is asked for again.
func TestHalvesAreNoSuspectsOfARefusal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refused := false
		r := newRig(t, taking(func(_ context.Context, texts []string) error {
			switch {
			case !slices.Contains(texts, "text 3"):
				return nil
			case len(texts) > 1:
				return err500
			case !refused:
				refused = true
				return errRefuse
			}
			return nil
		}))
		for i, kind := range kinds(t, r.together(4, numbered)) {
			require.Equal(t, Indexed, kind, "row %d", i)
		}
		require.True(t, refused)
	})
}

// A limit that is met beside the trial neither clears a text nor makes it endless.
func TestALimitDoesNotEndATrial(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		r := newRig(t, taking(func(ctx context.Context, texts []string) error {
			if asked++; asked%4 == 0 {
				return answered{faulty: faulty{class: ClassRetry, reason: "rate_limited"}, status: 429}
			}
			return refusing(err500, "text 3")(ctx, texts)
		}))
		receipts := r.together(8, numbered)
		for i, kind := range kinds(t, receipts) {
			require.Equal(t, i == 3, kind == Poison, "row %d", i)
		}
		require.Less(t, receipts[3].took(), 5*time.Minute)
	})
}

// One request of all tables is told apart at a time, also where each failure of a part is followed by a wait.
func TestTextsThatGetA500AreFoundInTheLane(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(r *rig) {
			r.embedder.size = 8
			r.embedder.fault = func(ctx context.Context, texts []string) error {
				if err := sleep(ctx, time.Second); err != nil {
					return err
				}
				return refusing(err500, "text 1", "text 9")(ctx, texts)
			}
		})
		receipts := r.together(16, numbered)
		for i, kind := range kinds(t, receipts) {
			require.Equal(t, i == 1 || i == 9, kind == Poison, "row %d", i)
		}
		first, second := asked(r, "text 1"), asked(r, "text 9")
		apart := first[len(first)-1].Before(second[0]) || second[len(second)-1].Before(first[0])
		require.True(t, apart, "%v %v", first, second)
	})
}
