package connector

import (
	"fmt"
	"reflect"
	"slices"
)

// unavailableText is Debezium's default for unavailable.value.placeholder: it stands for a large value that the update did not touch
// and Postgres therefore did not log.
const unavailableText = "__debezium_unavailable_value"

// unavailableHstore is the same for an hstore column that comes as JSON text.
const unavailableHstore = `{"` + unavailableText + `":"` + unavailableText + `"}`

// unavailableUUID is the same for an element of a uuid array: the name-based UUID (version 3) of the text's bytes.
const unavailableUUID = "b68a35a7-17ad-35b3-af2a-ae46edb4545a"

// unavailableBase64 is the same for a bytea column, as JSON carries bytes; base64 for URLs spells it alike.
const unavailableBase64 = "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="

// unavailableHex is the same in hex. With binary.handling.mode: hex Debezium 2.7 and 3.0 send the plain text, which is not hex at all;
// a version that mends this sends it so.
const unavailableHex = "5f5f646562657a69756d5f756e617661696c61626c655f76616c7565"

// image is one side of a row as parsed, with its schema.
type image struct {
	columns map[string]any // nil when the source sent none
	schema  *schema        // nil when the record came without
}

// decodeRow fills key, before and after of c.
func decodeRow(c *Change, k key, value side, needs func(column string) bool) error {
	before, err := readImage(value, "before")
	if err != nil {
		return err
	}
	after, err := readImage(value, "after")
	if err != nil {
		return err
	}
	c.Writer.types = after.schema
	if c.Op == Delete {
		after.columns = nil
	} else if after.columns == nil {
		return malformed(ReasonMissingRow, "an "+c.Op.String()+" with an after image", "null")
	}
	if c.Key, err = decodeKey(k, value.keyTypes(k), before, after); err != nil {
		return err
	}
	needed := func(name string) bool {
		return slices.ContainsFunc(c.Key, func(column Column) bool { return column.Name == name }) || needs(name)
	}
	// After first: it may take values from before, which must still be as parsed.
	if c.After, err = after.row(before, needed); err != nil {
		return err
	}
	if c.Before, err = before.row(image{}, needed); err != nil {
		return err
	}
	c.After.take(c.Key)
	if c.Op == Delete {
		c.Before.take(c.Key)
	}
	return nil
}

// take fills in key columns that were left out of the row: a key of over 2 kB may be stored out of line, too.
func (r Row) take(key []Column) {
	for _, c := range key {
		if _, gone := r[c.Name].(Unavailable); gone {
			r[c.Name] = c.Value
		}
	}
}

func readImage(value side, name string) (image, error) {
	v := value.object[name]
	if v == nil {
		return image{}, nil
	}
	columns, ok := v.(map[string]any)
	if !ok {
		return image{}, malformed(ReasonBadEnvelope, name+" to be an object or null", describe(v))
	}
	return image{columns: columns, schema: value.image(name)}, nil
}

// decodeKey checks that the key is that of the row (the after image, or before for a delete) and converts its values by the key's
// types, or else by the row's.
func decodeKey(k key, types *schema, before, after image) ([]Column, error) {
	row := after
	if row.columns == nil {
		row = before
	}
	if types == nil {
		types = row.schema
	}
	columns := make([]Column, len(k.columns))
	for i, c := range k.columns {
		if err := fits(c, row); err != nil {
			return nil, err
		}
		v, err := convert(c.Value, types.field(c.Name))
		if err != nil {
			return nil, inColumn(err, c.Name)
		}
		columns[i] = Column{Name: c.Name, Value: v}
	}
	if len(columns) == 0 {
		return nil, nil
	}
	return columns, nil
}

// fits finds a value of the row that contradicts the key. It compares as parsed: key and row come from one source and spell a value the
// same way. The row need not have the column: column.exclude.list leaves it out there, an unchanged large one is only marked, and a
// delete under REPLICA IDENTITY NOTHING has no row at all. The key is enough.
func fits(c Column, row image) error {
	v, ok := row.columns[c.Name]
	if ok && !unavailable(v) && !reflect.DeepEqual(v, c.Value) {
		return malformed(ReasonKeyMismatch, fmt.Sprintf("the row's value of key column %q", clip(c.Name)), "another value")
	}
	return nil
}

// row converts the image's values in place; for a column left out as unchanged it takes the value from older, else Unavailable. A value
// that cannot be read and is not needed is left out.
func (im image) row(older image, needed func(column string) bool) (Row, error) {
	if im.columns == nil {
		return nil, nil
	}
	row := make(Row, len(im.columns))
	for name, v := range im.columns {
		types := im.schema
		if unavailable(v) {
			old, ok := older.stored(name)
			if !ok {
				row[name] = Unavailable{}
				continue
			}
			v, types = cloneValue(old), older.schema
		}
		converted, err := convert(v, types.field(name))
		switch {
		case err == nil:
			row[name] = converted
		case needed(name):
			return nil, inColumn(err, name)
		}
	}
	return row, nil
}

// alwaysInline is how many bytes a text, or an array in its text, may have for Postgres never to store it out of line: nothing that is not
// larger than the pointer that would take its place, 24 bytes with what is lost to alignment, 4 of them the value's header.
const alwaysInline = 20

// stored returns the value that a column had, if the image tells it. A before image holds whole rows only under REPLICA IDENTITY
// FULL; otherwise Debezium makes up the columns outside the identity: null, an empty value, or the column's default, such as '{}' or
// 'draft'. What can never be stored out of line is not the value that was left out, nor is the default that the schema tells.
func (im image) stored(name string) (any, bool) {
	v, ok := im.columns[name]
	if !ok || unavailable(v) {
		return nil, false
	}
	if s := im.schema.field(name); s != nil && s.preset != nil && reflect.DeepEqual(v, s.preset) {
		return nil, false
	}
	switch v := v.(type) {
	case string:
		return v, len(v) > alwaysInline
	case []any:
		return v, len(v) > 0
	case map[string]any:
		return v, len(v) > 0
	default: // null, a boolean, a number
		return nil, false
	}
}

// unavailable recognises the placeholder in the forms that it takes by column type: text (also numeric, json, ...), bytea, an array
// of text, bytes or UUIDs, an array of integers (the text's bytes, since Debezium 2.x), hstore as a map or as text. It does not ask for
// the column's type: a user's text that is one of these is taken for it, too, as even its schema could not tell the two apart.
func unavailable(v any) bool {
	switch v := v.(type) {
	case string:
		return v == unavailableText || v == unavailableBase64 || v == unavailableHstore || v == unavailableHex
	case []any:
		return len(v) == 1 && unavailableElement(v[0]) || unavailableBytes(v)
	case map[string]any:
		return len(v) == 1 && v[unavailableText] == unavailableText
	default:
		return false
	}
}

func unavailableElement(v any) bool {
	return v == unavailableText || v == unavailableBase64 || v == unavailableUUID || v == unavailableHex
}

func unavailableBytes(list []any) bool {
	if len(list) != len(unavailableText) {
		return false
	}
	for i, v := range list {
		if n, err := integer(v); err != nil || n != int64(unavailableText[i]) {
			return false
		}
	}
	return true
}

// cloneValue copies what convert would change in place, for a value that is used twice.
func cloneValue(v any) any {
	switch v := v.(type) {
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = cloneValue(v[i])
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(v))
		for name := range v {
			object[name] = cloneValue(v[name])
		}
		return object
	default:
		return v
	}
}
