package indexer

import (
	"slices"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// Postgres does not log a large column that an update leaves as it was, so a change may know its row and not all of its columns. Each
// column is therefore a register of its own: it has the newest value that a change carried, and the version of that change. What the
// newest change of a row carries is as of the row's version; the index notes the versions of the other columns (document.Open).
//
// A row that begins (an insert, a key that moved here) or ends (a delete, a truncate of the table) forgets them: a value from before is
// another row's.

// hand is what is known of a row: changes at hand, and what the index holds.
type hand struct {
	known
	builder builder
	items   []*item // newest first
}

func newHand(b builder, items []*item, k known) hand {
	items = slices.Clone(items)
	slices.SortStableFunc(items, func(a, b *item) int { return b.compare(a) })
	return hand{known: k, builder: b, items: items}
}

// finding is what is known of a column.
type finding struct {
	value   any
	has     bool              // value is known; else the index holds it, unless
	unknown bool              // nobody knows it: the row began without
	asOf    connector.Version // from when on this is so, as far as is known
	from    *item             // that told; nil: the index did
}

// find returns the newest that is known of a column that the row's newest change left out.
func (h hand) find(column string) finding {
	asOf, sure := h.registered(column)
	for _, it := range h.items {
		if !it.reaches(asOf, sure) {
			break
		}
		if value, has := it.carries(column); has {
			return finding{value: value, has: true, asOf: it.Change.Version, from: it}
		}
		if it.begins() {
			return finding{unknown: true, asOf: it.Change.Version, from: it}
		}
	}
	return finding{asOf: asOf, unknown: !h.committed() || h.truncated(column)}
}

// truncated reports whether what the index knows of a column is of before a truncate of the table, and so another row's.
func (h hand) truncated(column string) bool {
	return h.committed() && h.mark != nil && h.stored.AsOf(column).StaleAgainst(h.mark.version)
}

// registered returns the version as of which the index knows a column, and whether it has all of it: its metadata, and a text that was
// finished. If not, the change of that very version may bring it.
func (h hand) registered(column string) (asOf connector.Version, sure bool) {
	if !h.committed() {
		asOf, _ = h.version()
		return asOf, false
	}
	if h.truncated(column) {
		return h.mark.version, true
	}
	_, text := h.stored.Columns[column]
	return h.stored.AsOf(column), h.builder.KnowsText(h.stored, column) && h.builder.KnowsMetadata(h.stored, column) &&
		(!text || h.stored.Fingerprint != "")
}

// concerns reports whether a change that is older than the stored row may tell something of these columns.
func (h hand) concerns(it *item, columns []string) bool {
	return slices.ContainsFunc(columns, func(column string) bool {
		_, has := it.carries(column)
		return (has || it.begins()) && it.reaches(h.registered(column))
	})
}

// match fills in columns that are known by their hash only, with values of any change at hand that have this hash.
func (h hand) match(row connector.Row, columns []string) (filled bool) {
	for _, column := range columns {
		for _, it := range h.items {
			if value, has := it.carries(column); has && h.stored.Holds(column, value) {
				row[column], filled = value, true
				break
			}
		}
	}
	return filled
}

// keeps reports whether the stored text is that of a document which lacks columns of it: the others are as they were, and those that
// are lacking went into it.
func (h hand) keeps(doc *document.Document, unknown []string) bool {
	return h.committed() && doc.TextUnchanged(h.stored) &&
		!slices.ContainsFunc(doc.Missing, func(column string) bool { return slices.Contains(unknown, column) })
}

// lost lists the columns of metadata that the document is to keep and the index does not have.
func (h hand) lost(doc *document.Document, unknown []string) []string {
	return slices.DeleteFunc(doc.KeepColumns(), func(column string) bool {
		return h.committed() && h.builder.KnowsMetadata(h.stored, column) && !slices.Contains(unknown, column)
	})
}

// carries returns a column's value as of the change: sent with it, or read from the table for it. A null or an empty text of an older
// change is not what a newer one left out, which is large: a change in between, still to come, made it so.
func (it *item) carries(column string) (value any, has bool) {
	if value, has = it.fetched[column]; has {
		return value, true
	}
	switch value = it.Change.After[column]; value.(type) {
	case nil, connector.Unavailable:
		return nil, false
	default:
		return value, value != ""
	}
}

// begins reports whether what the row was before says nothing of what it is from this change on.
func (it *item) begins() bool {
	return it.moved || it.Change.Op == connector.Insert || it.Change.Op == connector.Delete
}

// reaches reports whether the change may tell more than what is known as of a version.
func (it *item) reaches(asOf connector.Version, sure bool) bool {
	if it.Change.Version.SameChange(asOf) {
		return !sure
	}
	return !it.Change.Version.StaleAgainst(asOf)
}

// compare tells which of two changes of one row is older (-1). A row that is removed and comes again in one version (its primary key
// changed, and the columns that make its id did not) is there in the end.
func (it *item) compare(other *item) int {
	if a, b := it.Change.Op == connector.Delete, other.Change.Op == connector.Delete; a != b && it.Change.Version.SameChange(other.Change.Version) {
		if a {
			return -1
		}
		return 1
	}
	return it.Change.Version.Compare(other.Change.Version)
}

// row is the row as the change tells it, with what was read for it.
func (it *item) row() connector.Row {
	if len(it.fetched) == 0 {
		return it.Change.After
	}
	return it.Change.With(it.fetched).After
}
