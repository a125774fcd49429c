package indexer

import (
	"maps"
	"slices"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// draft makes the document of a row's newest change. Columns that it left out come from older changes at hand or stay as the index
// holds them (hand); where that gives no text they are read from the table, else the change is poison. Metadata that nobody knows is
// read, too, else left out.
func (p planner) draft(d *decision, it *item, others []*item, k known) (*document.Document, error) {
	bare, err := p.builder.DraftRow(it.Change, it.row())
	if err != nil || len(bare.Lacking()) == 0 {
		return bare, err
	}
	h := newHand(p.builder, others, k)
	row := maps.Clone(it.row())
	open := make(document.Open)
	var unknown []string
	for _, column := range bare.Lacking() {
		f := h.find(column)
		if f.has {
			row[column] = f.value
		} else if f.unknown {
			unknown = append(unknown, column)
		}
		if !f.asOf.SameChange(d.version) {
			open[column] = f.asOf
		}
	}
	doc, err := p.assemble(h, it, row, unknown)
	if err != nil {
		return nil, err
	}
	doc.SetOpen(open)
	return p.whole(d, h, doc, bare, unknown)
}

// assemble makes a document of a row that was put together.
func (p planner) assemble(h hand, it *item, row connector.Row, unknown []string) (*document.Document, error) {
	doc, err := p.builder.DraftRow(it.Change, row)
	if err != nil || len(doc.Missing) == 0 || h.keeps(doc, unknown) || h.stored == nil {
		return doc, err
	}
	known := slices.DeleteFunc(slices.Clone(doc.Missing), func(column string) bool { return slices.Contains(unknown, column) })
	if !h.match(row, known) {
		return doc, nil
	}
	return p.builder.DraftRow(it.Change, row)
}

// whole sees what the document still lacks.
func (p planner) whole(d *decision, h hand, doc, bare *document.Document, unknown []string) (*document.Document, error) {
	var need []string
	switch {
	case doc.Empty: // not on the word of a change that does not have all of the text: a large value makes no empty one
		need = doc.OpenText()
	case len(doc.Missing) == 0:
	case !h.keeps(doc, unknown):
		need = doc.Missing
	case h.stored.Fingerprint == "":
		// The change that left the text unfinished comes again. But that may be this very one, read from the table.
		need = doc.Missing
	}
	lost := h.lost(doc, unknown)
	switch {
	case p.fetches && len(need)+len(lost) > 0:
		d.action, d.columns = fetch, slices.Concat(need, lost)
		return nil, nil
	case len(need) > 0:
		return nil, p.builder.Complete(d.winner.Change, bare)
	}
	doc.Forget(lost)
	return doc, nil
}

// retext decides on changes that are older than the stored row and may still bring columns that newer changes left out. They set these
// and nothing else of the row.
func (p planner) retext(d *decision, older []*item, k known) error {
	d.version = k.stored.Version
	h := newHand(p.builder, older, k)
	b := p.bring(h, true)
	doc, err := p.redraft(d, h, b)
	if err == nil && doc != nil && doc.Empty { // what a newer change left out is large, so the row's text is not the empty one
		b = p.bring(h, false)
		doc, err = p.redraft(d, h, b)
	}
	if err != nil || doc == nil {
		return err
	}
	if doc.Empty {
		d.action = skip
		return nil
	}
	doc.SetOpen(b.open)
	lost := h.lost(doc, b.unknown)
	lost = slices.DeleteFunc(lost, func(column string) bool { return !slices.Contains(b.unknown, column) })
	if ask := b.ask(doc, lost); p.fetches && len(ask) > 0 {
		d.action, d.columns = fetch, ask
		return nil
	}
	if b.text != nil && len(doc.Missing) > 0 {
		return outdated()
	}
	doc.Forget(lost)
	return d.change(doc, k.stored)
}

// redraft makes the document of what older changes bring, nil if that is nothing.
func (p planner) redraft(d *decision, h hand, b brought) (*document.Document, error) {
	if b.newest == nil {
		d.action = skip
		return nil, nil //nolint:nilnil // the decision says so
	}
	d.winner = b.cause()
	doc, err := p.builder.DraftRow(d.winner.Change, b.row)
	if err != nil || b.text == nil || len(doc.Missing) == 0 {
		return doc, err
	}
	return p.assemble(h, d.winner, b.row, b.unknown)
}

// brought is what older changes bring to a stored row.
type brought struct {
	row     connector.Row
	open    document.Open
	unknown []string // columns of a row that was before this one
	newest  *item    // of those that bring something
	text    *item    // the newest that gives the row another text
}

// bring finds it, with the columns of the text or without.
func (p planner) bring(h hand, texts bool) brought {
	b := brought{row: p.builder.Unsent(h.stored), open: make(document.Open)}
	for _, column := range h.stored.OpenColumns() {
		if _, used := b.row[column]; !used {
			continue // by the settings of today
		}
		_, text := h.stored.Columns[column]
		if text && !texts {
			b.open[column] = h.stored.AsOf(column)
			continue
		}
		f := h.find(column)
		if b.open[column] = f.asOf; f.from == nil {
			// A truncate takes nothing out of a row that is newer: the change that began this row still comes.
			b.open[column] = h.stored.AsOf(column)
			continue
		}
		b.newest = later(b.newest, f.from)
		if f.has {
			b.row[column] = f.value
		} else {
			b.unknown = append(b.unknown, column)
		}
		if text && (!f.has || h.stored.Fingerprint == "" || !h.stored.Holds(column, f.value)) {
			b.text = later(b.text, f.from)
		}
	}
	return b
}

// cause is the change that is to blame when it cannot be done.
func (b *brought) cause() *item {
	if b.text != nil {
		return b.text
	}
	return b.newest
}

// ask lists the columns to read from the table, as far as they were not read already.
func (b *brought) ask(doc *document.Document, lost []string) []string {
	var need []string
	if b.text != nil {
		need = doc.Missing
	}
	return slices.DeleteFunc(slices.Concat(need, lost), func(column string) bool {
		_, has := b.cause().fetched[column]
		return has
	})
}

// later returns the newer of two changes, either of which may be nil.
func later(a, b *item) *item {
	if a == nil || a.compare(b) < 0 {
		return b
	}
	return a
}

// reasonOutdatedText is the reason of a change whose text fits neither its own row nor a newer one.
const reasonOutdatedText = "outdated_text"

func outdated() error {
	return &fault{
		class: ClassPoison, reason: reasonOutdatedText,
		text: "newer changes of the row did not carry a column of the text that this one tells about, and the others that the text is made " +
			"of are not at hand, so the text can be made by neither; set postgres.url, or update the row, and send it again",
	}
}
