package indexer

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// within is an endpoint that needs some time for each text, behind a client with a timeout of 30 s.
func within(ctx context.Context, took time.Duration) error {
	if took <= 30*time.Second {
		return sleep(ctx, took)
	}
	if err := sleep(ctx, 30*time.Second); err != nil {
		return err
	}
	return errTimeout
}

// 64 long texts take 40 s: each half is in time, and so is every request after.
func TestARequestThatIsTooLargeForItsTimeIsHalved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, taking(func(ctx context.Context, texts []string) error {
			return within(ctx, time.Duration(len(texts))*625*time.Millisecond)
		}))
		receipts := r.together(64, numbered)
		for i, kind := range kinds(t, receipts) {
			require.Equal(t, Indexed, kind, "row %d", i)
		}
		require.Less(t, receipts[63].took(), 3*30*time.Second+time.Minute)
		require.Equal(t, Running, r.table.Condition().State)
	})
}

// slowly needs an hour for a text that says so, until then.
func slowly(until time.Time) func(context.Context, []string) error {
	return func(ctx context.Context, texts []string) error {
		slow := slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, "slow") })
		if slow && time.Now().Before(until) {
			return within(ctx, time.Hour)
		}
		return within(ctx, time.Second)
	}
}

// A text that alone takes too long is never condemned: the others of its request go on, so do other requests that have to be told apart, and the state names
// the row and the cure.
func TestATextThatStallsHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		over := time.Now().Add(24 * time.Hour)
		r := newRig(t, taking(slowly(over)))
		receipts := r.together(64, func(i int) string {
			if i == 20 {
				return "slow"
			}
			return numbered(i)
		})
		for i, p := range receipts {
			if i != 20 {
				require.Equal(t, Indexed, p.outcome(t).Kind, "row %d", i)
				require.Less(t, p.took(), 10*time.Minute)
			}
		}
		<-time.After(time.Hour)
		require.False(t, receipts[20].settled())
		require.Equal(t, Retrying, r.table.Condition().State)
		for _, words := range []string{"row 20 ", "embedding.timeout", "embedding.maxTextTokens", "chunk.tokens", errTimeout.Error()} {
			require.Contains(t, r.table.Condition().Cause, words)
		}
		began := len(asked(r, "slow"))
		slow := r.embedder.fault
		r.embedder.fault = func(ctx context.Context, texts []string) error {
			if slices.Contains(texts, "bad") {
				return errRefuse
			}
			return slow(ctx, texts)
		}
		more := r.submit(upserted(100, 1, "quick"), upserted(101, 1, "bad"), upserted(102, 1, "quick, too"))
		require.Equal(t, []Kind{Indexed, Poison, Indexed}, kinds(t, more), "the lane is free")
		require.Less(t, more[2].took(), 20*time.Second)
		<-time.After(time.Hour)
		require.InDelta(t, 60, len(asked(r, "slow"))-began, 5, "it rests as long as it takes")
		require.False(t, shut(r))
		require.Equal(t, Indexed, receipts[20].outcome(t).Kind)
		require.WithinRange(t, receipts[20].at, over, over.Add(61*time.Second))
		require.Equal(t, Running, r.table.Condition().State)
	})
}

// A server with too much to do has time for a word and for nothing else. When that is over everything is in, and nothing was lost.
func TestABrownOutCondemnsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		over := time.Now().Add(2 * time.Hour)
		r := newRig(t, taking(func(ctx context.Context, texts []string) error {
			if time.Now().Before(over) && texts[0] != plainText && !strings.HasPrefix(texts[0], "plug ") {
				return within(ctx, time.Hour)
			}
			return within(ctx, time.Second)
		}))
		receipts := r.together(16, numbered)
		for i, kind := range kinds(t, receipts) {
			require.Equal(t, Indexed, kind, "row %d", i)
		}
		for _, p := range receipts {
			require.WithinRange(t, p.at, over, over.Add(5*time.Minute))
		}
	})
}

// Callers with a text each on which the endpoint breaks down or stalls do not shut the gate for others for long, nor take all of its slots.
func TestTextsAtFaultDoNotShutOthersOut(t *testing.T) {
	t.Parallel()
	for name, failing := range map[string]func(context.Context) error{
		"500":     func(context.Context) error { return err500 },
		"timeout": func(ctx context.Context) error { return within(ctx, time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(r *rig) {
					r.batch.InFlight = 4
					r.embedder.fault = func(ctx context.Context, texts []string) error {
						if strings.HasPrefix(texts[0], "bad") {
							return failing(ctx)
						}
						return nil
					}
				})
				bad := r.submit(upserted(1, 1, "bad 1"), upserted(2, 1, "bad 2"), upserted(3, 1, "bad 3"))
				<-time.After(10 * time.Minute)
				for i := range 100 {
					good := r.submit(upserted(100+i, 1, numbered(i)))[0]
					require.Equal(t, Indexed, good.outcome(t).Kind)
					require.Less(t, good.took(), 5*time.Second)
					<-time.After(time.Second)
				}
				require.False(t, shut(r))
				for _, p := range bad {
					require.Equal(t, name == "500", p.settled())
				}
			})
		})
	}
}

// A drain gives up what stalls, and settles it as interrupted.
func TestADrainEndsATextThatStalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, taking(slowly(time.Now().Add(24*time.Hour))))
		p := r.submit(upserted(1, 1, "slow"))[0]
		<-time.After(10 * time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		r.table.Drain(ctx)
		require.Equal(t, Interrupted, p.outcome(t).Kind)
	})
}

// shut tells whether the endpoint's gate is.
func shut(r *rig) bool {
	r.pool.gate.mu.Lock()
	defer r.pool.gate.mu.Unlock()
	return r.pool.gate.shut
}
