package wire

// Form is how the source writes the types that it can write in several ways. The settings of the connector are not at hand here.
type Form struct {
	Decimals  Decimals
	Temporals Temporals
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

// Forms returns all of them, the likeliest first.
func Forms(schemas bool) []Form {
	order := []Temporals{TemporalNumbers, TemporalText}
	if schemas {
		order = []Temporals{TemporalText, TemporalNumbers}
	}
	modes := []Decimals{DecimalText, DecimalPrecise, DecimalDouble}
	all := make([]Form, 0, 2*len(modes)*len(order))
	for _, d := range modes {
		for _, t := range order {
			for _, padded := range []bool{false, true} {
				all = append(all, Form{Decimals: d, Temporals: t, Padded: padded})
			}
		}
	}
	return all
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
