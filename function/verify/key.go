package verify

import (
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
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
