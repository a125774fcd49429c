package document

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/rowvec/rowvec/connector"
)

// Open tells of which columns the index holds an older value than the row's version, because every change since left them out (Postgres
// does not log a large column that an update leaves as it was): by column, the version as of which the value is known. A change that is
// older than the row and newer than that may still bring the column. Where no value is known, none from that version on is.
//
// All other columns are as of the row's version. Records of releases before Open have none; there an open column of the text
// (Column.Open) is as of the text's version.
type Open map[string]connector.Version

// encode writes the versions as the text that is stored; nil, which removes the key, for none.
func (o Open) encode() any {
	if len(o) == 0 {
		return nil
	}
	flat := make(map[string][3]int64, len(o))
	for column, v := range o {
		flat[column] = [3]int64{int64(v.LSN), millis(v.CommitTime), millis(v.Emitted)}
	}
	encoded, err := json.Marshal(flat)
	if err != nil {
		return nil // numbers always encode
	}
	return string(encoded)
}

// decodeOpen reads what encode wrote.
func decodeOpen(stored any) (Open, error) {
	if stored == nil {
		return nil, nil
	}
	var flat map[string][3]int64
	encoded, ok := stored.(string)
	if !ok || json.Unmarshal([]byte(encoded), &flat) != nil || flat == nil {
		return nil, badState(KeyOpen, "a JSON object of versions", stored)
	}
	o := make(Open, len(flat))
	for column, v := range flat {
		o[column] = connector.Version{LSN: uint64(v[0]), CommitTime: timeOf(v[1]), Emitted: timeOf(v[2])}
	}
	return o, nil
}

func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// Equal reports whether both tell the same.
func (o Open) Equal(other Open) bool {
	return maps.EqualFunc(o, other, func(a, b connector.Version) bool { return a.SameChange(b) })
}

// AsOf is the version as of which the index knows a column: the row's, unless newer changes left the column out.
func (s *State) AsOf(column string) connector.Version {
	if v, open := s.Open[column]; open {
		return v
	}
	if s.Columns[column].Open {
		return s.TextVersion
	}
	return s.Version
}

// OpenColumns lists the columns that an older change may still bring, sorted.
func (s *State) OpenColumns() []string {
	open := maps.Clone(map[string]connector.Version(s.Open))
	for name, column := range s.Columns {
		if column.Open {
			if open == nil {
				open = make(map[string]connector.Version)
			}
			open[name] = s.TextVersion
		}
	}
	return slices.Sorted(maps.Keys(open))
}

// Holds reports whether the stored text was made of this value of a column.
func (s *State) Holds(column string, value any) bool {
	known, has := s.Columns[column]
	return has && known.Hash == hashOf(value)
}

// KnowsText reports whether the index knows a column as far as the text needs it: as its hash.
func (b *Builder) KnowsText(s *State, column string) bool {
	_, has := s.Columns[column]
	return has || !b.tmpl.whole && !slices.Contains(b.tmpl.columns, column)
}

// KnowsMetadata reports whether the index has a column's value under every metadata key that it is stored as.
func (b *Builder) KnowsMetadata(s *State, column string) bool {
	for _, f := range b.spec.Metadata {
		if _, has := s.Metadata[f.name()]; f.Column == column && !has {
			return false
		}
	}
	return true
}

// Unsent is a row of which nothing is sent: all columns that the stored text was made of or is today, and all of the metadata, as
// Unavailable.
func (b *Builder) Unsent(s *State) connector.Row {
	row := make(connector.Row)
	for _, name := range b.tmpl.columns {
		row[name] = connector.Unavailable{}
	}
	if b.tmpl.whole {
		for name := range s.Columns {
			row[name] = connector.Unavailable{}
		}
	}
	for _, f := range b.spec.Metadata {
		row[f.Column] = connector.Unavailable{}
	}
	return row
}

// Lacking lists the columns that the document needs and the change does not carry, for its text or its metadata, sorted.
func (d *Document) Lacking() []string {
	if len(d.Missing)+len(d.keepColumns) == 0 {
		return nil
	}
	names := slices.Concat(d.Missing, d.keepColumns)
	slices.Sort(names)
	return slices.Compact(names)
}

// KeepColumns lists the columns of Keep, each once, sorted.
func (d *Document) KeepColumns() []string {
	names := slices.Clone(d.keepColumns)
	slices.Sort(names)
	return slices.Compact(names)
}

// Forget takes columns out of Keep: what the index holds under their keys is not theirs, and is removed. Lost counts the keys.
func (d *Document) Forget(columns []string) {
	var keep, kept []string
	for i, key := range d.Keep {
		if slices.Contains(columns, d.keepColumns[i]) {
			d.Lost = append(d.Lost, key)
			continue
		}
		keep, kept = append(keep, key), append(kept, d.keepColumns[i])
	}
	d.Keep, d.keepColumns = keep, kept
}

// SetOpen says as of which versions columns of the document are known that are older than the row.
func (d *Document) SetOpen(open Open) { d.open = open }

// OpenText lists the columns of the text that are open, sorted.
func (d *Document) OpenText() []string {
	var names []string
	for name := range d.open {
		if _, text := d.columns[name]; text {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// marked returns the columns with their marks, and the version of the text that they make when the row's is v: the oldest of theirs.
func (o Open) marked(columns Columns, v connector.Version) (Columns, connector.Version) {
	marked, text := make(Columns, len(columns)), v
	for name, column := range columns {
		asOf, open := o[name]
		if open && asOf.StaleAgainst(text) {
			text = asOf
		}
		marked[name] = Column{Hash: column.Hash, Open: open}
	}
	return marked, text
}
