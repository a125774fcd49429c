package verify

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// recordID takes a record's id apart: the row's id and the chunk's index, -1 where the suffix is none of ours.
func recordID(id string) (row string, chunk int) {
	row, suffix, has := strings.Cut(id, "#")
	if !has {
		return id, 0
	}
	n, err := strconv.Atoi(suffix)
	if err != nil || n < 1 || strconv.Itoa(n) != suffix {
		return id, -1
	}
	return row, n
}

// hashed reports whether a row's id is a hash of its key.
func hashed(id string) bool { return strings.HasPrefix(id, "h:") }

// parts takes an id, or the full key behind a hash, apart into the texts of the key's columns: the inverse of what document.Builder
// does. prefix is the table's, "" where ids carry none.
func parts(full, prefix string, columns int) ([]Value, bool) {
	body, ok := strings.CutPrefix(full, prefix)
	if !ok {
		return nil, false
	}
	pieces := strings.Split(body, "/")
	if len(pieces) != columns {
		return nil, false
	}
	values := make([]Value, columns)
	for i, piece := range pieces {
		switch piece {
		case "%null":
			values[i].Null = true
		case "%empty":
		case "":
			return nil, false
		default:
			text, err := url.PathUnescape(piece)
			if err != nil || strings.ContainsRune(text, 0) {
				return nil, false
			}
			values[i].Text = text
		}
	}
	return values, true
}

// prefixOf is what ids of a table start with where several share a collection.
func prefixOf(schema, table string) string {
	escape := func(name string) string { return strings.ReplaceAll(escaped(name), ".", "%2E") }
	return escape(schema) + "." + escape(table) + "/"
}

// escaped percent-encodes everything but RFC 3986's unreserved characters.
func escaped(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~", c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteString("%" + strings.ToUpper(hex.EncodeToString([]byte{c})))
		}
	}
	return b.String()
}

// invertible reports whether the column's text can be told from the id's, so that Postgres can be asked for the row.
func (c *Column) invertible(f form) bool {
	if c.Array {
		return false
	}
	switch c.Type {
	case "bool", "int2", "int4", "int8", "oid", "text", "varchar", "bpchar", "name", "citext", "uuid", "enum", "inet", "cidr", "macaddr",
		"bytea", "date", "timestamp", "timestamptz":
		return true
	case "numeric":
		return f.decimals == decimalText || f.temporals == temporalText && f.decimals == decimalPrecise
	default:
		return false
	}
}

// stored turns the text that a wire value has in an id back into one that Postgres reads. False: no value of the type has this text.
func (c *Column) stored(v Value, f form) (Value, bool) {
	if v.Null {
		return v, true
	}
	switch c.Type {
	case "int2", "int4", "int8", "oid":
		bits := map[string]int{"int2": 16, "int4": 32, "int8": 64, "oid": 64}[c.Type]
		_, err := strconv.ParseInt(v.Text, 10, bits)
		return v, err == nil
	case "bytea":
		raw, err := base64.StdEncoding.DecodeString(v.Text)
		return Value{Text: `\x` + hex.EncodeToString(raw)}, err == nil
	case "date", "timestamp", "timestamptz":
		return c.storedMoment(v.Text, f)
	default:
		return v, true
	}
}

func (c *Column) storedMoment(text string, f form) (Value, bool) {
	if text == "infinity" || text == "-infinity" {
		return Value{Text: text}, true
	}
	if c.Type == "timestamptz" || f.temporals == temporalText {
		return Value{Text: commonEra(text)}, true
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return Value{}, false
	}
	switch {
	case n == dateInfinity && c.Type == "date", n == timestampInfinity:
		return Value{Text: "infinity"}, true
	case n == dateNegativeInfinity && c.Type == "date", n == timestampNegativeInfinity:
		return Value{Text: "-infinity"}, true
	}
	var t time.Time
	switch {
	case c.Type == "date":
		t = time.Unix(n*secondsPerDay, 0).UTC()
	case coarse(c):
		t = time.UnixMilli(n).UTC()
	default:
		t = time.UnixMicro(n).UTC()
	}
	year, month, day := t.Date()
	m := moment{year: year, month: int(month), day: day}
	if c.Type == "date" {
		return Value{Text: commonEra(m.date())}, true
	}
	return Value{Text: commonEra(m.date() + "T" + t.Format("15:04:05.999999"))}, true
}

// commonEra writes an expanded ISO 8601 year as Postgres reads it: "-0043-…" is "0044-… BC".
func commonEra(text string) string {
	if rest, positive := strings.CutPrefix(text, "+"); positive {
		return rest
	}
	year, rest, ok := strings.Cut(strings.TrimPrefix(text, "-"), "-")
	n, err := strconv.Atoi(year)
	if !ok || err != nil || (n > 0 && text[0] != '-') {
		return text
	}
	return fmt.Sprintf("%04d-%s BC", n+1, rest)
}
