package indexer

// queue holds the records that wait for a batch, in order of arrival, and knows which rows are in work. It is not safe for concurrent
// use: the table's lock guards it.
type queue struct {
	limits  Batch
	waiting []*item
	bytes   int
	busy    map[string]int // row ids in work, each with the number of records that wait for it
}

// waitingBatches is how many full batches may wait by count: one that is taken next and one that fills meanwhile.
const waitingBatches = 2

func newQueue(limits Batch) queue { return queue{limits: limits, busy: make(map[string]int)} }

// fits reports whether a record of that size may be put in. An empty queue takes any, or a record over the bound would never pass.
func (q *queue) fits(bytes int) bool {
	if len(q.waiting) == 0 {
		return true
	}
	return len(q.waiting) < waitingBatches*q.limits.MaxRecords && q.bytes+bytes <= q.limits.MaxBytes
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

// take removes the next batch: waiting records, oldest first, of rows that are not in work. A row may come with several records. It
// stops at the first record that does not fit, so that no record overtakes an older one of its row.
func (q *queue) take() []*item {
	var batch []*item
	bytes, kept := 0, 0
	mine := make(map[string]struct{}, min(len(q.waiting), q.limits.MaxRecords))
	for i, it := range q.waiting {
		if _, own := mine[it.id]; !own {
			if _, busy := q.busy[it.id]; busy {
				q.waiting[kept] = it
				kept++
				continue
			}
		}
		if len(batch) > 0 && (len(batch) == q.limits.MaxRecords || bytes+it.Bytes > q.limits.MaxBytes) {
			kept += copy(q.waiting[kept:], q.waiting[i:])
			break
		}
		batch = append(batch, it)
		bytes += it.Bytes
		mine[it.id] = struct{}{}
	}
	if len(batch) == 0 {
		return nil
	}
	clear(q.waiting[kept:])
	q.waiting, q.bytes = q.waiting[:kept], q.bytes-bytes
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
