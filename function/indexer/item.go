package indexer

import (
	"sync/atomic"

	"github.com/rowvec/rowvec/connector"
)

// item is a record on its way through a table.
type item struct {
	Record
	id       string // of the row
	counted  bool   // in the observer's InFlight
	attempts int    // calls made for it: requests to the endpoint, writes
}

// split makes two items of an update that moved a row from one id to another: one removes what is stored under the old id, the other
// is the update itself. A source does so by itself for a primary key (design §7); for a key named in the settings it is up to us. The
// record is settled once both are.
func split(it *item, oldID string) [2]*item {
	gone := *it.Change
	gone.Op, gone.After = connector.Delete, nil
	both := &pair{settle: it.Settle}
	both.left.Store(2)
	old := &item{Record: it.Record, id: oldID}
	old.Change, old.Settle, old.Bytes = &gone, func(o Outcome) { both.settled(&both.old, o) }, 0
	it.Settle = func(o Outcome) { both.settled(&both.moved, o) }
	return [2]*item{old, it}
}

// pair joins the outcomes of the two halves of a record.
type pair struct {
	settle     func(Outcome)
	left       atomic.Int32
	old, moved Outcome
}

func (p *pair) settled(half *Outcome, o Outcome) {
	*half = o
	if p.left.Add(-1) > 0 {
		return
	}
	if worse(p.old.Kind) > worse(p.moved.Kind) {
		p.settle(p.old)
		return
	}
	p.settle(p.moved)
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
