package document

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/rowvec/rowvec/connector"
)

// Columns tells what a row's text was made of: a short hash of each column that the template reads, by column. It lets a change
// that lacks one of them (unchanged TOAST) tell whether the others are what they were, so that the text stays as it is.
//
// A column that a newer change than the text's did not carry is open: the text may lack a value of it that an intermediate change
// set and that has not arrived yet. The others are confirmed: they are so in the row's version, too.
type Columns map[string]Column

// Column is one column's hash.
type Column struct {
	Hash string
	Open bool
}

// openMark precedes the hash of an open column as it is stored; no base64 starts like this.
const openMark = '?'

// hashBytes is the length of a column's hash before its encoding. The row's fingerprint, not this, decides on embedding; two values
// of one column of one row that meet by accident are not to be expected in 64 bits.
const hashBytes = 8

// hashOf tells columns' values apart, null from the empty text among them.
func hashOf(value any) string {
	var typed string
	switch v := value.(type) {
	case nil:
		typed = "n"
	case string:
		typed = "s" + v
	case bool:
		typed = "b" + strconv.FormatBool(v)
	default:
		typed = "v" + jsonText(v)
	}
	sum := sha256.Sum256([]byte(typed))
	return base64.RawURLEncoding.EncodeToString(sum[:hashBytes])
}

// encode writes the columns as the text that is stored.
func (c Columns) encode() string {
	flat := make(map[string]string, len(c))
	for name, column := range c {
		flat[name] = column.Hash
		if column.Open {
			flat[name] = string(openMark) + column.Hash
		}
	}
	return jsonText(flat)
}

// decodeColumns reads what encode wrote; nil for a record without it.
func decodeColumns(stored any) (Columns, error) {
	if stored == nil {
		return nil, nil
	}
	var flat map[string]string
	encoded, ok := stored.(string)
	if !ok || json.Unmarshal([]byte(encoded), &flat) != nil || flat == nil {
		return nil, badState(KeyColumns, "a JSON object of hashes", stored)
	}
	c := make(Columns, len(flat))
	for name, hash := range flat {
		open := hash != "" && hash[0] == openMark
		if open {
			hash = hash[1:]
		}
		c[name] = Column{Hash: hash, Open: open}
	}
	return c, nil
}

// TextUnchanged reports, for a document with Missing columns, whether its text is the stored one: the columns that it has are as they
// were when the stored text was made, and those that it lacks went into that text. The source says that they did not change.
func (d *Document) TextUnchanged(stored *State) bool {
	if stored == nil || len(stored.Columns) == 0 || len(stored.Columns) != len(d.columns)+len(d.Missing) {
		return false
	}
	for name, column := range d.columns {
		if was, has := stored.Columns[name]; !has || was.Hash != column.Hash {
			return false
		}
	}
	return !slices.ContainsFunc(d.Missing, func(name string) bool { _, has := stored.Columns[name]; return !has })
}

// TextFits reports whether the document's text may be that of the stored row, although it is of an older change: where the row's
// version is sure of a column, the document has the same value.
func (d *Document) TextFits(stored *State) bool {
	if len(d.columns) != len(stored.Columns) {
		return false
	}
	for name, was := range stored.Columns {
		if column, has := d.columns[name]; !has || !was.Open && was.Hash != column.Hash {
			return false
		}
	}
	return true
}

// carried returns the columns to store when a document with Missing ones leaves the stored text as it is: those are open from now on,
// the others confirmed.
func (d *Document) carried(stored *State) Columns {
	c := maps.Clone(stored.Columns)
	for name, column := range c {
		_, confirmed := d.columns[name]
		c[name] = Column{Hash: column.Hash, Open: !confirmed}
	}
	return c
}

// FilledFrom says that some columns of the document's text were taken from an older change of the row: the text is of that version,
// and they are open.
func (d *Document) FilledFrom(v connector.Version, columns []string) {
	d.textVersion = &v
	for _, name := range columns {
		if column, has := d.columns[name]; has {
			d.columns[name] = Column{Hash: column.Hash, Open: true}
		}
	}
}

// Lost lists the columns whose metadata the change does not carry and the index does not hold either.
func (d *Document) Lost(stored *State) []string {
	var lost []string
	for i, key := range d.Keep {
		if stored != nil {
			if _, has := stored.Metadata[key]; has {
				continue
			}
		}
		lost = append(lost, d.keepColumns[i])
	}
	return lost
}

// Under puts the document's text, which is of that version, under the row that is stored: an older change than the row's brought it.
// The row keeps its version and metadata; its open columns stay open, unless the text is of the row's version.
func (d *Document) Under(stored *State, text connector.Version) {
	d.textVersion = &text
	d.Metadata, d.Keep = maps.Clone(stored.Metadata), nil
	for name, column := range d.columns {
		d.columns[name] = Column{Hash: column.Hash, Open: stored.Columns[name].Open && text.StaleAgainst(stored.Version)}
	}
}

// TextColumns lists the columns that the text is made of, sorted.
func (d *Document) TextColumns() []string { return slices.Sorted(maps.Keys(d.columns)) }

// TextVersion is the version that the document's text has when the row's is v.
func (d *Document) TextVersion(v connector.Version) connector.Version {
	if d.textVersion != nil {
		return *d.textVersion
	}
	return v
}
