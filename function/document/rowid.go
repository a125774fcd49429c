package document

import (
	"crypto/sha256"
	"encoding/base32"
	"net/url"
	"strconv"
	"strings"

	"github.com/rowvec/rowvec/connector"
)

// KeyModel is a key of the collection's own metadata: the embedding model that the function writes there with. Vectors of two models
// do not compare, so that a question must be embedded with this one.
const KeyModel = "_rv_model"

// IDs reads and makes the ids of one table's rows without a change at hand. A row's name is its id without the table in front and, of
// a key that is stored as a hash, before hashing: "42", "de/Köln" as "de/K%C3%B6ln".
type IDs struct{ prefix string }

// NewIDs returns those of the table "schema.table". prefixed says that tables share the collection (Spec.PrefixIDs).
func NewIDs(table string, prefixed bool) IDs {
	if !prefixed {
		return IDs{}
	}
	schema, name, _ := strings.Cut(table, ".")
	return IDs{string(appendPrefix(nil, connector.Table{Schema: schema, Name: name}))}
}

// Row returns the id of the row of that name. What no name holds as it is (blanks, letters beyond ASCII) is encoded first; the hash
// of a long key, as it is stored, is a name, too.
func (i IDs) Row(name string) string {
	if IsHashed(name) {
		return name
	}
	raw := []byte(i.prefix)
	for k := range len(name) {
		if c := name[k]; unreserved(c) || c == '/' || c == '%' {
			raw = append(raw, c)
		} else {
			raw = append(raw, '%', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return idOf(raw)
}

// Owns reports whether a row is the table's. full is KeyFullKey of its record, which tells whose a hash is; empty if it has none.
func (i IDs) Owns(rowID, full string) bool {
	if IsHashed(rowID) {
		rowID = full
	}
	return strings.HasPrefix(rowID, i.prefix)
}

// Name returns the row's name. full is as in Owns.
func (i IDs) Name(rowID, full string) string {
	if IsHashed(rowID) && full != "" {
		rowID = full
	}
	return strings.TrimPrefix(rowID, i.prefix)
}

// IsHashed reports whether a row's id is the hash of its key.
func IsHashed(rowID string) bool { return strings.HasPrefix(rowID, hashPrefix) }

// RowOf returns the row that a record belongs to, and which chunk of it the record is, by the record's id.
func RowOf(recordID string) (rowID string, chunk int) {
	at := strings.LastIndexByte(recordID, chunkSep)
	if at < 1 {
		return recordID, 0
	}
	n, err := strconv.Atoi(recordID[at+1:])
	if err != nil || n < 1 || recordID[at+1] == '+' || recordID[at+1] == '0' {
		return recordID, 0 // nobody of ours wrote this
	}
	return recordID[:at], n
}

// Key returns the texts of a row's key columns by the row's id, nil for null. full is as in Owns. False: no row of the table has this
// id, with a key of that many columns.
func (i IDs) Key(rowID, full string, columns int) ([]*string, bool) {
	name := rowID
	if IsHashed(rowID) {
		name = full
	}
	body, owned := strings.CutPrefix(name, i.prefix)
	values := KeyValues(body)
	if !owned || len(values) != columns {
		return nil, false
	}
	raw := []byte(i.prefix)
	for k, value := range values {
		if value == nil {
			raw = appendPart(raw, k, nil)
		} else {
			raw = appendPart(raw, k, *value)
		}
	}
	return values, string(raw) == name && idOf(raw) == rowID
}

// KeyValues returns the texts of a row's key columns by the row's name, nil for null. A name that is a hash tells none.
func KeyValues(name string) []*string {
	if IsHashed(name) {
		return nil
	}
	parts := strings.Split(name, "/")
	values := make([]*string, len(parts))
	for i, part := range parts {
		value := part
		switch decoded, err := url.PathUnescape(part); {
		case part == nullPart:
			continue
		case part == emptyPart:
			value = ""
		case err == nil:
			value = decoded
		}
		values[i] = &value
	}
	return values
}

// idOf makes an id of an encoded key.
func idOf(raw []byte) string {
	if len(raw) <= maxIDBytes {
		return string(raw)
	}
	sum := sha256.Sum256(raw)
	return hashPrefix + base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:])
}
