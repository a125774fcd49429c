package indexer

import (
	"sync"
	"time"
)

// gate stands before a server that many ask. While the server fails, one of them tries per back-off step and the others wait, so that a
// hundred batches make one probe. A failure beside which others succeed is its request's own, and shuts nobody out.
//
// The zero gate is open. All methods are safe for concurrent use, on a nil gate too: that one is always open.
type gate struct {
	mu        sync.Mutex
	shut      bool
	cause     error     // of the failure that shut it last
	steps     int       // failures in a row since it was open
	until     time.Time // when the next may try
	trying    bool      // somebody is
	successes uint64
}

// Longest waits of those who stand before a gate until they look again: at who tries, and at a server that answers somebody who had
// asked before.
const (
	gateTrying = 100 * time.Millisecond
	gateShut   = time.Second
)

// transit is one request's way through a gate.
type transit struct {
	of        *gate
	probe     bool
	successes uint64 // of the gate when the request began
}

// enter waits until a request may go, reporting what it waits for. It returns false when wait gave up, with what it waited for.
func (g *gate) enter(r reporter, wait func(time.Duration) bool) (through transit, cause error, ok bool) {
	for {
		through, pause, cause := g.try()
		if pause == 0 {
			return through, nil, true
		}
		r.report(severity(cause), cause)
		if !wait(pause) {
			return transit{}, cause, false
		}
	}
}

// try lets a request through, or says how long to wait, and for what.
func (g *gate) try() (through transit, pause time.Duration, cause error) {
	if g == nil {
		return transit{}, 0, nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	through = transit{of: g, successes: g.successes}
	switch left := time.Until(g.until); {
	case !g.shut:
	case g.trying:
		return transit{}, gateTrying, g.cause
	case left > 0:
		return transit{}, min(left, gateShut), g.cause
	default:
		g.trying, through.probe = true, true
	}
	return through, 0, nil
}

// leave says how the request ended and reports whether the gate is open. An answer that refuses the request is one from a server that works.
func (t transit) leave(err error, b backoff) (open bool) {
	g := t.of
	if g == nil {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	switch class := Classify(err); {
	case err == nil || class == ClassPoison:
		g.successes++
		g.shut, g.steps, g.cause = false, 0, nil
	case class == ClassInterrupted && !t.probe: // tells nothing
	case t.probe, !g.shut && (g.successes == t.successes || RetryAfter(err) > 0):
		g.shut, g.cause = true, err
		g.steps++
		g.until = time.Now().Add(b.delay(err, g.steps))
	}
	if t.probe {
		g.trying = false
	}
	return !g.shut
}
