package verify

// form is how the source writes the types that it can write in several ways. The settings of the connector are not at hand here, so
// the form is found out from what the index holds (probe.go).
type form struct {
	decimals  decimals
	temporals temporals
	padded    bool // timestamps with time zone carry trailing zeros, as Debezium 2 and later write them
}

// decimals is decimal.handling.mode of the connector.
type decimals uint8

const (
	decimalText    decimals = iota // string, as the companion configuration sets it
	decimalDouble                  // double
	decimalPrecise                 // precise, the connector's default
)

// temporals tells whether the function has the schema that gives dates and times their meaning.
type temporals uint8

const (
	temporalNumbers temporals = iota // no schema: days, milliseconds, microseconds
	temporalText                     // schema at hand: package connector writes ISO 8601
)

// forms returns all of them, the likeliest first.
func forms(schemas bool) []form {
	order := []temporals{temporalNumbers, temporalText}
	if schemas {
		order = []temporals{temporalText, temporalNumbers}
	}
	modes := []decimals{decimalText, decimalPrecise, decimalDouble}
	all := make([]form, 0, 2*len(modes)*len(order))
	for _, d := range modes {
		for _, t := range order {
			for _, padded := range []bool{false, true} {
				all = append(all, form{decimals: d, temporals: t, padded: padded})
			}
		}
	}
	return all
}

// certainty is how well the wire form of a column is known.
type certainty uint8

const (
	exact   certainty = iota // one form, whatever the settings
	formed                   // as the form says
	guessed                  // cannot be told: compared leniently
)

// sureness tells how well a column's wire form is known. The types named here are those whose records were captured from the real
// connector (package connector, testdata), or whose form Debezium 1.9 documents and no setting changes.
func (c *Column) sureness() certainty {
	if c.Generated {
		return guessed
	}
	switch c.Type {
	case "bool", "int2", "int4", "int8", "oid", "float8", "text", "varchar", "bpchar", "name", "citext", "uuid", "enum":
		return exact
	case "numeric":
		return formed
	}
	if c.Array {
		return guessed
	}
	switch c.Type {
	case "json", "jsonb", "xml", "inet", "cidr", "macaddr", "bytea", "int4range", "int8range", "ltree":
		return exact
	case "bit":
		if c.Modifier == 1 {
			return exact
		}
	case "date", "time", "timestamp", "timestamptz":
		return formed
	}
	return guessed
}
