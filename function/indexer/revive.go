package indexer

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Rests between two attempts of texts that stall, of all rows of a table together: long enough to leave the endpoint to the others, and no
// longer than a row may be late when the endpoint takes its text again. A rest is told, and looked through, in steps of reviveLook.
const (
	reviveSoon = time.Second
	reviveMost = time.Minute
	reviveLook = time.Second
)

// revival asks again for texts that the endpoint failed on while it took others.
type revival struct {
	table   *Table
	trouble *trouble
	wait    func(time.Duration) bool
	failed  error // what the last attempt ended with
}

// revive asks for the texts of the rows that were set aside for them, one row at a time, until none is left or the table is drained. A row
// whose texts are taken goes on, and the next one's turn is at once: it was the endpoint rather than the texts. After a failure a plain text comes
// first, so that an outage is waited for as by any caller.
func (t *Table) revive() {
	v := &revival{table: t, trouble: t.cond.operation(), wait: t.waiter(t.ctx)}
	defer v.trouble.clear()
	ctx, cancel := t.untilDrain()
	defer cancel()
	for rest := reviveSoon; v.pause(rest); {
		r := t.takeStalled()
		if r == nil {
			continue
		}
		began := time.Now()
		if v.failed = v.ask(ctx, r); v.done() {
			rest = 0
		} else {
			rest = min(max(2*rest, reviveSoon, time.Since(began)), reviveMost)
		}
		v.settle(r)
	}
}

// pause rests, telling what for. It returns false when nothing is left to ask for.
func (v *revival) pause(rest time.Duration) bool {
	for {
		cause := v.table.stalling()
		if cause == nil {
			return false
		}
		v.trouble.report(Retrying, cause)
		if rest <= 0 {
			return true
		}
		if !v.wait(min(rest, reviveLook)) {
			return false
		}
		rest -= reviveLook
	}
}

// ask makes one attempt for the texts of a row that stall, up to the first that fails.
func (v *revival) ask(ctx context.Context, r *row) error {
	t := v.table
	e := embedding{pool: t.pool}
	if v.failed != nil {
		told := resting{v.trouble, r.stallCause()}
		if _, err := t.backoff.at(&t.pool.gate).do(ctx, told, v.wait, func(ctx context.Context) error { return e.plain(ctx, v.failed) }); err != nil {
			return err
		}
	}
	for _, chunk := range r.decision.document.Chunks {
		if _, stalls := r.stalled[chunk.Text]; !stalls {
			continue
		}
		r.decision.winner.attempts++
		vectors, err := e.ask(ctx, []string{chunk.Text}, false)
		if err != nil {
			return err
		}
		r.cache[chunk.Text] = vectors[0]
		r.texts++
		delete(r.stalled, chunk.Text)
	}
	return nil
}

// done reports whether the last attempt told what becomes of its row.
func (v *revival) done() bool { return v.failed == nil || Classify(v.failed) == ClassPoison }

// settle puts a row where it belongs after it was asked for.
func (v *revival) settle(r *row) {
	t := v.table
	if Classify(v.failed) == ClassPoison && !t.reject(r, r.decision.winner, "embed", v.failed) {
		t.gone(r)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queue.unshelve(r)
	if v.done() {
		t.queue.shelve([]*row{r})
		t.aside.ready = append(t.aside.ready, r)
	} else {
		t.lay([]*row{r})
	}
	t.dispatch()
}

// stall notes a text that the endpoint fails on.
func (r *row) stall(text string, err error) {
	if r.stalled == nil {
		r.stalled = make(map[string]error, 1)
	}
	r.stalled[text] = err
}

// stalls reports whether vectors are lacking of texts that the endpoint fails on.
func (r *row) stalls() bool {
	return slices.ContainsFunc(r.vectors, func(v []float32) bool { return v == nil })
}

// stallCause is what the endpoint fails with on the first of them.
func (r *row) stallCause() error {
	for _, chunk := range r.decision.document.Chunks {
		if err, stalls := r.stalled[chunk.Text]; stalls {
			return err
		}
	}
	return errStalled
}

// lay puts rows in line, or among those that are ready where newer changes wait behind them. The caller holds t.mu.
func (t *Table) lay(rows []*row) {
	t.queue.shelve(rows)
	for _, r := range rows {
		if t.queue.busy[r.id] > 0 {
			t.aside.ready = append(t.aside.ready, r)
		} else {
			t.aside.stalled = append(t.aside.stalled, r)
		}
	}
}

// recall ends the wait of a row for which a newer change came. The caller holds t.mu.
func (t *Table) recall(id string) bool {
	i := slices.IndexFunc(t.aside.stalled, func(r *row) bool { return r.id == id })
	if i < 0 {
		return false
	}
	t.aside.ready = append(t.aside.ready, t.aside.stalled[i])
	t.aside.stalled = slices.Delete(t.aside.stalled, i, i+1)
	return true
}

// takeStalled removes the first row in line; nil: there is none.
func (t *Table) takeStalled() *row {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.aside.stalled) == 0 {
		return nil
	}
	r := t.aside.stalled[0]
	t.aside.stalled = slices.Delete(t.aside.stalled, 0, 1)
	return r
}

// stalling tells what the line waits for. With nil, which says that there is none, its revival is over.
func (t *Table) stalling() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	line := t.aside.stalled
	if len(line) == 0 {
		t.aside.reviving = false
		return nil
	}
	return &fault{
		class: ClassRetry, reason: reasonStalls, err: line[0].stallCause(),
		text: fmt.Sprintf("the embedding endpoint takes other texts and fails on that of row %s of %s, which is asked for again and again beside the others, "+
			"as %d in all; shorten it, set chunk or embedding.maxTextTokens, or raise embedding.timeout", line[0].id, t.name, len(line)),
	}
}

// untilDrain returns a context that ends with the beginning of a drain: nothing is worth waiting for of what has failed before.
func (t *Table) untilDrain() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.ctx)
	t.work.Go(func() {
		defer cancel()
		select {
		case <-t.draining:
		case <-ctx.Done():
		}
	})
	return ctx, cancel
}
