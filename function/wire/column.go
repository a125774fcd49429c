package wire

// Value is one column of one row as Postgres prints it (DateStyle ISO, TimeZone UTC, bytea in hex).
type Value struct {
	Text string
	Null bool
}

// Column is a column and what its type is made of.
type Column struct {
	Name      string
	Type      string // pg_type.typname of the type under any domain: "int8", "timestamptz", "enum"; of an array, of its elements
	Array     bool
	Modifier  int    // atttypmod, -1 for none
	SQL       string // the type as SQL casts to it
	Generated bool   // computed by Postgres: logical decoding may leave it out
}
