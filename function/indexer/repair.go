package indexer

import "slices"

// Repair is what somebody who compared the index with the table knows of a row's records, and what its commit mark does not tell. The
// change that comes with it is planned as if the mark told it, so that it is written and announced like any other, behind the fence. A
// mark that cannot be read does not stop such a change: it is written over, and what was stored counts as older than any.
type Repair struct {
	Text   bool     // texts or vectors are not those that the mark stands for: embed again
	Chunks int      // the row may have this many records, even without a first one; 0: what the mark says
	Keys   []string // user metadata keys that any of its records may have
	Absent bool     // the row was seen to have no first record: where it has one by now that is not the repair's own, the row is left alone
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

// taken reports whether somebody else has put down, or announced, the row that a repair was to put where none was. Whoever did so may be writing
// it, or a newer change of it, on a look at the index that is older than this one; to write over it would let the two cross (fence.go). So the
// repair leaves the row, and the next comparison judges it as one that is there. Not so once the repair has sent more of the row than an add of
// its first record: then there may be records of both, and only to write all of it makes the row one again.
func (r *row) taken() bool {
	hint, _ := r.repair()
	if !hint.Absent || r.touched || r.damaged || r.stored == nil || r.stored.Chunks == 0 { // 0: not written by rowvec
		return false
	}
	// Without a fingerprint somebody has announced a newer change of it.
	own := r.added.sent && r.stored.Fingerprint != "" && r.stored.Version.SameChange(r.items[0].Change.Version)
	return !own && !r.announced(r.added)
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
