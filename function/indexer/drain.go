package indexer

import (
	"context"
	"time"
)

// Drain ends the table: it takes no more records, lets the batches in work go on until ctx ends, then gives them up, waits for every
// goroutine and settles what is left as Interrupted. What waits to be tried again, or is halted or aside, is given up at once: a drain is short
// and the records come again. Drain may be called before any Submit, twice, and from several goroutines; each call returns when the
// table has ended, and the first context to end sets the deadline.
func (t *Table) Drain(ctx context.Context) {
	t.mu.Lock()
	first := !t.closed
	t.closed = true
	if first {
		close(t.draining)
		t.wake()
	}
	t.mu.Unlock()
	if first {
		t.writer.nudge()
		go t.finish()
	}
	select {
	case <-t.drained:
	case <-ctx.Done():
		t.giveUp()
		<-t.drained
	}
}

// finish waits for the work to end and settles what was never taken. It ends with the last batch, which giveUp ends at once.
func (t *Table) finish() {
	t.work.Wait()
	t.mu.Lock()
	rest := t.queue.empty()
	t.mu.Unlock()
	t.interrupt(t.takeAside())
	for _, it := range rest {
		t.settle(it, Outcome{Kind: Interrupted})
	}
	t.giveUp()
	close(t.drained)
}

func (t *Table) isDraining() bool {
	select {
	case <-t.draining:
		return true
	default:
		return false
	}
}

// waiter returns the sleep between attempts. It ends early, returning false, with ctx or with the beginning of a drain.
func (t *Table) waiter(ctx context.Context) func(time.Duration) bool {
	return func(d time.Duration) bool {
		if t.isDraining() {
			return false
		}
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return true
		case <-ctx.Done():
		case <-t.draining:
		}
		return false
	}
}
