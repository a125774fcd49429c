package wire

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Invertible reports whether the column's text can be told from the id's, so that Postgres can be asked for the row.
func (c *Column) Invertible(f Form) bool {
	if c.Array {
		return false
	}
	switch c.Type {
	case "bool", "int2", "int4", "int8", "oid", "text", "varchar", "bpchar", "name", "citext", "uuid", "enum", "inet", "cidr", "macaddr",
		"bytea", "date", "timestamptz":
		return true
	case "timestamp":
		return f.Precision != PrecisionMillis || coarse(c, Form{}) // what was cut off is lost
	case "numeric":
		return f.Decimals == DecimalText || f.Temporals == TemporalText && f.Decimals == DecimalPrecise
	default:
		return false
	}
}

// Stored turns the text that a wire value has in an id back into one that Postgres reads. False: no value of the type has this text.
func (c *Column) Stored(v Value, f Form) (Value, bool) {
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

func (c *Column) storedMoment(text string, f Form) (Value, bool) {
	if text == "infinity" || text == "-infinity" {
		return Value{Text: text}, true
	}
	if c.Type == "timestamptz" || f.Temporals == TemporalText {
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
	case coarse(c, f):
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
