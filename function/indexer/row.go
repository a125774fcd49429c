package indexer

// reject settles a change that can never succeed and reports whether its row has others left.
func (t *Table) reject(r *row, it *item, stage string, err error) (left bool) {
	t.settle(it, Outcome{
		Kind: Poison, Stage: stage, Reason: Reason(err), Err: err, Attempts: max(1, it.attempts), Texts: r.spent(),
	})
	r.items = without(r.items, it)
	if len(r.items) == 0 {
		t.forget(r)
		return false
	}
	return true
}

// interrupt leaves the rows for the next life.
func (t *Table) interrupt(rows []*row) {
	for _, r := range rows {
		for _, it := range r.items {
			t.settle(it, Outcome{Kind: Interrupted})
		}
		t.forget(r)
	}
}

// forget ends the work on a row.
func (t *Table) forget(r *row) {
	r.items, r.vectors, r.cache, r.known, r.decision, r.added = nil, nil, nil, known{}, decision{}, addition{}
	r.touched = false
	t.free(r.id)
}
