package indexer

import (
	"context"
	"slices"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// past is what happened to a row, by its id, in the order in which it happened.
type past map[string]moments

type moments []moment

// moment is a change with the row as it was then; nil: gone.
type moment struct {
	*connector.Change
	row connector.Row
}

// carries reports whether the change has a column's value.
func (m moment) carries(column string) bool {
	value, has := m.After[column]
	_, left := value.(connector.Unavailable)
	return has && !left
}

// values lists what a column may be said to have been as of a version; told is false if no change tells and nobody could ask. A change
// that does not have the column, a deletion among them, may have had it read from the table, which answers as it was then or later; so
// may one that has an empty text, which is not what a newer one left out.
func (p moments) values(column string, asOf connector.Version, fetches bool) (values []any, told bool) {
	at := slices.IndexFunc(p, func(m moment) bool { return m.Version.SameChange(asOf) })
	switch {
	case at < 0:
		return nil, fetches
	case p[at].Op == connector.Truncate: // for which nobody asks the table
		return nil, false
	case p[at].carries(column) && (!fetches || p[at].row[column] != ""):
		return []any{p[at].row[column]}, true
	case !fetches:
		return nil, false
	}
	for _, m := range p[at:] {
		if m.row != nil {
			values = append(values, m.row[column])
		}
	}
	return values, true
}

// untold lists the metadata keys that the index need not have: no change since the row began has the column, or the row was out of the
// index since, because its text was empty.
func (p moments) untold(b *document.Builder, h *history) (keys []string) {
	if h.fetches {
		return nil
	}
	for column, key := range map[string]string{"body": "full", "notes": "notes"} {
		told := false
		for _, m := range p {
			if m.Op == connector.Insert {
				told = false
			}
			if told = told || m.carries(column); m.row == nil || empty(b, m) {
				told = false
			}
		}
		if !told {
			keys = append(keys, key)
		}
	}
	return keys
}

// outlived reports whether the index may not have what a column was as of a version: it went with a text that was empty, or it is not
// large enough to be what newer changes left out.
func (p moments) outlived(b *document.Builder, column string, v connector.Version) bool {
	return slices.ContainsFunc(p, func(m moment) bool {
		return m.row != nil && m.Version.SameChange(v) && (m.row[column] == "" || empty(b, m))
	})
}

func empty(b *document.Builder, m moment) bool {
	doc, err := b.Build(&connector.Change{Op: connector.Read, Key: m.Key, After: m.row})
	return err == nil && doc.Empty
}

// told reports whether the history's changes tell every text without asking the table: one column makes it, and no row begins without.
// Where two columns make a text, some changes can be told apart by nobody; the README says so.
func (h *history) told() bool {
	return !h.two && !h.both && !slices.ContainsFunc(h.changes, func(c *connector.Change) bool {
		return c.Op == connector.Insert && !moment{Change: c}.carries("body")
	})
}

// Fetch is Columns': the row as it was right after the change, as it is in the end, or in between, and never older.
func (w *world) Fetch(_ context.Context, c *connector.Change, _ []connector.Column, columns []string) (connector.Row, bool, error) {
	if w.away.Add(-1) >= 0 {
		return nil, false, errOutage
	}
	p := w.past[rowID(c)]
	at := slices.IndexFunc(p, func(m moment) bool { return m.Version.SameChange(c.Version) })
	if at += int(p[at].Version.LSN) % (len(p) - at); w.fresh {
		at = len(p) - 1
	}
	if p[at].row == nil {
		return nil, false, nil
	}
	part := connector.Row{}
	for _, name := range columns {
		part[name] = p[at].row[name]
	}
	return part, true, nil
}
