package embed

import (
	"context"
	"fmt"

	"golang.org/x/time/rate"
)

// limits spreads requests and tokens over the minute. Providers count per minute, but many enforce it per second, so the burst is one
// second's worth.
type limits struct {
	requests, tokens *rate.Limiter // nil: no limit
}

func newLimits(requestsPerMinute, tokensPerMinute int) limits {
	return limits{requests: perMinute(requestsPerMinute), tokens: perMinute(tokensPerMinute)}
}

func perMinute(n int) *rate.Limiter {
	if n <= 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(float64(n)/60), max(1, n/60))
}

// wait returns when the request may go. Its only errors are those of ctx.
func (l limits) wait(ctx context.Context, tokens int) error {
	if err := waitFor(ctx, l.requests, 1); err != nil {
		return err
	}
	return waitFor(ctx, l.tokens, tokens)
}

// waitFor takes n in portions of the burst, since a limiter refuses more at once. A small request thus slips in between the portions of a
// large one.
func waitFor(ctx context.Context, limiter *rate.Limiter, n int) error {
	if limiter == nil {
		return nil
	}
	for n > 0 {
		portion := min(n, limiter.Burst())
		if err := limiter.WaitN(ctx, portion); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			// The limiter gives up early when the turn comes after ctx's deadline.
			return fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
		}
		n -= portion
	}
	return nil
}
