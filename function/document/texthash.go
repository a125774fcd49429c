package document

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
)

// Columns tells what a row's text was made of: a short hash of each column that the template reads, by column. It lets a change
// that lacks one of them (unchanged TOAST) tell whether the others are what they were, so that the text stays as it is.
//
// A column that is known as of an older version than the row's is open (see Open).
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
