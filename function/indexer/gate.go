package indexer

import (
	"errors"
	"sync"
	"time"
)

// gate stands before a server that many ask. While the server fails, one of them tries per back-off step and the others wait, so that a
// hundred batches make one probe. It shuts when two callers in a row failed, or one was told when to come again or that a setting is wrong;
// a failure between successes of others is its request's own, and shuts nobody out.
//
// The zero gate is open. enter and leave are safe for concurrent use, on a nil gate too: that one is always open.
type gate struct {
	mu      sync.Mutex
	shut    bool
	turn    int       // counts how often it was shut: who began before says nothing of what is behind it now
	cause   error     // of the failure that shut it last
	steps   int       // failures in a row since it was open
	telling int       // those of them, in a row to the last, that can be for the sake of what was sent
	until   time.Time // when the next may try
	tried   time.Time // when somebody began to; zero: nobody does
	suspect *caller   // who failed last, while it is open and nobody has succeeded since
}

// Longest waits of those who stand before a gate until they look again.
const (
	gateTrying = 100 * time.Millisecond // while somebody tries
	gateShut   = time.Second
	// gateHung is when another may try beside one that has no answer yet: a request that hangs for its own reasons must not stand for all.
	gateHung = 5 * time.Second
)

// caller is one operation with all of its attempts.
type caller struct {
	attempts int
	notYet   time.Time // its own back-off
}

// transit is one attempt's way through a gate.
type transit struct {
	of   *gate
	by   *caller
	turn int // of the gate when it began
}

// enter waits until the caller may go, reporting what it waits for. It returns false when wait gave up, with what it waited for.
func (g *gate) enter(c *caller, r reporter, wait func(time.Duration) bool) (through transit, cause error, ok bool) {
	if g == nil {
		own := time.Until(c.notYet)
		return transit{by: c}, nil, own <= 0 || wait(own)
	}
	for {
		through, pause, cause := g.try(c)
		if pause <= 0 {
			return through, nil, true
		}
		if cause != nil {
			r.report(severity(cause), cause)
		}
		if !wait(pause) {
			return transit{}, cause, false
		}
	}
}

// try lets a caller through, or says how long to wait, and for what; for its own back-off without a cause, which it has reported.
func (g *gate) try(c *caller) (through transit, pause time.Duration, cause error) {
	own := time.Until(c.notYet)
	g.mu.Lock()
	defer g.mu.Unlock()
	switch left := time.Until(g.until); {
	case !g.shut:
		return transit{of: g, by: c, turn: g.turn}, own, nil
	case left > 0:
		return transit{}, min(left, gateShut), g.cause
	case own > 0:
		return transit{}, min(own, gateShut), g.cause
	case time.Since(g.tried) < gateHung:
		return transit{}, gateTrying, g.cause
	}
	g.tried = time.Now()
	return transit{of: g, by: c, turn: g.turn}, 0, nil
}

// open reports whether anybody may go through.
func (g *gate) open() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.shut
}

// failures is how many attempts in a row have failed since it was open, to the last, of a kind that can be for the sake of what was sent.
func (g *gate) failures() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.telling
}

// leave says how the attempt ended. An answer that refuses the request is one from a server that works.
func (t transit) leave(err error, b backoff) {
	t.by.attempts++
	class := Classify(err)
	if err != nil && class != ClassPoison {
		t.by.notYet = time.Now().Add(b.delay(err, t.by.attempts))
	}
	answered := err == nil || class == ClassPoison || ownAffair(err)
	g := t.of
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	probe := g.shut && t.turn == g.turn
	if probe {
		g.tried = time.Time{}
	}
	switch {
	case answered:
		if probe || !g.shut {
			g.shut, g.steps, g.telling, g.cause, g.suspect = false, 0, 0, nil, nil
		}
	case probe:
		g.close(err, b)
	case g.shut, class == ClassInterrupted: // tells nothing that is not known
	case class == ClassHalt, RetryAfter(err) > 0, g.suspect != nil && g.suspect != t.by:
		g.turn++
		g.close(err, b)
	default:
		g.suspect = t.by
	}
}

// close shuts the gate for one more step. It is called with mu held.
func (g *gate) close(err error, b backoff) {
	g.shut, g.cause, g.suspect = true, err, nil
	g.steps++
	if tellsOfTexts(err) {
		g.telling++
	} else {
		g.telling = 0
	}
	g.until = time.Now().Add(b.delay(err, g.steps))
}

// ownAffair says whether an error complains of what one table keeps in the server, and not of the server.
func ownAffair(err error) bool {
	var f *fault
	return errors.As(err, &f) && f.own
}
