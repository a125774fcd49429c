package indexer

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestClassify(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err    error
		class  Class
		reason string
	}{
		"unknown":              {errors.New("what"), ClassRetry, "unknown"},
		"retry":                {errOutage, ClassRetry, "unavailable"},
		"poison, wrapped":      {fmt.Errorf("embed: %w", errRefuse), ClassPoison, "bad_request"},
		"halt, joined":         {errors.Join(errors.New("x"), errKey), ClassHalt, "unauthorized"},
		"cancelled":            {fmt.Errorf("get: %w", context.Canceled), ClassInterrupted, "unknown"},
		"out of time":          {context.DeadlineExceeded, ClassInterrupted, "unknown"},
		"a classified timeout": {fmt.Errorf("%w: %w", errOutage, context.DeadlineExceeded), ClassRetry, "unavailable"},
		"given up":             {interrupted(errRefuse), ClassInterrupted, "interrupted"},
		"a class of another":   {faulty{class: "panic"}, ClassRetry, "unknown"},
		"draining":             {ErrDraining, ClassInterrupted, "draining"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.class, Classify(c.err))
			require.Equal(t, c.reason, Reason(c.err))
		})
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	require.Equal(t, time.Minute, RetryAfter(fmt.Errorf("x: %w", faulty{class: ClassRetry, after: time.Minute})))
	require.Zero(t, RetryAfter(errors.New("x")))
	require.Zero(t, RetryAfter(faulty{after: -time.Second}))
}

func TestFaultsKeepTheirCause(t *testing.T) {
	t.Parallel()
	err := interrupted(fmt.Errorf("get: %w", context.Canceled))
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "get")
}
