package indexer

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// backoff says how long to wait before the next attempt.
type backoff struct {
	base   time.Duration  // the shortest wait
	limit  time.Duration  // the longest wait of our own choice, and so how long work stands after a server is back; that may ask for more
	probe  time.Duration  // the wait before a halted operation is tried again
	jitter func() float64 // in [0,1)
	gate   *gate          // before every attempt; nil: none
}

// at returns the back-off of those who ask the server behind g.
func (b backoff) at(g *gate) backoff {
	b.gate = g
	return b
}

func defaultBackoff() backoff {
	return backoff{
		base: 100 * time.Millisecond, limit: 8 * time.Second, probe: 30 * time.Second,
		jitter: rand.Float64,
	}
}

// Delay returns the wait after the given attempt (1, 2, ...) of an operation that failed, for those outside of this package that try
// again in place: drawn below a ceiling that doubles from 0.2 s to 8 s; 30 s where only another setting can help, and never
// less than the error asks for.
func Delay(err error, attempt int) time.Duration { return defaultBackoff().delay(err, attempt) }

// delay returns the wait after the given attempt (1, 2, ...). It is drawn from the whole span between base and a ceiling that
// doubles, so that many callers of one broken endpoint do not come back together; a halted operation is probed at a fixed pace.
func (b backoff) delay(err error, attempt int) time.Duration {
	if Classify(err) == ClassHalt {
		return max(b.probe, RetryAfter(err))
	}
	ceiling := b.limit
	if shift := min(attempt, 20); b.base<<shift < b.limit {
		ceiling = b.base << shift
	}
	drawn := b.base + time.Duration(b.jitter()*float64(ceiling-b.base))
	return max(drawn, RetryAfter(err))
}

var errPanicked = errors.New("an attempt ended in a panic")

// reporter is told about the trouble of one operation.
type reporter interface {
	report(s State, err error)
	clear()
}

// do is the one loop that retries. It calls op until it succeeds, fails as poison, or is given up: then, and only then, the error
// returned is ClassPoison or ClassInterrupted. wait sleeps and returns false to give up, which a shutdown does at once. A halt is
// tried again too, slowly: what an operator mends outside of us needs no redeploy. attempts is how often op was called: waiting at the
// gate is none.
func (b backoff) do(ctx context.Context, r reporter, wait func(time.Duration) bool, op func(context.Context) error) (attempts int, err error) {
	defer r.clear()
	for c := (&caller{}); ; {
		through, cause, ok := b.gate.enter(c, r, wait)
		if !ok {
			return c.attempts, interrupted(cmp.Or(err, cause))
		}
		err = b.attempt(ctx, through, op)
		if err == nil || Classify(err) == ClassPoison {
			return c.attempts, err
		}
		if ctx.Err() != nil {
			return c.attempts, interrupted(err)
		}
		// A context error under a context that lives is somebody else's deadline: it passes.
		r.report(severity(err), err)
	}
}

// attempt runs op and tells the gate, of a panic too: whoever contains that must not find the gate shut for good.
func (b backoff) attempt(ctx context.Context, through transit, op func(context.Context) error) (err error) {
	err = errPanicked
	defer func() { through.leave(err, b) }()
	err = op(ctx)
	return
}

// severity is the state of an operation that failed with err.
func severity(err error) State {
	if Classify(err) == ClassHalt {
		return Halted
	}
	return Retrying
}
