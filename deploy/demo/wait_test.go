package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPoll(t *testing.T) {
	t.Parallel()
	early := errors.New("too early")
	t.Run("until there is no objection", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			require.NoError(t, poll(t.Context(), time.Second, time.Minute, func(context.Context) error {
				if time.Since(begun) < 3*time.Second {
					return early
				}
				return nil
			}))
			require.Equal(t, 3*time.Second, time.Since(begun))
		})
	})
	t.Run("the last objection, not the deadline's", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			calls := 0
			err := poll(t.Context(), time.Second, 10*time.Second, func(ctx context.Context) error {
				if calls++; calls > 2 {
					<-ctx.Done()
					return ctx.Err()
				}
				return early
			})
			require.ErrorIs(t, err, early)
			require.NotErrorIs(t, err, context.DeadlineExceeded)
			require.ErrorContains(t, err, "not within 10s")
		})
	})
	t.Run("Ctrl-C", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		err := poll(ctx, time.Hour, time.Hour, func(context.Context) error { cancel(); return early })
		require.Equal(t, context.Canceled, err)
	})
}
