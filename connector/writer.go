package connector

import (
	"strconv"
	"strings"
)

// Writer is what a record shows of how its source writes values.
type Writer struct {
	// Connector is Debezium's version, "1.9.7.Final"; "" when the record does not tell.
	Connector string

	types *schema // of the row; nil without a schema
}

// Type is the type that a schema gives a column: Kafka Connect's kind ("int32", "string", "bytes", "array", …) and the semantic type
// ("io.debezium.time.Date"), "" for none. Element is that of an array's elements or a map's values.
type Type struct {
	Kind     string
	Semantic string
	Element  *Type
}

// HasSchema reports whether the record came with a schema of its row, or the registry had one.
func (w Writer) HasSchema() bool { return w.types != nil }

// Column returns what the schema says of a column's type; false when it does not say.
func (w Writer) Column(name string) (Type, bool) {
	s := w.types.field(name)
	if s == nil {
		return Type{}, false
	}
	t := Type{Kind: s.kind, Semantic: s.name}
	if s.items != nil {
		t.Element = &Type{Kind: s.items.kind, Semantic: s.items.name}
	}
	return t, true
}

// Major is the first number of Connector, 0 when it is not known.
func (w Writer) Major() int {
	first, _, _ := strings.Cut(w.Connector, ".")
	n, err := strconv.Atoi(first)
	if err != nil {
		return 0
	}
	return n
}
