package wire

import "slices"

// Form is how the source writes the types that it can write in several ways. The settings of the connector are not at hand here.
type Form struct {
	Decimals  Decimals
	Temporals Temporals
	Precision Precision
	Padded    bool // timestamps with time zone carry trailing zeros, as Debezium 2 and later write them
}

// Decimals is decimal.handling.mode of the connector.
type Decimals uint8

// The modes.
const (
	DecimalText    Decimals = iota // string, as the companion configuration sets it
	DecimalDouble                  // double
	DecimalPrecise                 // precise, the connector's default
)

// Temporals tells whether the function has the schema that gives dates and times their meaning.
type Temporals uint8

// What there is.
const (
	TemporalNumbers Temporals = iota // no schema: days, milliseconds, microseconds
	TemporalText                     // schema at hand: package connector writes ISO 8601
)

// Precision is time.precision.mode of the connector, for times and timestamps without time zone.
type Precision uint8

// The modes.
const (
	PrecisionAdaptive Precision = iota // adaptive, the default: milliseconds for up to three digits, else microseconds
	PrecisionMicros                    // adaptive_time_microseconds: times of day in microseconds
	PrecisionMillis                    // connect: milliseconds, what is finer is cut off
)

// Forms returns all of them that make a difference to these columns, the likeliest first. schemas says that the function has the schemas.
func Forms(columns []Column, schemas bool) []Form {
	order := []Temporals{TemporalNumbers, TemporalText}
	if schemas {
		order = []Temporals{TemporalText, TemporalNumbers}
	}
	all := make([]Form, 0, 36)
	for _, d := range variants(columns, []Decimals{DecimalText, DecimalPrecise, DecimalDouble}, "numeric") {
		for _, t := range variants(columns, order, "numeric", "date", "time", "timestamp", "float4", "float8") {
			for _, p := range variants(columns, []Precision{PrecisionAdaptive, PrecisionMillis, PrecisionMicros}, "time", "timestamp") {
				for _, padded := range variants(columns, []bool{false, true}, "timestamptz") {
					all = append(all, Form{Decimals: d, Temporals: t, Precision: p, Padded: padded})
				}
			}
		}
	}
	return all
}

// variants returns all of a setting's values if one of the columns is of a type that they concern, else the first.
func variants[T any](columns []Column, all []T, types ...string) []T {
	if slices.ContainsFunc(columns, func(c Column) bool { return slices.Contains(types, c.Type) }) {
		return all
	}
	return all[:1]
}

// Certainty is how well the wire form of a column is known.
type Certainty uint8

// The degrees.
const (
	Exact   Certainty = iota // one form, whatever the settings
	Formed                   // as the form says
	Guessed                  // cannot be told: compared leniently
)

// Sureness tells how well a column's wire form is known. The types named here are those whose records were captured from the real
// connector (package connector, testdata), or whose form Debezium 1.9 documents and no setting changes.
func (c *Column) Sureness() Certainty {
	if c.Generated {
		return Guessed
	}
	switch c.Type {
	case "bool", "int2", "int4", "int8", "oid", "float8", "text", "varchar", "bpchar", "name", "citext", "uuid", "enum":
		return Exact
	case "numeric":
		return Formed
	}
	if c.Array {
		return Guessed
	}
	switch c.Type {
	case "json", "jsonb", "xml", "inet", "cidr", "macaddr", "bytea", "int4range", "int8range", "numrange", "ltree":
		return Exact
	case "bit":
		if c.Modifier == 1 {
			return Exact
		}
	case "date", "time", "timestamp", "timestamptz":
		return Formed
	}
	return Guessed
}
