package indexer

// The dispatcher has no goroutine of its own: whatever may make a batch possible (a record came, a row got free, a batch ended, a halt
// is over) looks whether there is one. A record that comes to an idle table is thus in work before Submit returns, and under load
// a batch is all that gathered while the others were in work (design §1, decision 6).

// dispatch starts batches while a slot is free and a record of a free row waits. The caller holds t.mu.
func (t *Table) dispatch() {
	for !t.closed && t.batches < t.inFlight && len(t.queue.waiting)+len(t.aside.ready) > 0 && !t.halted() {
		rows := t.takeReady()
		items := t.queue.take(rows...)
		if len(rows)+len(items) == 0 {
			return
		}
		t.batches++
		t.wake()
		t.work.Go(func() { t.runBatch(rows, items) })
	}
}

// runBatch works on a batch and gives its slot back.
func (t *Table) runBatch(rows []*row, items []*item) {
	if len(items) > 0 {
		t.observer.BatchTaken(t.name, len(items))
	}
	newBatch(t, rows, items).run(t.ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.batches--
	t.dispatch()
}

// free lets the next batch have the row.
func (t *Table) free(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.queue.free(id) {
		t.dispatch()
	}
}

// look is called when the condition changed: a halt that is over lets records in and batches out again.
func (t *Table) look() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wake()
	t.dispatch()
}

// wake lets blocked Submits look again. The caller holds t.mu.
func (t *Table) wake() {
	if t.blocked > 0 || t.closed {
		close(t.room)
		t.room = make(chan struct{})
	}
}
