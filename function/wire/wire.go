package wire

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Convert converts a value to what package connector would have decoded of the source's record:
//
//	bool, integers, floats          bool, int64, float64; NaN and infinities as text where no schema tells that they are numbers
//	text, json, uuid, enum, inet…   the text that Postgres prints
//	numeric                         see decimal
//	bytea                           base64
//	bit(1)                          bool
//	date, time, timestamp[tz]       see temporal
//	arrays                          []any of these
//	anything else                   the text that Postgres prints: a guess, which Sureness tells
func Convert(c *Column, v Value, f Form) (any, error) {
	if v.Null {
		return nil, nil //nolint:nilnil // null is a value
	}
	if !c.Array {
		return scalar(c, v.Text, f)
	}
	elements, ok := elements(v.Text)
	if !ok {
		return v.Text, nil // more than one dimension: a guess, as no source says how it is sent
	}
	list := make([]any, len(elements))
	for i, e := range elements {
		if e.Null {
			continue
		}
		var err error
		if list[i], err = scalar(c, e.Text, f); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func scalar(c *Column, text string, f Form) (any, error) {
	switch c.Type {
	case "bool":
		return text == "t", nil
	case "int2", "int4", "int8", "oid":
		n, err := strconv.ParseInt(text, 10, 64)
		return n, c.misread(err)
	case "float4", "float8":
		x, err := float(c, text)
		if err == nil && f.Temporals == TemporalNumbers && (math.IsNaN(x) || math.IsInf(x, 0)) {
			return text, nil
		}
		return x, c.misread(err)
	case "bytea":
		raw, err := hex.DecodeString(strings.TrimPrefix(text, `\x`))
		return base64.StdEncoding.EncodeToString(raw), c.misread(err)
	case "bit":
		if c.Modifier == 1 {
			return text == "1", nil
		}
	case "numeric":
		return decimal(c, text, f)
	case "date", "time", "timestamp", "timestamptz":
		v, err := temporal(c, text, f)
		return v, c.misread(err)
	}
	return text, nil
}

// float reads a number. Four bytes are sent as the shortest text that means them, which older servers do not print.
func float(c *Column, text string) (float64, error) {
	if c.Type == "float4" {
		x, err := strconv.ParseFloat(text, 32)
		if err != nil {
			return 0, err //nolint:wrapcheck // misread does
		}
		text = strconv.FormatFloat(x, 'g', -1, 32)
	}
	return strconv.ParseFloat(text, 64) //nolint:wrapcheck // misread does
}

func (c *Column) misread(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("read column %q of type %s: %w", c.Name, c.Type, err)
}

// elements reads a one-dimensional array as Postgres prints it: {a,"b \"c\"",NULL}.
func elements(text string) ([]Value, bool) {
	if len(text) < 2 || text[0] != '{' || text[len(text)-1] != '}' {
		return nil, false // [0:2]={…}: other bounds
	}
	rest := text[1 : len(text)-1]
	list := []Value{}
	for rest != "" || len(list) > 0 {
		v, after, ok := element(rest)
		if !ok {
			return nil, false
		}
		list = append(list, v)
		if after == "" {
			return list, true
		}
		if after[0] != ',' {
			return nil, false
		}
		rest = after[1:]
	}
	return list, true
}

// element reads one element and returns what follows it.
func element(text string) (v Value, rest string, ok bool) {
	if text == "" || text[0] == '{' {
		return v, "", false
	}
	if text[0] != '"' {
		end := strings.IndexByte(text, ',')
		if end < 0 {
			end = len(text)
		}
		return Value{Text: text[:end], Null: text[:end] == "NULL"}, text[end:], true
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '"':
			return Value{Text: b.String()}, text[i+1:], true
		case '\\':
			if i++; i == len(text) {
				return v, "", false
			}
		}
		b.WriteByte(text[i])
	}
	return v, "", false
}
