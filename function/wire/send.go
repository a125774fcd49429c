package wire

import (
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strings"

	"github.com/rowvec/rowvec/connector"
)

// UnknownFormError says that it cannot be told in which form the source of a change writes a column.
type UnknownFormError struct{ column, why string }

// Error names the column and what to do.
func (e *UnknownFormError) Error() string {
	return fmt.Sprintf("column %q: %s; ALTER TABLE … REPLICA IDENTITY FULL makes the source send its value itself", e.column, e.why)
}

// Send returns a column's value exactly as the source of the change would have sent it and package connector would have decoded it. With
// a schema at hand, the record's own or the registry's, the column's type there tells the form. Without one the form is that of the
// settings in connector/postgres.yaml, unless the value that the record itself has in the column is of another one. Where the form is not
// known, the error is an *UnknownFormError: a guess would become the row's text.
func Send(c *Column, v Value, change *connector.Change) (any, error) {
	form, kind, err := formOf(c, change)
	if err != nil {
		return nil, err
	}
	if v.Null {
		return nil, nil //nolint:nilnil // null is a value
	}
	if c.Type == "ltree" && !c.Array && change.Snapshot == connector.Streamed && change.Writer.Major() < 2 {
		return nil, nil //nolint:nilnil // what Debezium 1.9 sends (connector/TYPES.md)
	}
	value, err := sent(c, v, form, kind)
	if err != nil {
		return nil, err
	}
	return value, contradiction(c, value, change)
}

// sent is Convert without its guesses.
func sent(c *Column, v Value, f Form, kind connector.Type) (any, error) {
	if c.Array {
		list, ok := elements(v.Text)
		if !ok {
			return nested(c, v.Text)
		}
		values := make([]any, len(list))
		for i, e := range list {
			if e.Null {
				continue
			}
			single := *c
			single.Array = false
			var err error
			if values[i], err = sent(&single, e, f, kind); err != nil {
				return nil, err
			}
		}
		return values, nil
	}
	switch {
	case c.Type == "numeric" && !strings.ContainsAny(v.Text[len(v.Text)-1:], "0123456789"):
		return special(c, v.Text, f)
	case strings.HasPrefix(kind.Semantic, "org.apache.kafka.connect.data.Time"): // and …Timestamp: milliseconds, the rest is cut off
		v.Text = cut(v.Text)
	}
	return scalar(c, v.Text, f)
}

// special is a numeric that is no number, as seen of the connector in its modes.
func special(c *Column, text string, f Form) (any, error) {
	switch f.Decimals {
	case DecimalPrecise:
		return nil, nil //nolint:nilnil // what the source sends
	case DecimalDouble:
		names := map[string]float64{"NaN": math.NaN(), "Infinity": math.Inf(1), "-Infinity": math.Inf(-1)}
		return names[text], nil
	default:
		return decimal(c, text, f)
	}
}

// cut leaves three digits of a fraction, and no zeros at their end.
func cut(text string) string {
	point := strings.IndexByte(text, '.')
	if point < 0 {
		return text
	}
	end := point + 1
	for end < len(text) && text[end] >= '0' && text[end] <= '9' {
		end++
	}
	return strings.TrimRight(strings.TrimRight(text[:min(end, point+4)], "0"), ".") + text[end:]
}

// nested is an array of arrays, of which the source sends as many nulls as there are.
func nested(c *Column, text string) (any, error) {
	if !strings.HasPrefix(text, "{{") {
		return nil, &UnknownFormError{c.Name, "arrays with bounds of their own are not read"}
	}
	depth, count, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch ch := text[i]; {
		case ch == '\\':
			i++
		case ch == '"':
			quoted = !quoted
		case quoted:
		case ch == '{':
			if depth++; depth == 2 {
				count++
			}
		case ch == '}':
			depth--
		}
	}
	return make([]any, count), nil
}

// formOf tells the form in which the source writes a column; kind is the schema's, of an array's elements.
func formOf(c *Column, change *connector.Change) (f Form, kind connector.Type, err error) {
	if c.Generated {
		return f, kind, &UnknownFormError{c.Name, "Postgres computes it, and the source does not send it"}
	}
	if !change.Writer.HasSchema() {
		f.Padded = change.Writer.Major() >= 2
		if !c.plain() || c.Type == "timestamptz" && change.Writer.Major() == 0 {
			return f, kind, &UnknownFormError{c.Name, fmt.Sprintf(
				"how the source writes a %s cannot be told without a schema (userConfig.pulsar.adminURL, or records that carry theirs)", c.SQL)}
		}
		return f, kind, nil
	}
	kind, has := change.Writer.Column(c.Name)
	if has && c.Array {
		if has = kind.Kind == "array" && kind.Element != nil; has {
			kind = *kind.Element
		}
	}
	f.Temporals = TemporalText
	if !has || !c.described(kind, &f) {
		return f, kind, &UnknownFormError{c.Name, fmt.Sprintf("how the source writes a %s as %q (%s) is not known", c.SQL, kind.Kind, kind.Semantic)}
	}
	return f, kind, nil
}

// plain reports whether the column's form without a schema is known: captured of the real connector (package connector, testdata).
func (c *Column) plain() bool {
	switch {
	case c.Array && (c.Type == "date" || c.Type == "timestamptz"), !c.Array && c.Type == "float4":
		return true
	default:
		return c.Sureness() != Guessed
	}
}

var (
	integers   = []string{"int8", "int16", "int32", "int64"}
	floats     = []string{"float", "double", "float32", "float64"}
	dates      = []string{"io.debezium.time.Date", "org.apache.kafka.connect.data.Date"}
	times      = []string{"io.debezium.time.Time", "io.debezium.time.MicroTime", "org.apache.kafka.connect.data.Time"}
	timestamps = []string{"io.debezium.time.Timestamp", "io.debezium.time.MicroTimestamp", "org.apache.kafka.connect.data.Timestamp"}
	exactly    = []string{"org.apache.kafka.connect.data.Decimal", "io.debezium.data.VariableScaleDecimal"}
)

// described reports whether the column's form is known under the type that the schema gives it, and completes the form.
func (c *Column) described(kind connector.Type, f *Form) bool {
	switch c.Type {
	case "bool":
		return kind.Kind == "boolean"
	case "int2", "int4", "int8", "oid":
		return slices.Contains(integers, kind.Kind) && kind.Semantic == ""
	case "float4", "float8":
		return slices.Contains(floats, kind.Kind)
	case "numeric":
		return described(kind, f)
	case "date":
		return slices.Contains(dates, kind.Semantic)
	case "timestamptz":
		return kind.Semantic == "io.debezium.time.ZonedTimestamp"
	}
	if c.Array {
		return kind.Kind == "string" && c.Sureness() == Exact
	}
	switch c.Type {
	case "time":
		return slices.Contains(times, kind.Semantic)
	case "timestamp":
		return slices.Contains(timestamps, kind.Semantic)
	case "bytea":
		return kind.Kind == "bytes" && kind.Semantic == ""
	case "bit", "varbit":
		return kind.Semantic == "io.debezium.data.Bits" || c.Type == "bit" && c.Modifier == 1 && kind.Kind == "boolean"
	}
	return kind.Kind == "string" && c.Sureness() == Exact
}

// described finds out decimal.handling.mode.
func described(kind connector.Type, f *Form) bool {
	switch {
	case slices.Contains(exactly, kind.Semantic):
		f.Decimals = DecimalPrecise
	case slices.Contains(floats, kind.Kind):
		f.Decimals = DecimalDouble
	case kind.Kind == "string" && kind.Semantic == "":
		f.Decimals = DecimalText
	default:
		return false
	}
	return true
}

// contradiction compares with the value that the record has in the column, if any.
func contradiction(c *Column, value any, change *connector.Change) error {
	if _, left := change.After[c.Name].(connector.Unavailable); left || alike(c, change.After[c.Name], value) {
		return nil
	}
	return &UnknownFormError{c.Name, fmt.Sprintf(
		"its record does not write a %s as connector/postgres.yaml has it set, and how cannot be told without a schema (userConfig.pulsar.adminURL)", c.SQL)}
}

// alike reports whether two values may be of one form: not if they are of two types, or one is text that is no number where the other is
// one.
func alike(c *Column, have, value any) bool {
	if have == nil || value == nil || c.Type == "float4" || c.Type == "float8" { // NaN is text, which a number may have been before
		return true
	}
	switch have := have.(type) {
	case []any:
		list, ok := value.([]any)
		for i := range min(len(have), len(list)) {
			ok = ok && alike(c, have[i], list[i])
		}
		return ok
	case string:
		if _, ok := value.(string); !ok || c.Type != "numeric" {
			return ok
		}
		_, number := new(big.Rat).SetString(have)
		return number || slices.Contains([]string{"NAN", "POSITIVE_INFINITY", "NEGATIVE_INFINITY"}, have)
	default:
		return reflect.TypeOf(have) == reflect.TypeOf(value)
	}
}
