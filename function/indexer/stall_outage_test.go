package indexer

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// In an outage nothing stalls: one request tries per step, and everything is there soon after.
func TestAnOutageStallsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		down := failing()
		down.Store(false)
		r := newRig(t, func(r *rig) {
			r.embedder.fault = func(context.Context, []string) error {
				if down.Load() {
					return errOutage
				}
				return nil
			}
		})
		down.Store(true)
		var all []*receipt
		for i := range 20 {
			all = append(all, r.submit(upserted(i, 1, fmt.Sprint("text ", i)))...)
		}
		<-time.After(time.Minute)
		settling := time.Now()
		<-time.After(10 * time.Minute)
		require.Zero(t, r.inLine())
		require.LessOrEqual(t, len(r.embedder.seen())-len(r.before(settling)), 600/4*2, "a step is 4 s on average; at random")
		down.Store(false)
		back := time.Now()
		for _, p := range all {
			require.Equal(t, Indexed, p.outcome(t).Kind)
		}
		require.Less(t, time.Since(back), 9*time.Second)
		require.LessOrEqual(t, len(r.embedder.seen())-len(r.before(back)), 3*6, "a plain text for each request, and none is halved")
	})
}

func (r *rig) before(at time.Time) (calls []call) {
	for _, c := range r.embedder.seen() {
		if c.at.Before(at) {
			calls = append(calls, c)
		}
	}
	return calls
}

// An endpoint that has only strength for small texts for an hour condemns none.
func TestABrownOutThatTakesSmallTextsOnly(t *testing.T) {
	t.Parallel()
	for last, back := range map[time.Duration]time.Duration{
		time.Hour:       reviveMost + reviveLook,
		5 * time.Minute: 12 * time.Second, // there are rows that wait where they are: what is aside is asked for as soon as one is taken
	} {
		t.Run(last.String(), func(t *testing.T) {
			t.Parallel()
			brownOut(t, last, back)
		})
	}
}

func brownOut(t *testing.T, last, within time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		weak := failing()
		r := newRig(t, func(r *rig) {
			r.embedder.fault = func(_ context.Context, texts []string) error {
				if weak.Load() && len(strings.Join(texts, "")) > 20 {
					return errOutage
				}
				return nil
			}
		})
		var all []*receipt
		for i := range 20 {
			all = append(all, r.submit(upserted(i, 1, fmt.Sprintf("a text of more than %d letters", 20+i)))...)
		}
		<-time.After(last)
		for _, p := range all {
			require.False(t, p.settled())
		}
		weak.Store(false)
		back := time.Now()
		for _, p := range all {
			require.Equal(t, Indexed, p.outcome(t).Kind)
		}
		require.LessOrEqual(t, time.Since(back), within)
	})
}

// What asks too much is told so with 429, and is no fault of the texts.
func TestALimitStallsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, limit := range []error{status429{errOutage}, faulty{class: ClassRetry, reason: "rate_limited", after: time.Second}} {
			r := newRig(t, func(r *rig) { r.embedder.fault = refusing(limit, "a") })
			r.submit(upserted(1, 1, "a"))
			<-time.After(10 * time.Minute)
			require.Zero(t, r.inLine())
			for _, c := range r.embedder.seen() {
				require.Equal(t, []string{"a"}, c.ids, "no plain text either")
			}
			r.stop()
		}
	})
}

// status429 is a 429 that does not say when to come again.
type status429 struct{ faulty }

func (status429) Status() int { return 429 }
