package verify

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/function/wire"
)

// entry is a row of the table with what the index should hold of it.
type entry struct {
	id     string
	key    Key
	change *connector.Change
	doc    *document.Document // nil when the row cannot be indexed
	err    error              // why
	bytes  int                // of the row
}

// ids are the records that the row should have, at least its first.
func (e *entry) ids() []string {
	if e.doc == nil || len(e.doc.Chunks) == 0 {
		return []string{e.id}
	}
	return document.ChunkIDs(e.id, 0, len(e.doc.Chunks))
}

// absent reports that the index should hold nothing of the row.
func (e *entry) absent() bool { return e == nil || (e.doc != nil && e.doc.Empty) }

// finding is a difference.
type finding struct {
	kind            Kind
	expected, found string
	gone            bool                // the table does not have the row
	damaged         bool                // the commit mark cannot be read
	surplus         map[string][]string // user metadata keys that a record has too many, by record
}

// judge compares rows with records.
type judge struct {
	columns   map[string]*Column // by metadata key, where the wire form is not exact, and those of floating-point numbers
	lenient   map[string]bool    // metadata keys that cannot be compared: what differs may be right
	unfit     map[string]bool    // metadata keys that no row has in any form that is known
	textGuess string             // the column for which the text cannot be compared; "" when it can
	chunked   bool
	unchecked map[string]int // values that differ and may be right, by metadata key; "" is the text
}

// row compares one row (nil: the table does not have it) with its records. extra are records that the index was seen to have of it.
func (j *judge) row(e *entry, id string, extra []string, records map[string]chroma.Match) *finding {
	if e.absent() {
		return ghost(e, id, extra, records)
	}
	first, has := records[id]
	if !has {
		return &finding{kind: Missing, expected: e.expectation(), found: "no record"}
	}
	if e.doc == nil {
		return &finding{kind: Stale, expected: e.expectation(), found: "a record of an earlier state: " + show(first.Document)}
	}
	state, err := document.ParseState(first.Metadata)
	if err != nil {
		return &finding{kind: Stale, expected: "a readable commit mark", found: plain(err.Error()), damaged: true}
	}
	if j.textGuess != "" && state.Fingerprint != e.doc.Fingerprint {
		j.count("")
		return j.structure(e, state.Chunks, extra, records)
	}
	return j.document(e, state, extra, records)
}

func ghost(e *entry, id string, extra []string, records map[string]chroma.Match) *finding {
	for _, record := range append([]string{id}, extra...) {
		if m, has := records[record]; has && hasMark(m.Metadata) {
			why := "no such row"
			if e != nil {
				why = "no record: the row's text is empty"
			}
			return &finding{kind: Ghost, gone: e == nil, expected: why, found: fmt.Sprintf("record %s: %s", plain(record), show(m.Document))}
		}
	}
	return nil
}

// expectation describes what should be there.
func (e *entry) expectation() string {
	if e.doc == nil {
		return "a row that can be indexed: " + clip(plain(e.err.Error()))
	}
	return show(e.doc.Chunks[0].Text)
}

// document compares texts, chunks and metadata, in the order of the kinds.
func (j *judge) document(e *entry, state document.State, extra []string, records map[string]chroma.Match) *finding {
	for _, chunk := range e.doc.Chunks {
		if m, has := records[chunk.ID]; has && m.Document != chunk.Text {
			return &finding{kind: Stale, expected: show(chunk.Text), found: show(m.Document)}
		}
	}
	if state.Fingerprint != e.doc.Fingerprint {
		found := "fingerprint " + show(state.Fingerprint) + ", of another text, chunking, model, dimensions or prefix"
		if state.Fingerprint == "" {
			found = "a record without a finished commit mark"
		}
		return &finding{kind: Stale, expected: "fingerprint " + e.doc.Fingerprint, found: found}
	}
	n := len(e.doc.Chunks)
	if state.Chunks != n {
		return &finding{kind: Chunks, expected: fmt.Sprintf("%d records", n), found: fmt.Sprintf("a mark that says %d", state.Chunks)}
	}
	if f := j.structure(e, n, extra, records); f != nil {
		return f
	}
	return j.metadata(e, records)
}

// structure looks for holes, tails and chunks that do not say where they stand.
func (j *judge) structure(e *entry, n int, extra []string, records map[string]chroma.Match) *finding {
	for _, id := range extra {
		m, has := records[id]
		if !has || !hasMark(m.Metadata) {
			continue
		}
		if _, index := document.RowOf(id); index >= n {
			return &finding{kind: Chunks, expected: fmt.Sprintf("%d records", n), found: "record " + plain(id)}
		}
	}
	if n != len(e.doc.Chunks) {
		return nil // the text could not be compared, so neither can its chunks
	}
	for _, chunk := range e.doc.Chunks {
		m, has := records[chunk.ID]
		if !has {
			return &finding{kind: Chunks, expected: fmt.Sprintf("%d records", n), found: "no record " + chunk.ID}
		}
		if !j.chunked || j.textGuess != "" {
			continue
		}
		want := []any{e.id, int64(chunk.Index), int64(chunk.Start), int64(chunk.End)}
		for i, key := range []string{document.KeyRow, document.KeyChunk, document.KeyStart, document.KeyEnd} {
			if m.Metadata[key] != want[i] {
				return &finding{kind: Chunks, expected: fmt.Sprintf("%s %v in record %s", key, want[i], chunk.ID), found: show(m.Metadata[key])}
			}
		}
	}
	return nil
}

// metadata compares the user's metadata of every record.
func (j *judge) metadata(e *entry, records map[string]chroma.Match) *finding {
	var f *finding
	for _, chunk := range e.doc.Chunks {
		found := document.UserMetadata(records[chunk.ID].Metadata)
		if maps.EqualFunc(e.doc.Metadata, found, func(a, b any) bool { return reflect.DeepEqual(a, b) }) {
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(union(e.doc.Metadata, found))) {
			want, wanted := e.doc.Metadata[key]
			have, has := found[key]
			switch {
			case wanted == has && j.same(key, want, have) || j.special(e, key, have):
				continue
			case j.lenient[key] && wanted:
				j.count(key)
				continue
			}
			if f == nil {
				f = &finding{
					kind: Metadata, surplus: map[string][]string{},
					expected: plain(key) + " = " + show(want), found: plain(key) + " = " + show(have) + inRecord(chunk.ID, e.id) + j.hint(key),
				}
			}
			if has && !wanted {
				f.surplus[chunk.ID] = append(f.surplus[chunk.ID], key)
			}
		}
	}
	return f
}

func inRecord(record, row string) string {
	if record == row {
		return ""
	}
	return " in record " + plain(record)
}

// hint tells that a column as a whole does not fit, which is rather a setting of the source than a row.
func (j *judge) hint(key string) string {
	if !j.unfit[key] {
		return ""
	}
	return ", in every row that was looked at"
}

func union(a, b map[string]any) map[string]any {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, b)
	return all
}

// same compares one value. Numbers of Postgres' 4-byte float are compared as such: Java prints some of them with more digits.
func (j *judge) same(key string, want, have any) bool {
	if reflect.DeepEqual(want, have) {
		return true
	}
	c := j.columns[key]
	if c == nil {
		return false
	}
	a, isFloat := want.(float64)
	b, isFloatToo := have.(float64)
	if c.Type == "float4" && isFloat && isFloatToo {
		return float32(a) == float32(b) || math.Abs(a-b) <= 1e-7*math.Abs(a)
	}
	s, isText := want.(string)
	t, isTextToo := have.(string)
	if c.Type != "numeric" || !isText || !isTextToo {
		return false
	}
	return t == wire.JavaDecimal(s)
}

// special reports whether the row's value is NaN or infinite and the index has what may become of that: a name of it, or nothing. It
// depends on whether the source's records explain their types, and on its decimal.handling.mode.
func (j *judge) special(e *entry, key string, have any) bool {
	c := j.columns[key]
	if c == nil || c.Array || c.Type != "float4" && c.Type != "float8" && c.Type != "numeric" {
		return false
	}
	var names []any
	switch fmt.Sprint(e.change.After[c.Name]) {
	case "NaN", "NAN":
		names = []any{"NaN", "NAN"}
	case "Infinity", "+Inf", "POSITIVE_INFINITY":
		names = []any{"Infinity", "POSITIVE_INFINITY"}
	case "-Infinity", "-Inf", "NEGATIVE_INFINITY":
		names = []any{"-Infinity", "NEGATIVE_INFINITY"}
	default:
		return false
	}
	return have == nil || slices.Contains(names, have)
}

func (j *judge) count(key string) {
	if j.unchecked == nil {
		j.unchecked = map[string]int{}
	}
	j.unchecked[key]++
}

// fatal reports an error of a document that is not the row's: a setting must change.
func fatal(err error) bool {
	var class interface{ Class() string }
	return errors.As(err, &class) && class.Class() == "halt"
}
