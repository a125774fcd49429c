package await_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/e2e/await"
)

var errNotYet = errors.New("not yet")

func TestUntil(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun, looks := time.Now(), 0
		require.NoError(t, await.Until(t.Context(), time.Second, func(context.Context) error {
			if looks++; looks < 4 {
				return errNotYet
			}
			return nil
		}))
		require.Equal(t, 300*time.Millisecond, time.Since(begun))
	})
}

func TestUntilTellsWhatWasMissing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		err := await.Until(t.Context(), time.Second, func(ctx context.Context) error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return errNotYet
		})
		require.ErrorIs(t, err, errNotYet)
		require.ErrorContains(t, err, "not within 1s")
		require.Equal(t, time.Second, time.Since(begun))
	})
}

func TestTheEndOfARunEndsWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.True(t, await.Rest(ctx, 500*time.Millisecond))
		require.ErrorIs(t, await.Until(ctx, time.Minute, func(context.Context) error { return errNotYet }), context.DeadlineExceeded)
		require.False(t, await.Rest(ctx, time.Minute))
	})
}
