package indexer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
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
	DraftRow(c *connector.Change, row connector.Row) (*document.Document, error)
	Complete(c *connector.Change, doc *document.Document) error
	KnowsText(s *document.State, column string) bool
	KnowsMetadata(s *document.State, column string) bool
	Unsent(s *document.State) connector.Row
	Unproven() bool
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
//   - A change that is older than what the index knows (connector.Version.Compare) is stale, unless it may still bring a column that
//     newer changes left out (hand.go, text.go).
//   - Of the others the newest wins; a change that cannot be built is poisoned and the next newest is tried, so that a bad change
//     takes no good one with it.
//   - A change of the stored version is the same change seen again. It is stale unless the index would look different today: another
//     fingerprint (model, prefix, template or chunking were changed) has it embedded again, other metadata (the list of columns was
//     changed) is written. So a replay of the topic applies new settings, and costs nothing where there are none.
func (p planner) plan(items []*item, k known) decision {
	var d decision
	rest, older := p.sort(&d, items, k)
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
		if d.try(newest(older), func() error { return p.retext(&d, older, k) }) {
			if d.action == skip {
				d.stale = append(d.stale, older...)
			}
			return d
		}
		older = without(older, d.poisoned[len(d.poisoned)-1].item)
	}
	d.action = skip
	return d
}

// sort puts the stale changes away and returns those that are not older than what is known, and those that are and may still bring a
// column.
func (p planner) sort(d *decision, items []*item, k known) (rest, older []*item) {
	version, has := k.version()
	var open []string
	if k.committed() {
		open = k.stored.OpenColumns()
	}
	h := hand{known: k, builder: p.builder}
	for _, it := range items {
		switch {
		case k.buried(it.Change.Version):
			d.stale = append(d.stale, it)
		case !has || !it.Change.Version.StaleAgainst(version) && !k.replaced(it):
			rest = append(rest, it)
		case h.concerns(it, open):
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
	d.poisoned = append(d.poisoned, rejection{item: d.winner, err: err})
	d.winner = nil
	return false
}

// newest returns the newest change; of equals, the last to arrive.
func newest(items []*item) *item {
	winner := items[0]
	for _, it := range items[1:] {
		if it.compare(winner) >= 0 {
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
	doc, err := p.draft(d, it, others, k)
	switch {
	case err != nil || d.action == fetch:
		return err
	case doc.Empty:
		d.removal(k)
		return nil
	}
	return d.change(doc, k.stored)
}

// change has the document written, unless it is what is stored.
func (d *decision) change(doc *document.Document, stored *document.State) error {
	d.action = index
	if len(doc.Missing) > 0 || sameText(doc, stored) {
		d.action = refresh
	}
	if err := d.write(doc, stored); err != nil {
		return err
	}
	if d.action == refresh && d.version.SameChange(stored.Version) && sameMark(d.want, stored) {
		d.action, d.document, d.records, d.want = skip, nil, nil, nil
	}
	return nil
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

// sameMark reports whether two states of one version are the same, but for the text.
func sameMark(want, stored *document.State) bool {
	return want.Open.Equal(stored.Open) && want.TextVersion.SameChange(stored.TextVersion) && maps.EqualFunc(want.Metadata, stored.Metadata, sameValue)
}

// sameValue compares metadata values; a store may give back a whole number for a fraction that is one.
func sameValue(a, b any) bool {
	if reflect.DeepEqual(a, b) {
		return true
	}
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
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
