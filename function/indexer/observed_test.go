package indexer

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// The observer sees every intermediate state of the store, as somebody who polls it might.

// watchRow sees a record change: no row goes back, no deleted one comes back, no text goes back.
func (w *world) watchRow(id string, before, after *entry) {
	row, _, isChunk := strings.Cut(id, "#")
	if isChunk {
		w.watchValues(after)
		return
	}
	last := w.seen[row]
	if before == nil && !w.swept.StaleAgainst(last.row) {
		last = sight{row: w.swept, text: w.swept}
	}
	if after == nil {
		w.watchRemoval(row, before)
		return
	}
	w.watchValues(after)
	state, err := document.ParseState(after.meta)
	switch {
	case err != nil:
		w.fail("row %s: %v", row, err)
	case state.Version.StaleAgainst(last.row):
		w.fail("row %s went back from %v to %v", row, last.row, state.Version)
	case state.TextVersion.StaleAgainst(last.text):
		w.fail("the text of row %s went back from %v to %v", row, last.text, state.TextVersion)
	case state.Version.StaleAgainst(state.TextVersion):
		w.fail("the text of row %s is newer than the row", row)
	case state.Fingerprint != "":
		w.watchCommitted(row, state, after)
		w.watchEnd(row, before, state)
	}
	w.seen[row] = sight{row: state.Version, text: state.TextVersion}
}

// watchCommitted holds a row that is said to be done against the table's past: each column has the value that it had as of the version
// that the row tells for it. What a change left out may be read from the table, as it was then or later.
func (w *world) watchCommitted(row string, state document.State, after *entry) {
	for _, field := range w.h.spec().Metadata {
		key := cmp.Or(field.As, field.Column)
		has, is := after.meta[key]
		values, told := w.past[row].values(field.Column, state.AsOf(field.Column), w.h.fetches)
		if !is && w.past[row].outlived(w.builder, field.Column, state.AsOf(field.Column)) {
			continue
		}
		if !slices.Contains(values, has) && (is || told) {
			w.fail("row %s at %v has %s = %v as of %v: want one of %v", row, state.Version, key, has, state.AsOf(field.Column), values)
		}
	}
	made := connector.Row{"id": after.meta["id"]}
	for column := range state.Columns {
		values, _ := w.past[row].values(column, state.AsOf(column), w.h.fetches)
		i := slices.IndexFunc(values, func(v any) bool { return state.Holds(column, v) })
		if i < 0 {
			w.fail("the text %.30q of row %s at %v has not the %s as of %v: %v", after.document, row, state.Version, column, state.AsOf(column), values)
			return
		}
		made[column] = values[i]
	}
	doc, err := w.builder.Build(&connector.Change{Op: connector.Read, Key: w.past[row][0].Key, After: made, Version: state.Version})
	switch {
	case err != nil || doc.Empty:
		w.fail("the text of row %s at %v: %v", row, state.Version, err)
	case doc.Fingerprint != state.Fingerprint || doc.Chunks[0].Text != after.document:
		w.fail("row %s at %v has the text %q, and tells %v", row, state.Version, after.document, made)
	}
}

// watchEnd wants a newer change of a row to take over nothing from before a truncate that is known.
func (w *world) watchEnd(row string, before *entry, state document.State) {
	if before == nil || time.Now().Before(w.known) {
		return
	}
	if last, err := document.ParseState(before.meta); err != nil || state.Version.SameChange(last.Version) {
		return
	}
	for column := range w.h.rows[w.past[row][0].Change] {
		if asOf := state.AsOf(column); asOf.StaleAgainst(w.mark) {
			w.fail("row %s at %v has the %s as of %v, before the truncate at %v", row, state.Version, column, asOf, w.mark)
		}
	}
}

// watchRemoval wants the tombstone to be there first.
func (w *world) watchRemoval(row string, before *entry) {
	if before == nil {
		return
	}
	stone, buried := w.stones.entries[row]
	if mark, truncated := w.stones.entries[document.TruncateID("app.articles")]; truncated {
		if m, err := document.ParseTruncateMark(mark.meta); err == nil && !m.Newest.StaleAgainst(w.seen[row].row) {
			w.seen[row] = sight{row: m.Newest, text: m.Newest}
			return
		}
	}
	if !buried {
		w.fail("row %s is gone and nothing says so", row)
		return
	}
	v, err := document.ParseVersion(stone.meta)
	if err != nil || v.StaleAgainst(w.seen[row].row) {
		w.fail("row %s at %v is gone and its tombstone says %v (%v)", row, w.seen[row].row, v, err)
	}
	w.seen[row] = sight{row: v, text: v}
}

// watchStone sees a tombstone of a row that is not there.
func (w *world) watchStone(row string, before, after *entry) {
	if row == document.TruncateID("app.articles") {
		w.watchMark(before, after)
		return
	}
	if _, held := w.store.entries[row]; held || after == nil {
		return
	}
	v, err := document.ParseVersion(after.meta)
	if err != nil || v.StaleAgainst(w.seen[row].row) {
		w.fail("the tombstone of row %s went back to %v (%v)", row, v, err)
	}
	w.seen[row] = sight{row: v, text: v}
}

// watchMark sees the mark of a truncate: it does not go back, and once its sweep is said to be over nothing that is older is there.
func (w *world) watchMark(before, after *entry) {
	if after == nil {
		w.fail("the mark is gone")
		return
	}
	mark, err := document.ParseTruncateMark(after.meta)
	if err != nil {
		w.fail("the mark: %v", err)
		return
	}
	v := mark.Newest
	if before != nil {
		if last, _ := document.ParseTruncateMark(before.meta); v.StaleAgainst(last.Newest) {
			w.fail("the mark went back from %v to %v", last.Newest, v)
		}
	}
	if !v.SameChange(w.mark) {
		w.mark, w.known = v, time.Now().Add(2*markAge)
	}
	if !mark.Over {
		return
	}
	w.swept = v
	for id, e := range w.store.entries {
		if state, err := document.ParseState(e.meta); err != nil || state.Chunks > 0 && state.Version.StaleAgainst(v) {
			w.fail("row %s at %v is there after the truncate at %v (%v)", id, state.Version, v, err)
		}
	}
}

// watchValues knows what must never be stored.
func (w *world) watchValues(e *entry) {
	if e == nil {
		return
	}
	for key, value := range e.meta {
		if _, placeholder := value.(connector.Unavailable); placeholder {
			w.fail("the placeholder is stored under %s", key)
		}
	}
	if strings.Contains(e.document, "{}") || strings.Contains(e.document, "unavailable") {
		w.fail("the placeholder is in the text %q", e.document)
	}
}
