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
	Key(c *connector.Change) ([]connector.Column, error)
	Owns(t connector.Table, id string, meta map[string]any) bool
	Draft(c *connector.Change) (*document.Document, error)
	Complete(c *connector.Change, doc *document.Document) error
}

// action is what a row's newest change asks of the index.
type action uint8

const (
	skip    action = iota // nothing: the index holds this or something newer, or no change is left
	remove                // delete the row's records
	refresh               // write metadata; texts and vectors stay
	index                 // embed and write everything
	fetch                 // read columns that the change lacks from the table, then plan again
	clean                 // delete records of before a truncate, then plan again (dead.go)
	hold                  // a setting must change before the row can be planned
)

// decision is the plan for one row: what to do for its newest change, and which changes are done with already.
type decision struct {
	action   action
	winner   *item              // the newest change that can be done; nil for skip
	version  connector.Version  // of the row once it is done
	document *document.Document // for refresh and index
	records  []document.Record  // for refresh and index, in the order of the chunks
	want     *document.State    // for refresh and index: what is stored once it is done
	columns  []string           // for fetch
	stale    []*item            // nothing to do for these
	poisoned []rejection        // these can never succeed
	err      error              // for hold: why
}

// rejection is a change that no document can be made of.
type rejection struct {
	item *item
	err  error
}

// planner decides what becomes of the changes of a row. It is pure, so that everything about order, duplication and replay can be
// tested without a clock or a store.
type planner struct {
	builder builder
	fetches bool // columns that a change lacks can be read from the table
}

// plan decides on the changes of one row, given in the order of arrival:
//
//   - A change that is older than what the index knows (connector.Version.Compare) is stale, unless it may still bring the row's text
//     (text.go).
//   - Of the others the newest wins; a change that cannot be built is poisoned and the next newest is tried, so that a bad change
//     takes no good one with it.
//   - A change of the stored version is the same change seen again. It is stale unless the index would look different today: another
//     fingerprint (model, prefix, template or chunking were changed) has it embedded again, other metadata keys (the list of columns
//     was changed) have its metadata written. So a replay of the topic applies new settings, and costs nothing where there are none.
func (p planner) plan(items []*item, k known) decision {
	var d decision
	rest, older := d.sort(items, k)
	for len(rest) > 0 {
		winner := newest(rest)
		done := d.try(winner, func() error { return p.decide(&d, winner, slices.Concat(rest, older), k) })
		if done && d.action == skip {
			d.stale = append(append(d.stale, rest...), older...)
		}
		if done {
			return d
		}
		rest = without(rest, winner)
	}
	for len(older) > 0 {
		winner := newest(older)
		done := d.try(winner, func() error { return p.retext(&d, winner, k.stored) })
		if done && d.action != skip {
			return d
		}
		if done {
			d.stale = append(d.stale, winner)
		}
		older = without(older, winner)
	}
	d.action = skip
	return d
}

// sort puts the stale changes away and returns those that are not older than what is known, and those that are but whose text is not.
func (d *decision) sort(items []*item, k known) (rest, older []*item) {
	version, has := k.version()
	for _, it := range items {
		switch {
		case !has || !it.Change.Version.StaleAgainst(version):
			rest = append(rest, it)
		case bringsText(it, k.stored):
			older = append(older, it)
		default:
			d.stale = append(d.stale, it)
		}
	}
	return rest, older
}

// try has a winner decided on. It reports false when the winner is poison. Whatever fails here without a setting to blame fails
// again: it is a pure function of the change. A panic in a template is the row's fault and becomes an error.
func (d *decision) try(winner *item, decide func() error) (done bool) {
	d.winner = winner
	err := func() (err error) {
		defer contain(&err)
		return decide()
	}()
	switch {
	case err == nil && d.action == skip:
		d.winner = nil
		return true
	case err == nil:
		return true
	case Classify(err) == ClassHalt:
		d.action, d.err = hold, err
		return true
	}
	d.winner = nil
	d.poisoned = append(d.poisoned, rejection{item: winner, err: err})
	return false
}

// newest returns the newest change; of equals, the last to arrive.
func newest(items []*item) *item {
	winner := items[0]
	for _, it := range items[1:] {
		if !it.Change.Version.StaleAgainst(winner.Change.Version) {
			winner = it
		}
	}
	return winner
}

// decide fills in what a change that is not older than the row asks for. others are the row's other changes at hand.
func (p planner) decide(d *decision, it *item, others []*item, k known) error {
	d.version = it.Change.Version
	if it.Change.Op == connector.Delete {
		d.removal(k)
		return nil
	}
	doc, err := p.draft(d, it.Change, others, k)
	switch {
	case err != nil || d.action == fetch:
		return err
	case doc.Empty:
		d.removal(k)
		return nil
	case len(doc.Missing) > 0 || sameText(doc, k.stored):
		d.action = refresh
	default:
		d.action = index
	}
	if d.action == refresh && it.Change.Version.SameChange(k.stored.Version) && sameKeys(doc, k.stored.Keys) && !d.newerText(doc, k.stored) {
		d.action = skip
		return nil
	}
	return d.write(doc, k.stored)
}

// removal takes the row out, if it is not out already.
func (d *decision) removal(k known) {
	if d.action = remove; k.gone(d.version) {
		d.action = skip
	}
}

// write notes what is to be stored.
func (d *decision) write(doc *document.Document, stored *document.State) error {
	d.document, d.records = doc, doc.Records(d.version, stored)
	want, err := document.ParseState(d.records[0].Metadata)
	d.want = &want
	return err
}

// sameText reports whether the stored vectors are those of the document.
func sameText(doc *document.Document, stored *document.State) bool {
	return stored != nil && stored.Fingerprint == doc.Fingerprint && stored.Chunks == len(doc.Chunks)
}

// newerText reports whether the document's text, although it is the stored one, is known to be of a later version.
func (d *decision) newerText(doc *document.Document, stored *document.State) bool {
	if len(doc.Missing) > 0 {
		return false
	}
	text := doc.TextVersion(d.version)
	return !text.SameChange(stored.TextVersion) && stored.TextVersion.StaleAgainst(text)
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
