package indexer

import (
	"context"
	"slices"
	"time"
)

// Rests between two attempts of a text that stalls: short at first, as it may have been a moment's weakness of the endpoint, and doubling to
// reviveMost; and for one that takes the endpoint's time reviveShare of that, up to reviveSlow. The line is looked at every reviveLook.
const (
	reviveSoon  = time.Second
	reviveMost  = time.Minute
	reviveShare = 20
	reviveSlow  = 10 * time.Minute
	reviveLook  = time.Second
	// reviveRows is how many rows are asked for together once the endpoint takes them again.
	reviveRows = 64
)

// revival asks again for texts that the endpoint failed on while it took others.
type revival struct {
	embedding
	table   *Table
	trouble *trouble
	wait    func(time.Duration) bool
}

// revive asks for the texts of the rows in line as their turn comes, one row at a time, until none is left or the table is drained. With each
// success the next are asked for at once, twice as many together: it was the endpoint rather than the texts. While the endpoint's gate is
// shut nothing is asked for.
func (t *Table) revive() {
	v := &revival{embedding: embedding{pool: t.pool}, table: t, trouble: t.cond.minor(), wait: t.waiter(t.ctx)}
	defer v.trouble.clear()
	ctx, cancel := t.untilDrain()
	defer cancel()
	for n := 1; v.stands(); {
		var rows []*row
		if t.pool.gate.open() {
			rows = t.takeDue(n)
		}
		if len(rows) == 0 {
			if n = 1; !v.wait(reviveLook) {
				return
			}
			continue
		}
		began := time.Now()
		err := v.ask(ctx, rows)
		v.settle(rows, err, time.Since(began))
		if n = min(2*n, reviveRows); err != nil {
			n = 1
		}
	}
}

// stands tells what the line waits for, and whether there is one. One that is empty for a moment is not over: a row may be on its way back.
func (v *revival) stands() bool {
	for range 2 {
		if cause := v.table.stands(); cause != nil {
			v.trouble.report(Retrying, cause)
			return true
		}
		if !v.wait(reviveLook) {
			return false
		}
	}
	v.table.mu.Lock()
	defer v.table.mu.Unlock()
	v.table.aside.line.reviving = len(v.table.aside.line.rows) > 0
	return v.table.aside.line.reviving
}

// ask asks for the texts of rows that stall: those of one row one by one, up to the first that fails, those of several together, as many as a request holds.
func (v *revival) ask(ctx context.Context, rows []*row) error {
	var texts []string
	for _, r := range rows {
		texts = append(texts, r.stalledTexts()...)
	}
	slices.Sort(texts)
	requests := v.pool.split(slices.Compact(texts))[:1]
	if len(rows) == 1 {
		requests = requests[:0]
		for _, text := range rows[0].stalledTexts() {
			requests = append(requests, []string{text})
		}
	}
	for _, request := range requests {
		vectors, err := v.embedding.ask(ctx, request, false)
		if err != nil {
			return err
		}
		for i, text := range request {
			for _, r := range rows {
				r.revived(text, vectors[i])
			}
		}
	}
	return nil
}

// revived takes the vector of a text, if the row waits for it.
func (r *row) revived(text string, vector []float32) {
	if _, stalls := r.stalled.texts[text]; stalls {
		r.cache[text] = vector
		r.texts++
		delete(r.stalled.texts, text)
	}
}

// settle puts rows where they belong after they were asked for.
func (v *revival) settle(rows []*row, err error, took time.Duration) {
	t := v.table
	if len(rows) == 1 {
		r := rows[0]
		r.decision.winner.attempts++
		if err != nil && Classify(err) == ClassPoison && !t.reject(r, r.decision.winner, "embed", err) {
			t.gone(r)
			return
		}
		if err != nil {
			r.postpone(err, took)
			r.stalled.heals = t.pool.voucher.healed()
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.aside.line.quiet = time.Now().Add(max(reviveSoon, 2*took, RetryAfter(err)))
	}
	for _, r := range rows {
		t.queue.unshelve(r)
		if len(r.stalled.texts) > 0 && !condemned(rows, err) {
			t.lay([]*row{r})
		} else {
			t.queue.shelve([]*row{r})
			t.aside.ready = append(t.aside.ready, r)
		}
	}
	t.dispatch()
}

// condemned reports whether a row's newest change was rejected, and an older one is left.
func condemned(rows []*row, err error) bool {
	return len(rows) == 1 && err != nil && Classify(err) == ClassPoison
}

// postpone has a row rest after a failure.
func (r *row) postpone(err error, took time.Duration) {
	s := &r.stalled
	if texts := r.stalledTexts(); len(texts) > 0 && tellsOfTexts(err) {
		s.texts[texts[0]] = err
	}
	s.rest = min(2*s.rest, reviveMost)
	if took > reviveSoon {
		s.rest = max(s.rest, min(reviveShare*took, reviveSlow))
	}
	s.due = time.Now().Add(max(s.rest, RetryAfter(err)))
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
