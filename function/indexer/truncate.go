package indexer

import (
	"context"

	"github.com/rowvec/rowvec/connector"
)

// A truncate is a change of the whole table. It takes no batch and no row: a sweep of its own (sweep.go) deletes what is older, beside
// the batches, whose changes it cannot hurt and that cannot hurt it, whatever comes first. One sweep runs at a time; truncates that come
// meanwhile share the next.

// maxTruncates is how many truncates may wait for the next sweep.
const maxTruncates = 100

// submitTruncate takes over a truncate. Without tombstones there is nothing to remember it by, and so nothing that is safe to do.
func (t *Table) submitTruncate(ctx context.Context, it *item) error {
	if t.writer.tombstones == nil {
		t.settle(it, Outcome{Kind: Ignored, Reason: "truncate"})
		return nil
	}
	err := t.admit(ctx, it)
	if err != nil {
		t.settle(it, Outcome{Kind: Interrupted})
	}
	return err
}

// full reports whether an item must wait for room. The caller holds t.mu.
func (t *Table) full(it *item) bool {
	if it.Change.Op == connector.Truncate {
		return len(t.truncates) >= maxTruncates
	}
	return !t.queue.fits(it.Bytes)
}

// putTruncate has a truncate swept for. The caller holds t.mu.
func (t *Table) putTruncate(it *item) {
	t.truncates = append(t.truncates, it)
	if !t.sweeping {
		t.sweeping = true
		t.work.Go(t.sweepAll)
	}
}

// sweepAll sweeps until no truncate waits, or the table is drained.
func (t *Table) sweepAll() {
	for {
		items, closed := t.takeTruncates()
		switch {
		case closed:
			t.settleTruncates(items, nil, Outcome{Kind: Interrupted})
			return
		case len(items) == 0:
			return
		}
		winner := newest(items)
		s := &sweep{Table: t, of: winner.Change.Table, version: winner.Change.Version}
		kind, err := s.run(t.ctx)
		o := Outcome{Kind: kind, Attempts: 1}
		switch {
		case err == nil:
			t.recallAll()
		case Classify(err) == ClassPoison:
			o = Outcome{Kind: Poison, Stage: "write", Reason: Reason(err), Err: err, Attempts: 1}
		default:
			o = Outcome{Kind: Interrupted}
		}
		t.settleTruncates(items, winner, o)
	}
}

// takeTruncates removes what waits for a sweep. When that is nothing the sweeping is over.
func (t *Table) takeTruncates() (items []*item, closed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	items, t.truncates = t.truncates, nil
	t.sweeping = len(items) > 0 && !t.closed
	t.wake()
	return items, t.closed
}

// settleTruncates ends the truncates of a sweep: the newest as it went, and the others, which ask for less, with it.
func (t *Table) settleTruncates(items []*item, winner *item, o Outcome) {
	for _, it := range items {
		each := o
		if it != winner && o.Kind == Truncated {
			each.Kind = Superseded
		}
		t.settle(it, each)
	}
}
