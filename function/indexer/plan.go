package indexer

import (
	"fmt"
	"slices"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// builder makes documents of changes; *document.Builder does.
type builder interface {
	ID(c *connector.Change) (string, error)
	OldID(c *connector.Change) (string, error)
	Build(c *connector.Change) (*document.Document, error)
}

// action is what a row's newest change asks of the index.
type action uint8

const (
	skip    action = iota // nothing: the index holds this or something newer, or no change is left
	remove                // delete the row's records
	refresh               // write metadata; texts and vectors stay
	index                 // embed and write everything
	hold                  // a setting must change before the row can be planned
)

// decision is the plan for one row: what to do for its newest change, and which changes are done with already.
type decision struct {
	action   action
	winner   *item              // the newest change that can be done; nil for skip
	document *document.Document // for refresh and index
	records  []document.Record  // for refresh and index, in the order of the chunks
	stale    []*item            // nothing to do for these
	poisoned []rejection        // these can never succeed
	err      error              // for hold: why
}

// rejection is a change that no document can be made of.
type rejection struct {
	item *item
	err  error
}

// plan decides what becomes of the changes of one row, given in the order of arrival, when the index holds stored (nil: nothing). It
// is pure, so that everything about order, duplication and replay can be tested without a clock or a store:
//
//   - A change that is older than stored (connector.Version.StaleAgainst) is stale.
//   - Of the others the newest wins; a change that cannot be built is poisoned and the next newest is tried, so that a bad change
//     takes no good one with it.
//   - A change of the stored version is the same change seen again. It is stale unless the index would look different today: another
//     fingerprint (model, prefix, template or chunking were changed) has it embedded again, other metadata keys (the list of columns
//     was changed) have its metadata written. So a replay of the topic applies new settings, and costs nothing where there are none.
func plan(b builder, items []*item, stored *document.State) decision {
	var d decision
	rest := items
	if stored != nil {
		rest = make([]*item, 0, len(items))
		for _, it := range items {
			if it.Change.Version.StaleAgainst(stored.Version) {
				d.stale = append(d.stale, it)
			} else {
				rest = append(rest, it)
			}
		}
	}
	for len(rest) > 0 {
		winner := newest(rest)
		err := d.decide(b, winner, stored)
		switch {
		case err == nil && d.action == skip:
			d.stale = append(d.stale, rest...)
			return d
		case err == nil:
			d.winner = winner
			return d
		case Classify(err) == ClassHalt:
			d.action, d.winner, d.err = hold, winner, err
			return d
		}
		// Whatever else fails here fails again: it is a pure function of the change.
		d.poisoned = append(d.poisoned, rejection{item: winner, err: err})
		rest = without(rest, winner)
	}
	d.action = skip
	return d
}

// newest returns what would be left if the changes were applied one by one in the order of arrival. Where neither of two is older
// (after a fail-over LSNs may start lower while the clock goes on), the later arrival wins, as it does between batches.
func newest(items []*item) *item {
	winner := items[0]
	for _, it := range items[1:] {
		if !it.Change.Version.StaleAgainst(winner.Change.Version) {
			winner = it
		}
	}
	return winner
}

// decide fills in what the change asks for. A panic in a template is the row's fault and becomes an error.
func (d *decision) decide(b builder, it *item, stored *document.State) (err error) {
	defer contain(&err)
	if it.Change.Op == connector.Delete {
		d.action = remove
		return nil
	}
	doc, err := b.Build(it.Change)
	if err != nil {
		return err
	}
	if doc.Empty {
		d.action = remove
		return nil
	}
	d.action = index
	if stored != nil && stored.Fingerprint == doc.Fingerprint && stored.Chunks == len(doc.Chunks) {
		d.action = refresh
		if sameVersion(it.Change.Version, stored.Version) && sameKeys(doc, stored.Keys) {
			d.action = skip
			return nil
		}
	}
	d.document, d.records = doc, doc.Records(it.Change.Version, stored)
	return nil
}

// sameVersion compares at the precision that the index stores.
func sameVersion(a, b connector.Version) bool {
	return a.LSN == b.LSN && a.CommitTime.UnixMilli() == b.CommitTime.UnixMilli()
}

// sameKeys reports whether writing the document would leave the stored metadata keys (sorted) as they are.
func sameKeys(doc *document.Document, stored []string) bool {
	for key, value := range doc.Metadata {
		if _, found := slices.BinarySearch(stored, key); found != (value != nil) {
			return false
		}
	}
	for _, key := range stored {
		if _, has := doc.Metadata[key]; !has && !slices.Contains(doc.Keep, key) {
			return false
		}
	}
	return true
}

// without returns items without one of them; items itself is left alone.
func without(items []*item, gone *item) []*item {
	rest := make([]*item, 0, len(items))
	for _, it := range items {
		if it != gone {
			rest = append(rest, it)
		}
	}
	return rest
}

// contain turns a panic into an error that condemns the change at hand.
func contain(err *error) {
	if p := recover(); p != nil {
		*err = &fault{class: ClassPoison, reason: "panic", text: fmt.Sprintf("building the row's document panicked: %v", p)}
	}
}
