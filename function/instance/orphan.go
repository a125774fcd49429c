package instance

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"
)

const (
	guardTick      = 2 * time.Second
	guardPeriod    = 30 * time.Second // the worker's default between two health checks
	guardMissed    = 3
	guardMinChecks = 2
)

// OrphanError says that the functions worker that started the instance is gone. The instance drains and ends, because a new worker starts
// another copy of it.
type OrphanError struct {
	ParentBefore, ParentNow int           // process ids; 0 when the silence gave it away
	Silence                 time.Duration // since the last health check
}

// Error names the sign.
func (e *OrphanError) Error() string {
	if e.ParentBefore != e.ParentNow {
		return fmt.Sprintf("the functions worker is gone: the parent process was %d and is now %d", e.ParentBefore, e.ParentNow)
	}
	return fmt.Sprintf("the functions worker is gone: no health check for %s", e.Silence)
}

// guard finds out that the worker died without ending the instance (contract §1.1: the worker never arms a rule of its own for Go). Two
// signs: the parent process is another one than at the start; or health checks came, at least two, and then none for three times the
// longest pause between them, a pause being at least 30 seconds. The silence is counted in ticks of our own, so that a suspended process
// or machine does not mistake its own sleep for the worker's death.
type guard struct {
	parent int
	ppid   func() int

	mu      sync.Mutex
	checks  int
	silence time.Duration
	longest time.Duration
}

func newGuard(ppid func() int) *guard {
	if ppid == nil {
		ppid = os.Getppid
	}
	return &guard{parent: ppid(), ppid: ppid}
}

// healthCheck notes that the worker called.
func (g *guard) healthCheck() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.checks > 0 {
		g.longest = max(g.longest, g.silence)
	}
	g.checks++
	g.silence = 0
}

// watch calls orphaned once, when the worker is gone, or returns when ctx ends.
func (g *guard) watch(ctx context.Context, orphaned func(error)) {
	ticker := time.NewTicker(guardTick)
	defer ticker.Stop()
	before := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			if err := g.check(now.Sub(before)); err != nil {
				orphaned(err)
				return
			}
			before = now
		}
	}
}

func (g *guard) check(elapsed time.Duration) error {
	if now := g.ppid(); now != g.parent {
		return &OrphanError{ParentBefore: g.parent, ParentNow: now}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.silence += min(elapsed, 2*guardTick)
	if g.checks >= guardMinChecks && g.silence >= guardMissed*max(guardPeriod, g.longest) {
		return &OrphanError{Silence: g.silence}
	}
	return nil
}
