package indexer

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A proxy gives each of several servers its turn, and some are broken: that is no text's fault, in whatever order they stand, and the text gets to one that works.
func TestABrokenServerAmongSeveralCondemnsNobody(t *testing.T) {
	t.Parallel()
	for servers := 2; servers <= 6; servers++ {
		for broken := range 1<<servers - 1 {
			for _, enough := range []int{1, trialFailures} {
				for _, known := range []bool{false, true} {
					synctest.Test(t, func(t *testing.T) {
						turn := 0
						pool := NewEmbedPool(&fakeEmbedder{fault: func(context.Context, []string) error {
							if turn++; broken>>(turn%servers)&1 == 1 {
								return err500
							}
							return nil
						}}, 2)
						pool.breaking.Store(known)
						trial := newTrial(&embedding{pool: pool, rowOf: func(string) string { return "1" }}, []string{"x"}, enough)
						_, err := defaultBackoff().at(&pool.gate).do(t.Context(), &noted{}, awake, func(ctx context.Context) error {
							_, err := trial.attempt(ctx, false)
							return err
						})
						require.NoError(t, err, "%d servers, broken are %b, known %t", servers, broken, known)
						require.Less(t, turn, 200)
					})
				}
			}
		}
	}
}

// What counts against a text is a row of 500s, with the plain text taken right after each.
func TestWhatCountsAgainstAText(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answers  []error // to one request after the other, from the second on
		wait     time.Duration
		attempts int
		strikes  int
	}{
		"two":                     {[]error{nil, err500, nil, nil}, 0, 1, 2},
		"the plain text was late": {[]error{nil, err500, nil}, time.Minute, 1, 1},
		"a time-out":              {[]error{nil, errTimeout, nil}, 0, 1, 0},
		"an outage":               {[]error{nil, err500, nil, err500}, 0, 1, 0},
		"an outage at once":       {[]error{err500}, 0, 1, 0},
		"a limit":                 {[]error{nil, err500, nil, answered{faulty: errOutage, status: 429}}, 0, 1, 1},
		"a server that restarts":  {[]error{nil, errOutage, err500, nil, nil}, 0, 2, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				answers := append([]error{err500}, c.answers...)
				pool := NewEmbedPool(&fakeEmbedder{fault: func(context.Context, []string) error {
					asked++
					return answers[asked-1]
				}}, 1)
				trial := newTrial(&embedding{pool: pool, rowOf: func(string) string { return "1" }}, []string{"x"}, 1)
				_, err := trial.attempt(t.Context(), false)
				require.ErrorIs(t, err, err500)
				<-time.After(c.wait)
				for range c.attempts {
					_, err = trial.attempt(t.Context(), false)
					require.Equal(t, ClassRetry, Classify(err))
				}
				require.Equal(t, len(answers), asked)
				require.Equal(t, c.strikes, trial.strikes)
			})
		})
	}
}
