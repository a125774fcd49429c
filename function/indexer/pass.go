package indexer

import (
	"context"
	"fmt"
	"time"
)

// pass takes the rows of a batch through lookup, plan, embedding and writing once.
type pass struct {
	*batch
	open    map[*row]struct{} // at the endpoint or at the writer
	texts   []string          // distinct texts to embed, in the order of the rows
	need    map[string][]slot // who waits for each
	saved   int               // texts that need no request
	results chan embedded
	written chan written
	again   []*row // to be planned again
	held    []*row // to be planned again once a setting has changed
	lacking []*row // to be set aside until their columns are read from the table
	blocked []*row // to be set aside until another process has deleted their dead records
	stalled []*row // to be set aside until the endpoint takes their texts: known before anything is asked

	truncates int // of the table before the look-up
}

// slot is the place of one vector.
type slot struct {
	row   *row
	chunk int
}

func newPass(b *batch, rows int) *pass {
	return &pass{
		batch: b, open: make(map[*row]struct{}, rows), need: make(map[string][]slot),
		results: make(chan embedded), written: make(chan written, rows), // the writer must never wait for a batch
	}
}

func (p *pass) run(ctx context.Context, rows []*row) {
	p.truncates = p.table.truncated()
	for _, r := range p.lookUp(ctx, rows) {
		p.plan(r)
	}
	if p.saved > 0 {
		p.table.observer.TextsSaved(p.table.name, p.saved)
	}
	p.table.setAside(p.blocked, p.lacking, p.stalled)
	within, cancel := context.WithCancel(ctx)
	if len(p.texts) > 0 {
		e := embedding{pool: p.table.pool, retry: p.persist, out: p.results, table: p.table}
		defer e.start(within, p.texts)()
	}
	defer cancel()
	p.collect(ctx)
}

// collect takes what the endpoint and the writer are done with until no row is open.
func (p *pass) collect(ctx context.Context) {
	for len(p.open) > 0 {
		select {
		case e := <-p.results:
			p.embedded(e)
		case w := <-p.written:
			p.wrote(w)
		case <-ctx.Done():
			// The writer may still hold rows of ours. What it does with them is harmless: nobody was told that they are done.
			for r := range p.open {
				p.table.interrupt([]*row{r})
			}
			return
		}
	}
}

// lookUp reads what the index holds of the rows and returns those that can be planned.
func (p *pass) lookUp(ctx context.Context, rows []*row) []*row {
	found := make([]*row, 0, len(rows))
	bisect(rows, func(part []*row) error {
		targets := make([]target, len(part))
		for i, r := range part {
			targets[i] = target{id: r.id, mark: p.table.mark, stone: r.added.sent}
		}
		var readAt time.Time
		var index map[string]looked
		_, err := p.retry(ctx, &p.table.writer.gate, func(ctx context.Context) error {
			return p.table.writer.attempt(ctx, func(ctx context.Context, s Store) (err error) {
				readAt = time.Now() // before the call: the answer may be as old as this
				index, err = p.table.writer.look(ctx, s, targets)
				return err
			})
		})
		if err != nil {
			return fmt.Errorf("look up %d rows: %w", len(part), err)
		}
		for _, r := range part {
			if p.know(r, index[r.id], readAt) {
				found = append(found, r)
			}
		}
		return nil
	}, p.failed)
	return found
}

// know notes what the index holds of a row. A commit mark that cannot be read condemns the row's changes, unless they are to mend it: to
// write over it would be to give up the fence.
func (p *pass) know(r *row, l looked, readAt time.Time) bool {
	if _, mends := r.repair(); l.err != nil && (!l.damaged || !mends) {
		p.failed([]*row{r}, l.err)
		return false
	}
	r.known, r.readAt = l.known, readAt
	return true
}

// failed ends rows that could not be looked up.
func (p *pass) failed(rows []*row, err error) {
	if Classify(err) != ClassPoison {
		p.table.interrupt(rows)
		return
	}
	for _, r := range rows {
		for len(r.items) > 0 && p.table.reject(r, r.items[0], "plan", err) {
			continue
		}
	}
}

// plan decides on a row and sends it on its way.
func (p *pass) plan(r *row) {
	if r.dead() {
		p.clearDead(r)
		return
	}
	if r.taken() {
		p.stale(r, r.items)
		p.table.forget(r)
		return
	}
	r.truncates = p.truncates
	d := planner{builder: p.table.builder, fetches: p.table.columns != nil}.plan(r.items, r.doubted())
	if d.action == skip && r.announced(r.added) { // what is newer did not meet it
		p.clean(r)
		return
	}
	r.decision = d
	for _, bad := range d.poisoned {
		if !p.table.reject(r, bad.item, "plan", bad.err) {
			return
		}
	}
	p.stale(r, d.stale)
	switch d.action {
	case skip:
		p.table.forget(r)
	case hold:
		p.held = append(p.held, r)
	case fetch:
		p.lacking = append(p.lacking, r)
	case remove:
		if r.stored == nil && p.table.writer.tombstones == nil {
			p.done(r, Deleted)
			return
		}
		p.write(r)
	case refresh:
		p.saved += len(d.records)
		p.write(r)
	case index:
		p.want(r)
	case clean: // of clearDead only
	}
}

// want notes the vectors that a row needs and does not know from an earlier pass.
func (p *pass) want(r *row) {
	chunks := r.decision.document.Chunks
	r.vectors, r.missing = make([][]float32, len(chunks)), 0
	if r.stalled = r.stalled.of(chunks); r.stalled.texts != nil {
		r.vectors = nil
		p.stalled = append(p.stalled, r) // nothing is asked for beside it
		return
	}
	for i, chunk := range chunks {
		if v, ok := r.cache[chunk.Text]; ok {
			r.vectors[i] = v
			continue
		}
		waiting, asked := p.need[chunk.Text]
		if asked {
			p.saved++
		} else {
			p.texts = append(p.texts, chunk.Text)
		}
		p.need[chunk.Text] = append(waiting, slot{row: r, chunk: i})
		r.missing++
	}
	if r.missing == 0 {
		p.write(r)
		return
	}
	p.open[r] = struct{}{}
}

// embedded takes the answer to some texts.
func (p *pass) embedded(e embedded) {
	for i, text := range e.texts {
		if e.err == nil {
			p.need[text][0].row.texts++
		}
		for _, s := range p.need[text] {
			if _, open := p.open[s.row]; !open {
				continue // it failed by another of its chunks
			}
			s.row.decision.winner.attempts += e.attempts
			switch {
			case e.err == nil:
				s.row.vectors[s.chunk] = e.vectors[i]
				p.answered(s.row)
			case e.stalls:
				s.row.stall(text, e.err)
				p.answered(s.row)
			case Classify(e.err) == ClassPoison:
				p.condemn(s.row, "embed", e.err)
			default:
				delete(p.open, s.row)
				p.table.interrupt([]*row{s.row})
			}
		}
	}
}

// answered notes one answer for a row. With the last one it goes on to the writer, or aside if the endpoint fails on a text of it.
func (p *pass) answered(r *row) {
	switch r.missing--; {
	case r.missing > 0:
	case r.stalls():
		delete(p.open, r)
		p.table.setAside(nil, nil, []*row{r})
	default:
		p.write(r)
	}
}

// write hands a row to the writer.
func (p *pass) write(r *row) {
	p.open[r] = struct{}{}
	p.table.writer.submit(newJob(p.table, r, p.written))
}

// wrote takes the writer's answer.
func (p *pass) wrote(w written) {
	r := w.row
	if w.added.sent {
		r.added = w.added
	}
	r.touched = r.touched || w.touched
	if r.decision.action == clean {
		p.cleaned(w)
		return
	}
	r.decision.winner.attempts += w.attempts
	switch {
	case w.err == nil && w.changed:
		delete(p.open, r)
		r.keep(w.misfit)
		p.again = append(p.again, r)
	case w.err == nil:
		delete(p.open, r)
		p.done(r, r.decision.action.outcome())
	case Classify(w.err) == ClassPoison:
		p.condemn(r, "write", w.err)
	default:
		delete(p.open, r)
		p.table.interrupt([]*row{r})
	}
}

// condemn rejects a row's newest change; the next newest gets its turn.
func (p *pass) condemn(r *row, stage string, err error) {
	delete(p.open, r)
	if p.table.reject(r, r.decision.winner, stage, err) {
		p.again = append(p.again, r)
	}
}

// keep remembers the row's vectors for when it is planned again, but those of a size that the index does not take; 0: none is.
func (r *row) keep(misfit int) {
	if len(r.vectors) == 0 {
		return
	}
	r.cache = make(map[string][]float32, len(r.vectors))
	for i, chunk := range r.decision.document.Chunks {
		if n := len(r.vectors[i]); n > 0 && n != misfit {
			r.cache[chunk.Text] = r.vectors[i]
		}
	}
}

// outcome is what becomes of a change whose action is done.
func (a action) outcome() Kind {
	switch a {
	case remove:
		return Deleted
	case refresh:
		return MetadataOnly
	case index:
		return Indexed
	default:
		return Stale
	}
}
