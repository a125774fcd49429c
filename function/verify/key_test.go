package verify

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/function/wire"
)

// TestAnIDLeadsBackToItsKey makes ids of rows as the function does, and keys of the ids.
func TestAnIDLeadsBackToItsKey(t *testing.T) {
	t.Parallel()
	iso, precise := wire.Form{Temporals: wire.TemporalText}, wire.Form{Decimals: wire.DecimalPrecise, Temporals: wire.TemporalText}
	for _, tt := range []struct {
		typ, text string
		form      wire.Form
	}{
		{"int8", "-5", wire.Form{}},
		{"text", "a/b c#ü%", wire.Form{}},
		{"text", "", wire.Form{}},
		{"bool", "true", wire.Form{}},
		{"uuid", "7d5b9a7e-7a5f-4d5e-9b60-3a4f0c3f7a11", wire.Form{}},
		{"numeric", "1.50", wire.Form{}},
		{"numeric", "1.50", precise},
		{"bytea", `\xdeadbeef`, wire.Form{}},
		{"date", "2026-01-02", wire.Form{}},
		{"date", "2026-01-02", iso},
		{"date", "0044-03-15 BC", wire.Form{}},
		{"date", "0044-03-15 BC", iso},
		{"date", "0001-12-31 BC", iso},
		{"date", "10000-01-01", iso},
		{"date", "infinity", wire.Form{}},
		{"date", "-infinity", wire.Form{}},
		{"timestamp", "2026-01-02T03:04:05.678901", iso},
		{"timestamp", "2026-01-02T03:04:05.6", wire.Form{}},
		{"timestamp", "-infinity", wire.Form{}},
		{"timestamptz", "2026-01-02T03:04:05.6Z", wire.Form{}},
		{"timestamptz", "0044-03-15T00:00:00Z BC", wire.Form{}},
	} {
		column := Column{Name: "k", Type: tt.typ, Modifier: -1}
		printed := tt.text
		switch tt.typ {
		case "bool":
			printed = "t"
		case "timestamp":
			printed = replaceT(tt.text)
		case "timestamptz":
			printed = replaceT(tt.text)
			printed = replaceZ(printed)
		}
		table := &Table{Name: connector.Table{Schema: "app", Name: "a.b"}, Columns: []Column{column, column}, Key: []int{0, 1}, Primary: true}
		table.Columns[1].Name = "l"
		change, err := table.change(Row{{Text: printed}, {Null: true}}, tt.form)
		require.NoError(t, err)
		builder, err := document.NewBuilder(document.Spec{Table: "app.a.b", Text: "{{.k}}", PrefixIDs: true})
		require.NoError(t, err)
		id, err := builder.ID(change)
		require.NoError(t, err)
		require.False(t, document.IsHashed(id))

		require.True(t, column.Invertible(tt.form), tt.typ)
		c := &comparison{table: table, form: tt.form, ids: document.NewIDs("app.a.b", true)}
		require.Equal(t, Key{{Text: tt.text}, {Null: true}}, c.parse(id, ""), id)
	}
}

func replaceT(s string) string {
	for i := range s {
		if s[i] == 'T' {
			return s[:i] + " " + s[i+1:]
		}
	}
	return s
}

func replaceZ(s string) string {
	for i := range s {
		if s[i] == 'Z' {
			return s[:i] + "+00" + s[i+1:]
		}
	}
	return s
}

func TestTextsThatNoKeyHas(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ typ, text string }{{"int2", "40000"}, {"int8", "abc"}, {"bytea", "%"}, {"date", "x"}, {"text", "a\x00b"}} {
		comp := &comparison{table: &Table{Columns: []Column{{Type: c.typ, Modifier: -1}}, Key: []int{0}}}
		require.Nil(t, comp.parse(document.NewIDs("", false).Row(c.text), ""), c)
	}
	require.False(t, (&Column{Type: "float8"}).Invertible(wire.Form{}))
	require.False(t, (&Column{Type: "numeric"}).Invertible(wire.Form{Decimals: wire.DecimalPrecise}))
	require.False(t, (&Column{Type: "text", Array: true}).Invertible(wire.Form{}))
	require.False(t, (&Column{Type: "timestamp", Modifier: 6}).Invertible(wire.Form{Precision: wire.PrecisionMillis}))
	require.True(t, (&Column{Type: "timestamp", Modifier: 3}).Invertible(wire.Form{Precision: wire.PrecisionMillis}))
}
