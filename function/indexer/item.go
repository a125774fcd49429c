package indexer

import (
	"sync"

	"github.com/rowvec/rowvec/connector"
)

// item is a record on its way through a table.
type item struct {
	Record
	id       string  // of the row
	counted  bool    // in the observer's InFlight
	moved    bool    // the row had another id before
	attempts int     // calls made for it: requests to the endpoint, writes
	pair     *pair   // set when the record was split in two items
	twins    []*item // of the same version: they end with it (line.go)

	// fetched are columns that the change left out and that were read from the table for it: as of the change, or later.
	fetched connector.Row
}

// split makes two items of an update that moved a row from one id to another: one removes what is stored under the old id, the other
// is the update itself. A source does so by itself for a primary key (design §7); for a key named in the settings it is up to us. The
// record is settled once both are.
func split(it *item, oldID string) [2]*item {
	gone := *it.Change
	gone.Op, gone.After = connector.Delete, nil
	it.pair, it.moved = &pair{oldID: oldID}, true
	old := &item{Record: it.Record, id: oldID, pair: it.pair}
	old.Change, old.Bytes = &gone, 0
	return [2]*item{old, it}
}

// pair joins the outcomes of the two halves of a record.
type pair struct {
	oldID string

	mu    sync.Mutex
	first *Outcome
}

// join takes one half's outcome. With the second it returns the record's: the worse one, and of equals that of the update.
func (p *pair) join(o Outcome) (both Outcome, whole bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.first == nil {
		p.first = &o
		return Outcome{}, false
	}
	if a, b := worse(p.first.Kind), worse(o.Kind); a > b || (a == b && o.Kind == Deleted) {
		return *p.first, true
	}
	return o, true
}

// worse ranks outcomes: an interrupted half must come again, whatever became of the other.
func worse(k Kind) int {
	switch k {
	case Interrupted:
		return 2
	case Poison:
		return 1
	default:
		return 0
	}
}
