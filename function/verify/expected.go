package verify

import (
	"hash/maphash"
	"slices"
)

// expected remembers which records the rows of a table should have, so that the pass over the records need not ask Postgres and the
// index for each of them again. It holds 64 bits of each id, 8 bytes: that an id which no row has is taken for one of n that rows have
// is a matter of n in 2^64. First all are remembered, then sorted, then looked up.
type expected struct {
	seed   maphash.Seed
	hashes []uint64
	limit  int
}

func newExpected(limit int) *expected { return &expected{seed: maphash.MakeSeed(), limit: limit} }

// add remembers the records of a row, unless there is no room or the row should or can have none.
func (x *expected) add(e *entry) {
	if e.doc == nil || e.doc.Empty {
		return
	}
	for _, id := range e.ids() {
		if len(x.hashes) < x.limit {
			x.hashes = append(x.hashes, maphash.String(x.seed, id))
		}
	}
}

func (x *expected) sort() { slices.Sort(x.hashes) }

// has reports whether a record is one of those.
func (x *expected) has(id string) bool {
	_, has := slices.BinarySearch(x.hashes, maphash.String(x.seed, id))
	return has
}
