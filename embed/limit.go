package embed

import (
	"context"
	"fmt"

	"golang.org/x/time/rate"
)

// limits spreads requests and tokens over the minute: by what is configured, and by what the endpoint says. Providers count per minute, but
// many enforce it per second, so the burst is one second's worth.
type limits struct {
	requests, tokens               *rate.Limiter // nil: no limit
	learnedRequests, learnedTokens learned
	instances                      int // that share all of it
}

// newLimits divides the limits, which are of all instances together; 0 is none.
func newLimits(requestsPerMinute, tokensPerMinute, instances int) limits {
	instances = max(1, instances)
	return limits{
		requests: perMinute(requestsPerMinute, instances), tokens: perMinute(tokensPerMinute, instances), instances: instances,
	}
}

func perMinute(n, instances int) *rate.Limiter {
	if n <= 0 {
		return nil
	}
	share := float64(n) / float64(instances)
	return rate.NewLimiter(rate.Limit(share/60), max(1, int(share/60)))
}

// wait returns when the request may go. Its only errors are those of ctx.
func (l *limits) wait(ctx context.Context, tokens int) error {
	if err := waitFor(ctx, l.requests, 1); err != nil {
		return err
	}
	if err := waitFor(ctx, l.tokens, tokens); err != nil {
		return err
	}
	if err := l.learnedRequests.wait(ctx, 1); err != nil {
		return err
	}
	return l.learnedTokens.wait(ctx, tokens)
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
