package verify

import "fmt"

const (
	// cullShare is the part of a collection's records, one in so many, that a repair deletes for rows that the table does not have, and
	// cullSome how many in any case. More is rather another table's, or this is another database.
	cullShare = 10
	cullSome  = 100
	// maxHeld is how many such rows are held until they are all counted; what is beyond is for the next round.
	maxHeld = 20_000
)

// culling decides whether a repair may delete what the index has of rows that the table does not have: a record bears a mark of rowvec's,
// but none of its database, and where ids carry no table, none of its table. So they are counted before the first of them is deleted, and
// without a leave no run deletes more than a share.
type culling struct {
	free    bool // the user gave leave
	decided bool
	budget  int // records that may yet be deleted
	held    []suspect
	found   int // records counted in this pass
	refused string
}

// take counts a ghost and reports whether it may be mended right away.
func (k *culling) take(s suspect) bool {
	if k.free {
		return true
	}
	n := max(1, s.listed)
	k.found += n
	switch {
	case !k.decided:
		if len(k.held) < maxHeld {
			k.held = append(k.held, s)
		}
	case k.refused == "" && n <= k.budget:
		k.budget -= n
		return true
	}
	return false
}

// decide takes the share of the records that were looked at for that of all that the collection has, and returns the ghosts that may be mended.
// What comes later is within the same budget: a share of what there was before the repair, which adds to it.
func (k *culling) decide(before, total, looked int) []suspect {
	if k.free || k.decided {
		return nil
	}
	k.decided = true
	held := k.held
	k.held = nil
	base := min(before, total)
	of := fmt.Sprintf("%d of %d records are", k.found, total)
	all := k.found
	if looked < total && looked > 0 { // a sample
		all = int(float64(k.found) / float64(looked) * float64(total))
		of = fmt.Sprintf("%d of %d records in a sample, about %d in all, are", k.found, looked, all)
	}
	if k.budget = max(cullSome, base/cullShare); all > k.budget {
		k.refused = fmt.Sprintf("%s of rows that the table does not have, and no more than %d may go (one in %d of those before the repair, or %d): none of them was "+
			"deleted. They may be of another function.yaml that writes to this collection, or postgres.url leads to another database. If they are to go: "+
			"--delete-ghosts", of, k.budget, cullShare, cullSome)
		return nil
	}
	for _, s := range held {
		k.budget -= max(1, s.listed)
	}
	return held
}
