package indexer

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Rows that wait for something that no batch can hurry are set aside: they leave their batch, so that its slot serves others. They stay
// in queue.busy, so that later changes of theirs wait behind them, and count as waiting (queue.fits): what is aside is bounded as what
// waits is, but for the batches that were in work when the bound was met. When the wait is over they go into the next batch, and the
// changes that came behind them with them. A drain leaves them to the next life.

// aside is the rows of a table that were set aside. The table's lock guards it; its rows belong to whoever took them out.
type aside struct {
	blocked  []*row // until another process has deleted their dead records
	watching bool   // watch runs
	lacking  []*row // until their columns are read from the table
	reading  bool   // read runs
	line     line   // until the endpoint takes their texts, or a newer change comes
	ready    []*row // for a batch
}

// blockedPause is how often a table looks whether another process is done with its dead records.
const blockedPause = time.Second

var errTruncating = errors.New("rows wait until another instance has deleted what they were before a truncate of the table")

// setAside takes rows out of a batch. Once a drain has begun nobody sees to them any more: its end does.
func (t *Table) setAside(blocked, lacking, stalled []*row) {
	if len(blocked)+len(lacking)+len(stalled) == 0 {
		return
	}
	for _, r := range stalled {
		t.lighten(r)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	a := &t.aside
	t.queue.shelve(blocked)
	t.queue.shelve(lacking)
	a.blocked, a.lacking = append(a.blocked, blocked...), append(a.lacking, lacking...)
	t.lay(stalled)
	if t.closed {
		return
	}
	if len(blocked) > 0 && !a.watching {
		a.watching = true
		t.work.Go(t.watch)
	}
	if len(lacking) > 0 && !a.reading {
		a.reading = true
		t.work.Go(t.read)
	}
	if len(a.line.rows) > 0 && !a.line.reviving {
		a.line.reviving = true
		t.work.Go(t.revive)
	}
	t.dispatch()
}

// watch looks at the mark until nobody deletes the table's dead records any more.
func (t *Table) watch() {
	trouble, wait := t.cond.operation(), t.waiter(t.ctx)
	defer trouble.clear()
	between := resting{trouble, errTruncating}
	for guarded := true; guarded; {
		between.clear()
		if !wait(blockedPause) {
			return
		}
		_, err := t.backoff.do(t.ctx, between, wait, func(ctx context.Context) error {
			stones := t.writer.tombstones
			_, err := stones.readMark(ctx, t.mark)
			guarded = err != nil || stones.marks.guarded(t.mark, time.Now())
			return err
		})
		if Classify(err) == ClassInterrupted {
			return
		}
	}
	t.unblock()
}

// resting is an operation that waits for something while nothing of it fails.
type resting struct {
	*trouble
	cause error
}

func (r resting) clear() { r.report(Retrying, r.cause) }

// unblock ends the wait for a sweep.
func (t *Table) unblock() {
	t.mu.Lock()
	defer t.mu.Unlock()
	a := &t.aside
	a.ready = append(a.ready, a.blocked...)
	a.blocked, a.watching = nil, false
	t.dispatch()
}

// back ends a row's wait.
func (t *Table) back(r *row) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.aside.ready = append(t.aside.ready, r)
	t.dispatch()
}

// gone gives back the room of a row that ended while it was aside.
func (t *Table) gone(r *row) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queue.unshelve(r)
	t.wake()
}

// takeReady removes rows whose wait is over, as many as a batch holds. The caller holds t.mu.
func (t *Table) takeReady() (rows []*row) {
	n := 0
	for _, r := range t.aside.ready {
		if n += r.shelved.records; n > t.queue.limits.MaxRecords && len(rows) > 0 {
			break
		}
		rows = append(rows, r)
	}
	t.aside.ready = slices.Delete(t.aside.ready, 0, len(rows))
	return rows
}

// takeAside removes what is aside when the table ends.
func (t *Table) takeAside() []*row {
	t.mu.Lock()
	defer t.mu.Unlock()
	var rows []*row
	for _, list := range []*[]*row{&t.aside.blocked, &t.aside.lacking, &t.aside.line.rows, &t.aside.ready} {
		rows, *list = append(rows, *list...), nil
	}
	for _, r := range rows {
		t.queue.unshelve(r)
	}
	return rows
}
