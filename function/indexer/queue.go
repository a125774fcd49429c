package indexer

// queue holds the records that wait for a batch, in order of arrival, and knows which rows are in work. It is not safe for concurrent
// use: the table's lock guards it.
type queue struct {
	limits  Batch
	waiting []*item
	bytes   int
	shelved load           // records of rows that were set aside
	busy    map[string]int // row ids in work or aside, each with the number of records that wait for it
}

// load is a number of records and their size.
type load struct{ records, bytes int }

// waitingBatches is how many full batches may wait by count: one that is taken next and one that fills meanwhile.
const waitingBatches = 2

func newQueue(limits Batch) queue { return queue{limits: limits, busy: make(map[string]int)} }

// fits reports whether a record of that size may be put in. An empty queue takes any, or a record over the bound would never pass,
// unless what is aside has reached the bound by itself.
func (q *queue) fits(bytes int) bool {
	if len(q.waiting) == 0 {
		bytes = min(bytes, 1)
	}
	now := load{records: len(q.waiting) + q.shelved.records, bytes: q.bytes + q.shelved.bytes}
	return now == load{} || now.records < waitingBatches*q.limits.MaxRecords && now.bytes+bytes <= q.limits.MaxBytes
}

// crammed reports whether what is aside has reached the bound by itself.
func (q *queue) crammed() bool {
	return q.shelved.records >= waitingBatches*q.limits.MaxRecords || q.shelved.bytes >= q.limits.MaxBytes
}

// shelve counts rows that are set aside.
func (q *queue) shelve(rows []*row) {
	for _, r := range rows {
		r.shelved = load{records: len(r.items)}
		for _, it := range r.items {
			r.shelved.records += len(it.twins)
			r.shelved.bytes += it.Bytes * (1 + len(it.twins))
		}
		for _, vector := range r.cache {
			r.shelved.bytes += 4 * len(vector)
		}
		q.shelved.records += r.shelved.records
		q.shelved.bytes += r.shelved.bytes
	}
}

// unshelve counts one no more.
func (q *queue) unshelve(r *row) {
	q.shelved.records -= r.shelved.records
	q.shelved.bytes -= r.shelved.bytes
	r.shelved = load{}
}

// put appends a record and reports whether its row is free.
func (q *queue) put(it *item) (eligible bool) {
	q.waiting = append(q.waiting, it)
	q.bytes += it.Bytes
	n, busy := q.busy[it.id]
	if busy {
		q.busy[it.id] = n + 1
	}
	return !busy
}

// take removes the next batch: waiting records, oldest first, of rows that are not in work, beside rows that were aside and what came
// behind them, all of it: such a row comes back for what came. A row may come with several records. Of other rows it stops at the first record that does
// not fit, so that no record overtakes an older one of its row.
func (q *queue) take(back ...*row) []*item {
	var batch []*item
	mine := make(map[string]struct{}, min(len(q.waiting), q.limits.MaxRecords))
	records, bytes, taken, kept := 0, 0, 0, 0
	full, behind := false, 0 // records of rows that come back
	for _, r := range back {
		behind += q.busy[r.id]
		mine[r.id] = struct{}{}
		records, bytes = records+r.shelved.records, bytes+r.shelved.bytes
		q.unshelve(r)
	}
	for i, it := range q.waiting {
		_, own := mine[it.id]
		_, busy := q.busy[it.id]
		if !busy && records > 0 && (records >= q.limits.MaxRecords || bytes+it.Bytes > q.limits.MaxBytes) {
			full = true
		}
		if full && behind == 0 {
			kept += copy(q.waiting[kept:], q.waiting[i:])
			break
		}
		if busy && !own || full && !busy {
			q.waiting[kept] = it
			kept++
			continue
		}
		if busy {
			behind--
		}
		batch = append(batch, it)
		records, bytes, taken = records+1, bytes+it.Bytes, taken+it.Bytes
		mine[it.id] = struct{}{}
	}
	if len(batch) == 0 {
		return nil
	}
	clear(q.waiting[kept:])
	q.waiting, q.bytes = q.waiting[:kept], q.bytes-taken
	q.occupy(mine)
	return batch
}

// occupy marks the rows of a batch as in work.
func (q *queue) occupy(rows map[string]struct{}) {
	for id := range rows {
		q.busy[id] = 0
	}
	for _, it := range q.waiting {
		if _, mine := rows[it.id]; mine {
			q.busy[it.id]++
		}
	}
}

// free ends the work on a row and reports whether records wait for it.
func (q *queue) free(id string) (waiting bool) {
	n := q.busy[id]
	delete(q.busy, id)
	return n > 0
}

// empty removes and returns everything that waits.
func (q *queue) empty() []*item {
	rest := q.waiting
	q.waiting, q.bytes = nil, 0
	return rest
}
