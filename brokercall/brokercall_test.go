package brokercall

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errRefused = errors.New("refused")

func TestAwaitGivesALateAnswerToItsOwner(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var c Calls
		require.True(t, c.Wait(t.Context()), "nothing was called yet")
		got, err := Await(t.Context(), &c, func() (int, error) { return 7, nil }, func(int) { t.Error("not late") })
		require.NoError(t, err)
		require.Equal(t, 7, got)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		late := make(chan int, 1)
		_, err = Await(ctx, &c, func() (int, error) { <-time.After(time.Minute); return 8, nil }, func(n int) { late <- n })
		require.ErrorIs(t, err, context.DeadlineExceeded)
		short, end := context.WithTimeout(t.Context(), time.Second)
		defer end()
		require.False(t, c.Wait(short), "the call is still running")
		require.Equal(t, 8, <-late)
		require.True(t, c.Wait(t.Context()))
	})
}

func TestAnErrorIsNeverLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var c Calls
		_, err := Await(t.Context(), &c, func() (int, error) { return 0, errRefused }, func(int) { t.Error("an error is not late") })
		require.ErrorIs(t, err, errRefused)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = Await(ctx, &c, func() (int, error) { <-time.After(time.Minute); return 0, errRefused }, func(int) { t.Error("an error is not late") })
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.True(t, c.Wait(t.Context()))
	})
}

func TestWaitIsForAllOfThem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var c Calls
		begun := time.Now()
		for n := range 3 {
			c.Start(func() { <-time.After(time.Duration(n+1) * time.Minute) })
		}
		require.True(t, c.Wait(t.Context()))
		require.Equal(t, 3*time.Minute, time.Since(begun))
	})
}
