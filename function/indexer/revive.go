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
	// reviveDoubt is how many failures in a row make it ask for another text: it may be the endpoint.
	reviveDoubt = 3
)

// revival asks again for texts that the endpoint failed on while it took others.
type revival struct {
	embedding
	trouble  *trouble
	wait     func(time.Duration) bool
	failures int   // in a row
	endpoint error // what it fails with on any text; nil: it works, as far as is known
}

// revive asks for the texts of the rows in line as their turn comes, one row at a time, until none is left or the table is drained. With each
// success the next are asked for at once, twice as many together: it was the endpoint rather than the texts.
func (t *Table) revive() {
	v := &revival{embedding: embedding{pool: t.pool, table: t}, trouble: t.cond.minor(), wait: t.waiter(t.ctx)}
	defer v.trouble.clear()
	ctx, cancel := t.untilDrain()
	defer cancel()
	for n := 1; v.stands(); {
		var rows []*row
		through, works := v.enter(ctx)
		if works {
			rows = t.takeDue(n)
		}
		if len(rows) == 0 {
			if n = 1; !v.wait(reviveLook) {
				return
			}
			continue
		}
		if n = min(2*n, reviveRows); !v.turn(ctx, through, rows) {
			n = 1
		}
	}
}

// stands tells what the line waits for, and whether there is one. One that is empty for a moment is not over: a row may be on its way back.
func (v *revival) stands() bool {
	for range 2 {
		cause := v.table.stands()
		switch {
		case cause != nil && v.endpoint != nil:
			v.trouble.report(severity(v.endpoint), v.endpoint)
			return true
		case cause != nil:
			v.trouble.report(Retrying, cause)
			return true
		case !v.wait(reviveLook):
			return false
		}
	}
	v.table.mu.Lock()
	defer v.table.mu.Unlock()
	v.table.aside.line.reviving = len(v.table.aside.line.rows) > 0
	return v.table.aside.line.reviving
}

// enter goes through the endpoint's gate. Where that is shut, or after failures in a row, the endpoint is asked for another text first, as by any of those who
// stand there, because there may be nobody else.
func (v *revival) enter(ctx context.Context) (through transit, ok bool) {
	doubted := !v.pool.gate.open() || v.failures >= reviveDoubt
	for {
		through, pause, cause := v.pool.gate.try(&caller{})
		switch {
		case pause > 0:
			v.endpoint = cause
			return transit{}, false
		case !doubted:
			v.endpoint = nil
			return through, true
		}
		if v.endpoint = v.vouch(ctx, through); v.endpoint != nil {
			return transit{}, false
		}
		doubted, v.failures = false, 0
	}
}

// vouch asks for another text. One that is refused is from an endpoint that works.
func (v *revival) vouch(ctx context.Context, through transit) error {
	text, _ := v.pool.voucher.text()
	err := v.table.backoff.attempt(ctx, through, func(ctx context.Context) error {
		_, err := v.pool.embed(ctx, []string{text})
		return err
	})
	if err != nil && Classify(err) == ClassPoison {
		v.pool.voucher.refused()
		return nil
	}
	return err
}

// turn asks for the texts of rows, once, and puts the rows where they belong then.
func (v *revival) turn(ctx context.Context, through transit, rows []*row) (taken bool) {
	began := time.Now()
	var err error // as it is; what attempt returns is how the gate is to take it
	_ = v.table.backoff.attempt(ctx, through, func(ctx context.Context) error {
		if err = v.ask(ctx, rows); tellsOfTexts(err) {
			return &fault{class: ClassRetry, reason: reasonStalls, own: true, err: err, text: "fails still"}
		}
		return err
	})
	if v.failures++; err == nil {
		v.failures = 0
	}
	v.settle(rows, err, time.Since(began))
	return err == nil
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
			revived(rows, text, vectors[i])
		}
	}
	return nil
}

// revived hands the vector of a text to the rows that wait for it.
func revived(rows []*row, text string, vector []float32) {
	texts := 1 // embedded for the first of them
	for _, r := range rows {
		if _, stalls := r.stalled.texts[text]; stalls {
			r.cache[text] = vector
			r.texts += texts
			texts = 0
			delete(r.stalled.texts, text)
		}
	}
}

// settle puts rows where they belong after they were asked for.
func (v *revival) settle(rows []*row, err error, took time.Duration) {
	t := v.table
	condemned := len(rows) == 1 && err != nil && Classify(err) == ClassPoison
	for _, r := range rows {
		r.decision.winner.attempts++
	}
	if len(rows) == 1 {
		r := rows[0]
		if condemned && !t.reject(r, r.decision.winner, "embed", err) {
			t.gone(r)
			return
		}
		if err != nil {
			r.postpone(err, took, t.pool.voucher.healed())
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.aside.line.quiet = time.Now().Add(max(reviveSoon, 2*took, RetryAfter(err)))
	}
	for _, r := range rows {
		t.queue.unshelve(r)
		if len(r.stalled.texts) > 0 && !condemned {
			t.lay([]*row{r})
		} else {
			t.queue.shelve([]*row{r})
			t.aside.ready = append(t.aside.ready, r)
		}
	}
	t.dispatch()
}

// postpone has a row rest after a failure.
func (r *row) postpone(err error, took time.Duration, heals int) {
	s := &r.stalled
	if texts := r.stalledTexts(); len(texts) > 0 && tellsOfTexts(err) {
		s.texts[texts[0]] = err
	}
	s.rest = min(2*s.rest, reviveMost)
	if took > reviveSoon {
		s.rest = max(s.rest, min(reviveShare*took, reviveSlow))
	}
	s.due, s.heals = time.Now().Add(max(s.rest, RetryAfter(err))), heals
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
