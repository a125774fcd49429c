package document

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/rowvec/rowvec/connector"
)

// Ids are built of the unreserved characters of RFC 3986, "%XX" for every other byte, "/" between the key's columns and, with
// PrefixIDs, "schema.table/" in front ("." inside a name is encoded). An empty component is "%empty" and a null one "%null", which
// no encoding yields because its hex digits are capitals; so no id is empty, which Chroma refuses. A component is the column's text,
// so that 1 gives one id whether it came as a number or as text.
const (
	maxIDBytes = 128  // longer ids become hashes (design §5)
	hashPrefix = "h:" // ":" is always encoded, so no encoded id starts like this
	chunkSep   = '#'  // always encoded inside an id, so chunk ids meet no row's id
	emptyPart  = "%empty"
	nullPart   = "%null"
	hexDigits  = "0123456789ABCDEF"
)

// ID returns the id of the row that a change is about: of the row as it is after an insert, update or read, as it was before a
// delete. Errors are *Error: halt when the table has no key, or Spec.Key names columns that are none of the rows' or not those of the
// source's own key; poison when the key does not fit the row.
func (b *Builder) ID(c *connector.Change) (string, error) {
	id, _, err := b.id(c)
	return id, err
}

// OldID returns the id that the row had before an update changed the columns of Spec.Key, and "" when the id is the same. For a key
// that the source knows of it sends a delete and an insert; for Spec.Key only the update, and the records of the old id have to go.
func (b *Builder) OldID(c *connector.Change) (string, error) {
	if len(b.spec.Key) == 0 || len(c.Key) > 0 || c.Op != connector.Update || c.Before == nil {
		return "", nil
	}
	id, err := b.ID(c)
	if err != nil {
		return "", err
	}
	old, _, err := b.idOf(c, c.Before)
	if err != nil || old == id {
		return "", err
	}
	return old, nil
}

// Key returns the columns by which a change's row is found in its table: the primary key, or those of Spec.Key.
// Its errors are those of ID.
func (b *Builder) Key(c *connector.Change) ([]connector.Column, error) {
	if _, err := b.ID(c); err != nil {
		return nil, err
	}
	if len(c.Key) > 0 {
		return c.Key, nil
	}
	row := c.After
	if c.Op == connector.Delete {
		row = c.Before
	}
	key := make([]connector.Column, len(b.spec.Key))
	for i, name := range b.spec.Key {
		key[i] = connector.Column{Name: name, Value: row[name]}
	}
	return key, nil
}

// id returns the row's id and, when that is a hash, the id before hashing.
func (b *Builder) id(c *connector.Change) (id, full string, err error) {
	if c.Op == connector.Delete {
		return b.idOf(c, c.Before)
	}
	return b.idOf(c, c.After)
}

func (b *Builder) idOf(c *connector.Change, row connector.Row) (id, full string, err error) {
	var room [maxIDBytes + 64]byte
	raw := room[:0]
	if b.spec.PrefixIDs {
		raw = appendPrefix(raw, c.Table)
	}
	if len(b.spec.Key) > 0 {
		raw, err = b.appendColumns(raw, c, row)
	} else {
		raw, err = b.appendKey(raw, c, c.Key, row)
	}
	if err != nil {
		return "", "", err
	}
	if id = idOf(raw); len(raw) > maxIDBytes {
		full = string(raw)
	}
	return id, full, nil
}

// appendKey takes the key that the source sent.
func (b *Builder) appendKey(raw []byte, c *connector.Change, key []connector.Column, row connector.Row) ([]byte, error) {
	if len(key) == 0 {
		return nil, b.noKey(c)
	}
	for i, column := range key {
		if _, gone := column.Value.(connector.Unavailable); gone {
			return nil, b.unavailable(c, "", column.Name, settingOf(c.Table.String(), "key"))
		}
		if value, has := row[column.Name]; has && differ(column.Value, value) {
			return nil, b.mismatch(c, column.Name, fmt.Sprintf("the key says %v and the row %v", column.Value, value))
		}
		raw = appendPart(raw, i, column.Value)
	}
	return raw, nil
}

// appendColumns takes the columns of Spec.Key from the row, which may be a before image. Where the source sends a key of its own it has
// to have these columns, in any order, and its values count: before images are made up outside of it, unless REPLICA IDENTITY is FULL,
// and the order of a row's changes is kept by that key alone.
func (b *Builder) appendColumns(raw []byte, c *connector.Change, row connector.Row) ([]byte, error) {
	if len(c.Key) > 0 {
		key := b.inOrder(c.Key)
		if key == nil {
			return nil, b.foreignKey(c)
		}
		return b.appendKey(raw, c, key, row)
	}
	for i, name := range b.spec.Key {
		value, has := row[name]
		if !has {
			return nil, b.keyMissing(c, name, row)
		}
		if _, gone := value.(connector.Unavailable); gone {
			return nil, b.unavailable(c, "", name, b.spec.setting("key"))
		}
		raw = appendPart(raw, i, value)
	}
	return raw, nil
}

// inOrder returns a source's key in the order of Spec.Key, nil when it has other columns.
func (b *Builder) inOrder(key []connector.Column) []connector.Column {
	if len(key) != len(b.spec.Key) {
		return nil
	}
	ordered := make([]connector.Column, len(key))
	for i, name := range b.spec.Key {
		at := slices.IndexFunc(key, func(c connector.Column) bool { return c.Name == name })
		if at < 0 {
			return nil
		}
		ordered[i] = key[at]
	}
	return ordered
}

// differ reports whether key and row surely disagree. Only whole numbers are compared: other types may be encoded in the key in
// another way than in the row, and a valid change must not be refused for that.
func differ(key, value any) bool {
	a, isInt := key.(int64)
	z, isIntToo := value.(int64)
	return isInt && isIntToo && a != z
}

func appendPrefix(raw []byte, t connector.Table) []byte {
	raw = appendEncoded(raw, t.Schema, false)
	raw = append(raw, '.')
	raw = appendEncoded(raw, t.Name, false)
	return append(raw, '/')
}

func appendPart(raw []byte, index int, value any) []byte {
	if index > 0 {
		raw = append(raw, '/')
	}
	switch v := value.(type) {
	case nil:
		return append(raw, nullPart...)
	case int64:
		return strconv.AppendInt(raw, v, 10)
	case string:
		return appendText(raw, v)
	case float64:
		return appendText(raw, floatText(v))
	default:
		return appendText(raw, text(v))
	}
}

func appendText(raw []byte, s string) []byte {
	if s == "" {
		return append(raw, emptyPart...)
	}
	return appendEncoded(raw, s, true)
}

func appendEncoded(raw []byte, s string, dots bool) []byte {
	for i := range len(s) {
		if c := s[i]; unreserved(c) && (dots || c != '.') {
			raw = append(raw, c)
		} else {
			raw = append(raw, '%', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return raw
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}

// ChunkIDs returns the ids of a row's records [from, to): the row's id itself for the first, "<id>#1", "<id>#2"... for the others.
func ChunkIDs(rowID string, from, to int) []string {
	from = max(from, 0)
	if from >= to {
		return nil
	}
	ids := make([]string, 0, to-from)
	for i := from; i < to; i++ {
		ids = append(ids, chunkID(rowID, i))
	}
	return ids
}

func chunkID(rowID string, index int) string {
	if index == 0 {
		return rowID
	}
	return rowID + string(chunkSep) + strconv.Itoa(index)
}

// floatText writes a float as people do: no exponent between 1e-6 and 1e21, and one text for both zeros.
func floatText(v float64) string {
	size := math.Abs(v)
	switch {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 1):
		return "Infinity"
	case math.IsInf(v, -1):
		return "-Infinity"
	case size == 0:
		return "0"
	case size >= 1e-6 && size < 1e21:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return strconv.FormatFloat(v, 'e', -1, 64)
	}
}
