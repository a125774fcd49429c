package indexer

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// line is the rows of a table that are aside because the endpoint fails on their texts while it takes others. The table's lock guards it.
type line struct {
	rows      []*row
	reviving  bool      // revive runs
	quiet     time.Time // nothing is asked for before
	truncates int       // how many there were: who was planned before one is planned again
}

// stalling is what a row that stands in line, or has stood there, knows of it.
type stalling struct {
	texts map[string]error // that the endpoint fails on, and with what
	since time.Time
	rest  time.Duration // until it is asked for again
	due   time.Time
	heals int // of the pool when it was asked for
}

// asideChanges is how many changes a row keeps while it is aside, the newest ones, if the newest has all of its columns.
const asideChanges = 16

// stall notes a text that the endpoint fails on.
func (r *row) stall(text string, err error) {
	if r.stalled.texts == nil {
		r.stalled = stalling{texts: make(map[string]error, 1), since: time.Now()}
	}
	r.stalled.texts[text] = err
}

// of is what is left of it for a document: nothing, if it has none of the texts.
func (s stalling) of(chunks []document.Chunk) stalling {
	if s.texts == nil {
		return s
	}
	texts := make(map[string]error, len(s.texts))
	for _, chunk := range chunks {
		if err, stalls := s.texts[chunk.Text]; stalls {
			texts[chunk.Text] = err
		}
	}
	if len(texts) == 0 {
		return stalling{}
	}
	s.texts = texts
	return s
}

// stalls reports whether vectors are lacking of texts that the endpoint fails on.
func (r *row) stalls() bool {
	return slices.ContainsFunc(r.vectors, func(v []float32) bool { return v == nil })
}

// stallCause is what the endpoint fails with on the first of them.
func (r *row) stallCause() error {
	for _, text := range r.stalledTexts() {
		return r.stalled.texts[text]
	}
	return errStalled
}

// stalledTexts lists them, in the order of the document.
func (r *row) stalledTexts() (texts []string) {
	for _, chunk := range r.decision.document.Chunks {
		if _, stalls := r.stalled.texts[chunk.Text]; stalls && !slices.Contains(texts, chunk.Text) {
			texts = append(texts, chunk.Text)
		}
	}
	return texts
}

// lighten gives up what a row need not keep while it is aside: vectors of its other chunks, if they are many, and changes that its newest
// one makes void.
func (t *Table) lighten(r *row) {
	r.keep(0)
	r.vectors = nil
	size := 0
	for _, v := range r.cache {
		size += 4 * len(v)
	}
	if r.cache == nil || size > t.queue.limits.MaxBytes/64 {
		r.cache = make(map[string][]float32)
	}
	w := r.decision.winner
	if newest(r.items) != w || !w.whole() {
		return
	}
	old := slices.SortedStableFunc(slices.Values(r.items), (*item).compare)
	old = old[:max(0, len(old)-asideChanges)]
	var kept []*item // in the order of arrival, as of equals the last is the newest
	for _, it := range r.items {
		same := it.Change.Version.SameChange(w.Change.Version)
		switch {
		case it == w, it.Repair != nil:
			kept = append(kept, it)
		case same && it.Change.Op == w.Change.Op: // may be the same message, which must come again until w is done
			t.twin(w, it)
		case !same && slices.Contains(old, it):
			t.settle(it, Outcome{Kind: Superseded, Attempts: it.attempts})
		default:
			kept = append(kept, it)
		}
	}
	r.items = kept
}

// asideTwins is how many changes of one version end with the newest of them: other messages that say the same.
const asideTwins = 3

// twin has an earlier change of w's version end with w. Those beyond asideTwins are copies that came with reconnections.
func (t *Table) twin(w, it *item) {
	all := slices.Concat(it.twins, []*item{it}, w.twins)
	it.twins = nil
	w.twins = all[:min(len(all), asideTwins)]
	for _, extra := range all[len(w.twins):] {
		t.settle(extra, Outcome{Kind: Interrupted})
	}
}

// lay puts rows in line, or among those that are ready where newer changes wait behind them, or something else may have overtaken them: a truncate, which
// another instance may have swept for. The caller holds t.mu.
func (t *Table) lay(rows []*row) {
	t.queue.shelve(rows)
	now := time.Now()
	for _, r := range rows {
		if s := &r.stalled; s.rest == 0 {
			s.rest, s.due, s.heals = reviveSoon, now.Add(reviveSoon), t.pool.voucher.healed()
		}
		if t.queue.busy[r.id] > 0 || r.truncates != t.aside.line.truncates || older(r.readAt, now, reviveSlow) {
			t.aside.ready = append(t.aside.ready, r)
		} else {
			t.aside.line.rows = append(t.aside.line.rows, r)
		}
	}
}

// recall ends the wait of a row for which a newer change came. The caller holds t.mu.
func (t *Table) recall(id string) bool {
	l := &t.aside.line
	i := slices.IndexFunc(l.rows, func(r *row) bool { return r.id == id })
	if i < 0 {
		return false
	}
	t.aside.ready = append(t.aside.ready, l.rows[i])
	l.rows = slices.Delete(l.rows, i, i+1)
	return true
}

// recallAll ends the wait of all of them: the table was truncated.
func (t *Table) recallAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.aside.line.truncates++
	t.aside.ready = append(t.aside.ready, t.aside.line.rows...)
	t.aside.line.rows = nil
	t.dispatch()
}

// truncated is how many truncates of the table there were so far.
func (t *Table) truncated() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.aside.line.truncates
}

// takeDue removes the row whose turn it is, or, of several, those whose turn is next. Those with short rests go first: they have stood there for a
// moment only.
func (t *Table) takeDue(n int) []*row {
	heals := t.pool.voucher.healed()
	t.mu.Lock()
	defer t.mu.Unlock()
	l, now := &t.aside.line, time.Now()
	if len(l.rows) == 0 || n == 1 && now.Before(l.quiet) {
		return nil
	}
	due := func(r *row) bool { return !now.Before(r.stalled.due) }
	slices.SortStableFunc(l.rows, func(a, b *row) int {
		switch x, y := due(a), due(b); {
		case x && y:
			return cmp.Compare(a.stalled.rest, b.stalled.rest)
		case x:
			return -1
		case y:
			return 1
		default:
			return a.stalled.due.Compare(b.stalled.due)
		}
	})
	first := 0
	if n == 1 && !due(l.rows[0]) {
		first = slices.IndexFunc(l.rows, func(r *row) bool { return r.stalled.heals != heals })
	}
	if first < 0 {
		return nil
	}
	rows := slices.Clone(l.rows[first:min(first+n, len(l.rows))])
	l.rows = slices.Delete(l.rows, first, first+len(rows))
	return rows
}

// stands tells what the line waits for; nil: there is none.
func (t *Table) stands() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	rows := t.aside.line.rows
	if len(rows) == 0 {
		return nil
	}
	first := slices.MinFunc(rows, func(a, b *row) int { return a.stalled.since.Compare(b.stalled.since) })
	full := ""
	if t.queue.crammed() {
		full = "; no more changes are taken until some of them are done"
	}
	return &fault{
		class: ClassRetry, reason: reasonStalls, err: first.stallCause(),
		text: fmt.Sprintf("the embedding endpoint takes other texts and fails on those of %d rows, the first of them row %s of %s, which are asked for again and "+
			"again beside the others%s; shorten them, set chunk or embedding.maxTextTokens, or raise embedding.timeout", len(rows), first.id, t.name, full),
	}
}

// whole reports whether a change has all of its row's columns.
func (it *item) whole() bool {
	for _, value := range it.Change.After {
		if _, missing := value.(connector.Unavailable); missing {
			return false
		}
	}
	return true
}
