package connector

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
)

// convert gives one parsed value the meaning that its schema states. Without a schema (nil), and for semantic types not named here,
// the value stays what its JSON is. The rules, by semantic type:
//
//	…connect.data.Decimal, …data.VariableScaleDecimal    exact decimal text: "-12345678.90"; always a string, as with
//	                                                     decimal.handling.mode: string, so that a column has one type in all its rows;
//	                                                     "1E-16383" only where over 100 zeros would be written
//	…time.Date, …connect.data.Date                       "2026-01-02"
//	…time.Time, MicroTime, NanoTime, connect.data.Time   "03:04:05.678901", "24:00:00"
//	…time.Timestamp, MicroTimestamp, NanoTimestamp,      "2026-01-02T03:04:05.678901", without an offset: the column has none
//	  connect.data.Timestamp
//	…time.MicroDuration, NanoDuration                    ISO 8601 in hours, minutes, seconds: "PT26H"; Debezium counts a month as 30.4375
//	                                                     days, so months and days cannot be told from it
//	…time.ZonedTimestamp, ZonedTime                      "2026-01-02T03:04:05.678901Z", in UTC as the source sends it; zeros at the
//	                                                     fraction's end, which some versions write and some do not, are left out
//	…time.Interval, Iso…                                 the source's text: ISO 8601
//	…data.Json, Xml, Ltree, Uuid, Enum, EnumSet          the source's text
//	…data.Bits                                           "101", the digits that Postgres prints
//	…data.geometry.Point                                 well-known text: "POINT(1 2)", "SRID=4326;POINT(1 2)"
//	…data.geometry.Geometry, Geography                   the well-known binary in upper-case hex, as PostGIS prints
//	bytes without a semantic type                        the base64 text
//	float32, float64                                     float64 even where the text has no fraction; NaN and the infinities, which
//	                                                     JSON has no numbers for and the source sends as text
//
// Years outside 0..9999 are written with a sign, year 0 being 1 BC (ISO 8601 expanded, as the source does for zoned timestamps):
// "-0043-03-15", "+10000-01-01". Infinite dates and timestamps are "infinity" and "-infinity".
func convert(v any, s *schema) (any, error) {
	if v == nil || s == nil {
		return natural(v)
	}
	if s.name != "" {
		converted, known, err := convertSemantic(v, s)
		if known || err != nil {
			return converted, err
		}
	}
	return convertByKind(v, s)
}

// convertSemantic reports false for a type whose JSON needs no conversion.
func convertSemantic(v any, s *schema) (any, bool, error) {
	switch s.name {
	case "org.apache.kafka.connect.data.Decimal":
		text, err := decimal(v, s.params["scale"])
		return text, true, err
	case "io.debezium.data.VariableScaleDecimal":
		text, err := variableDecimal(v)
		return text, true, err
	case "io.debezium.time.ZonedTimestamp", "io.debezium.time.ZonedTime":
		if text, ok := v.(string); ok {
			return zoned(text), true, nil
		}
	case "io.debezium.data.Bits":
		text, err := bits(v, s.params["length"])
		return text, true, err
	case "io.debezium.data.geometry.Point":
		text, err := point(v)
		return text, true, err
	case "io.debezium.data.geometry.Geometry", "io.debezium.data.geometry.Geography":
		text, err := geometry(v)
		return text, true, err
	}
	if write := timeWriter(s.name); write != nil {
		n, err := integer(v)
		if err != nil {
			return nil, true, badValue(s.name, "an integer", v)
		}
		text, err := write(n)
		return text, true, err
	}
	return nil, false, nil
}

func convertByKind(v any, s *schema) (any, error) {
	switch s.kind {
	case "float", "double", "float32", "float64":
		return float(v)
	case "array":
		if list, ok := v.([]any); ok {
			return convertList(list, s.element())
		}
	case "map":
		if object, ok := v.(map[string]any); ok {
			return convertObject(object, func(string) *schema { return s.element() })
		}
	case "struct":
		if object, ok := v.(map[string]any); ok {
			return convertObject(object, s.field)
		}
	}
	return natural(v)
}

func convertList(list []any, s *schema) (any, error) {
	for i := range list {
		var err error
		if list[i], err = convert(list[i], s); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func convertObject(object map[string]any, of func(name string) *schema) (any, error) {
	for name, v := range object {
		converted, err := convert(v, of(name))
		if err != nil {
			return nil, err
		}
		object[name] = converted
	}
	return object, nil
}

// float keeps a column of floating-point numbers from changing its type with the value.
func float(v any) (any, error) {
	switch v {
	case "NaN":
		return math.NaN(), nil
	case "Infinity":
		return math.Inf(1), nil
	case "-Infinity":
		return math.Inf(-1), nil
	}
	n, ok := v.(json.Number)
	if !ok {
		return natural(v)
	}
	f, err := n.Float64()
	if err != nil {
		return nil, malformed(ReasonBadValue, "a number within float64", "the number "+clip(n.String()))
	}
	return f, nil
}

// badValue says that v is not what its type is made of.
func badValue(typeName, expected string, v any) error {
	return malformed(ReasonBadValue, expected+" for "+typeName[strings.LastIndexByte(typeName, '.')+1:], describe(v))
}

// inColumn adds the column's name to what was expected.
func inColumn(err error, column string) error {
	var s *SchemaError
	if errors.As(err, &s) {
		return &SchemaError{column: clip(column), why: s.why}
	}
	var m *MalformedError
	if !errors.As(err, &m) {
		return err
	}
	named := *m
	named.expected = fmt.Sprintf("in column %q %s", clip(column), m.expected)
	return &named
}
