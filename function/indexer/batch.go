package indexer

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// row is the work on one row of a batch. It belongs to the batch's goroutine.
type row struct {
	id       string
	items    []*item  // not settled yet, in the order of arrival
	decision decision // of the current pass
	known             // what the index knew at readAt
	readAt   time.Time
	vectors  [][]float32          // one per chunk of decision.document
	missing  int                  // how many of them are still to come
	cache    map[string][]float32 // vectors of an earlier pass, by text
	texts    int                  // embedded for it, and not told in an outcome yet
	added    addition             // of an earlier pass
	touched  bool                 // an earlier pass has sent a write other than an add of its first record
	shelved  load                 // what of it counts as waiting while it is aside; the table's lock guards it
	stalled  stalling
	// truncates of the table that there were when it was planned last.
	truncates int
}

// batch works on the rows of some records until every record is settled. Rows finish one by one.
type batch struct {
	table  *Table
	rows   []*row
	held   *trouble // rows that wait for a setting
	moving *trouble // rows that are planned again and again
	idle   int      // passes in a row that planned rows again and settled nothing
}

// newBatch makes a batch of rows that were aside and of records.
func newBatch(t *Table, rows []*row, items []*item) *batch {
	b := &batch{table: t, held: t.cond.operation(), moving: t.cond.operation(), rows: rows}
	byID := make(map[string]*row, len(rows)+len(items))
	for _, r := range rows {
		byID[r.id] = r
	}
	for _, it := range items {
		r := byID[it.id]
		if r == nil {
			r = &row{id: it.id}
			byID[it.id] = r
			b.rows = append(b.rows, r)
		}
		r.items = append(r.items, it)
	}
	return b
}

// run makes passes (look up, plan, embed, write) over the rows that are left. Most batches take one pass. A row comes back when the
// index changed under it, when its newest change turned out to be poison and an older one is left, or when a setting must change.
func (b *batch) run(ctx context.Context) {
	defer b.held.clear()
	defer b.moving.clear()
	rows := b.rows
	b.rows = nil // settled rows are garbage, with their vectors
	for len(rows) > 0 {
		before := unsettled(rows)
		p := newPass(b, len(rows))
		p.run(ctx, rows)
		rows = slices.Concat(p.again, p.held)
		if b.idle++; len(p.again) == 0 || unsettled(rows) < before {
			b.idle = 0
		}
		if !b.pause(ctx, p) {
			b.table.interrupt(rows)
			return
		}
	}
}

// unsettled counts the changes that are not settled.
func unsettled(rows []*row) (n int) {
	for _, r := range rows {
		n += len(r.items)
	}
	return n
}

// idlePasses is how many passes in a row may settle nothing before the next waits.
const idlePasses = 3

// pause reports what rows of the pass wait for, and waits unless others can go on. It returns false when they are to be given up.
func (b *batch) pause(ctx context.Context, p *pass) bool {
	wait, backoff := b.table.waiter(ctx), b.table.backoff
	if len(p.held) > 0 {
		cause := p.held[0].decision.err
		b.held.report(Halted, cause)
		if len(p.again) == 0 {
			b.moving.clear()
			return wait(backoff.delay(cause, 1))
		}
	} else {
		b.held.clear()
	}
	if b.idle <= idlePasses {
		b.moving.clear()
		return true
	}
	cause := &fault{class: ClassRetry, reason: "row_moves", text: fmt.Sprintf("row %s of %s is not in the index as it was just written: another writer has the same rows, "+
		"or what Chroma shows lags behind what it was told; the row is written again and again", p.again[0].id, b.table.name)}
	b.moving.report(Retrying, cause)
	return wait(backoff.delay(cause, b.idle-idlePasses))
}

// retry runs op, which asks the server behind g (nil: nobody shares it), in the one loop, reporting to the table's condition.
func (b *batch) retry(ctx context.Context, g *gate, op func(context.Context) error) (int, error) {
	t := b.table
	return t.backoff.at(g).do(ctx, t.cond.operation(), t.waiter(ctx), op)
}

// persist is retry for an op that may find that there is no use in going on: no attempt follows once over says so.
func (b *batch) persist(ctx context.Context, g *gate, over func() bool, op func(context.Context) error) (int, error) {
	t := b.table
	wait := t.waiter(ctx)
	return t.backoff.at(g).do(ctx, t.cond.operation(), func(d time.Duration) bool { return !over() && wait(d) }, op)
}

// done settles a row whose newest change is in the index, and with it the changes that it superseded: only now, so that a crash
// before this moment brings all of them again.
func (b *batch) done(r *row, k Kind) {
	if doc := r.decision.document; doc != nil {
		b.table.dropped(r.id, doc)
	}
	if doc := r.decision.document; doc != nil && doc.Truncated && k == Indexed {
		b.table.observer.TextTruncated(b.table.name)
	}
	for _, it := range r.items {
		o := Outcome{Kind: Superseded, Attempts: it.attempts}
		if it == r.decision.winner {
			o.Kind, o.Texts = k, r.spent()
			if k != Deleted {
				o.Chunks = len(r.decision.records)
			}
		}
		b.table.settle(it, o)
	}
	b.table.forget(r)
}

// spent tells the row's embedded texts, once.
func (r *row) spent() int {
	n := r.texts
	r.texts = 0
	return n
}

// stale settles changes that the index has nothing to learn from.
func (b *batch) stale(r *row, items []*item) {
	for _, it := range items {
		b.table.settle(it, Outcome{Kind: Stale, Texts: r.spent()})
		r.items = without(r.items, it)
	}
}
