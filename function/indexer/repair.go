package indexer

import "slices"

// Repair is what somebody who compared the index with the table knows of a row's records, and what its commit mark does not tell. The
// change that comes with it is planned as if the mark told it, so that it is written and announced like any other, behind the fence. A
// mark that cannot be read does not stop such a change: it is written over, and what was stored counts as older than any.
type Repair struct {
	Text   bool     // texts or vectors are not those that the mark stands for: embed again
	Chunks int      // the row may have this many records, even without a first one; 0: what the mark says
	Keys   []string // user metadata keys that any of its records may have
}

// repair is what is known of the row's records from elsewhere.
func (r *row) repair() (hint Repair, has bool) {
	for _, it := range r.items {
		if it.Repair != nil {
			return *it.Repair, true
		}
	}
	return hint, false
}

// doubted is what the index knows of the row, corrected by its repair. The fence compares what is really stored.
func (r *row) doubted() known {
	k := r.known
	hint, has := r.repair()
	if !has || k.stored == nil {
		return k
	}
	stored := *k.stored
	if hint.Text {
		stored.Fingerprint = ""
	}
	stored.Chunks = max(stored.Chunks, hint.Chunks)
	stored.Keys = slices.Compact(slices.Sorted(slices.Values(slices.Concat(stored.Keys, hint.Keys))))
	k.stored = &stored
	return k
}

// extent is how many records the row has by its first record, 0 without one, and how many it may have.
func (r *row) extent() (told, most int) {
	if stored := r.doubted().stored; stored != nil {
		told = max(1, stored.Chunks) // a record that rowvec did not write says no count
	}
	hint, _ := r.repair()
	return told, max(told, hint.Chunks)
}
