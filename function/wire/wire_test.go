package wire

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWire holds the values that package connector decodes of the real connector's records of the same rows (its testdata: defaults for
// the precise decimals and the numbers, string-decimals, schema-envelope for the texts).
func TestWire(t *testing.T) {
	t.Parallel()
	iso, precise := Form{Temporals: TemporalText}, Form{Decimals: DecimalPrecise}
	plainColumn := func(typ string) Column { return Column{Name: "c", Type: typ, Modifier: -1} }
	price := Column{Type: "numeric", Modifier: 10<<16 + 2 + 4}
	for _, tt := range []struct {
		column Column
		text   string
		form   Form
		want   any
	}{
		{plainColumn("bool"), "t", Form{}, true},
		{plainColumn("bool"), "f", Form{}, false},
		{plainColumn("int8"), "-9223372036854775808", Form{}, int64(-9223372036854775808)},
		{plainColumn("float8"), "0.31", Form{}, 0.31},
		{plainColumn("float8"), "1e+21", Form{}, 1e21},
		{plainColumn("float4"), "NaN", Form{}, "NaN"},
		{plainColumn("float8"), "Infinity", Form{}, "Infinity"},
		{plainColumn("float8"), "-Infinity", iso, math.Inf(-1)},
		{plainColumn("bpchar"), "ab   ", Form{}, "ab   "},
		{plainColumn("jsonb"), `{"color": "red", "sizes": [41, 42]}`, Form{}, `{"color": "red", "sizes": [41, 42]}`},
		{plainColumn("bytea"), `\xdeadbeef`, Form{}, "3q2+7w=="},
		{plainColumn("inet"), "10.0.0.1", Form{}, "10.0.0.1"},
		{plainColumn("int4range"), "[1,5)", Form{}, "[1,5)"},
		{plainColumn("date"), "2026-01-02", Form{}, int64(20455)},
		{plainColumn("date"), "2026-01-02", iso, "2026-01-02"},
		{plainColumn("date"), "1969-12-31", Form{}, int64(-1)},
		{plainColumn("date"), "0044-03-15 BC", Form{}, int64(-735160)},
		{plainColumn("date"), "0044-03-15 BC", iso, "-0043-03-15"},
		{plainColumn("date"), "10000-01-01", iso, "+10000-01-01"},
		{plainColumn("date"), "infinity", Form{}, int64(-2147472692)},
		{plainColumn("date"), "-infinity", iso, "-infinity"},
		{plainColumn("timestamp"), "2026-01-02 03:04:05.678901", Form{}, int64(1767323045678901)},
		{plainColumn("timestamp"), "2026-01-02 03:04:05.678901", iso, "2026-01-02T03:04:05.678901"},
		{Column{Type: "timestamp", Modifier: 3}, "2026-01-02 03:04:05.678", Form{}, int64(1767323045678)},
		{plainColumn("timestamp"), "1969-12-31 23:59:59.5", Form{}, int64(-500000)},
		{plainColumn("timestamp"), "infinity", Form{}, int64(9223372036825200000)},
		{plainColumn("timestamptz"), "2026-01-02 01:04:05.678901+00", Form{}, "2026-01-02T01:04:05.678901Z"},
		{plainColumn("timestamptz"), "2026-01-02 01:04:05.6+00", Form{}, "2026-01-02T01:04:05.6Z"},
		{plainColumn("timestamptz"), "2026-01-02 01:04:05.6+00", Form{Padded: true}, "2026-01-02T01:04:05.600000Z"},
		{plainColumn("timestamptz"), "0044-03-15 00:00:00+00 BC", Form{}, "-0043-03-15T00:00:00Z"},
		{plainColumn("timestamptz"), "infinity", Form{}, "infinity"},
		{plainColumn("time"), "03:04:05.678901", Form{}, int64(11045678901)},
		{plainColumn("time"), "24:00:00", iso, "24:00:00"},
		{Column{Type: "time", Modifier: 0}, "03:04:05", Form{}, int64(11045000)},
		{plainColumn("time"), "03:04:05.678901", Form{Precision: PrecisionMillis}, int64(11045678)},
		{plainColumn("time"), "03:04:05.678901", Form{Temporals: TemporalText, Precision: PrecisionMillis}, "03:04:05.678"},
		{Column{Type: "time", Modifier: 3}, "03:04:05.678", Form{Precision: PrecisionMicros}, int64(11045678000)},
		{plainColumn("timestamp"), "2026-01-02 03:04:05.678901", Form{Precision: PrecisionMillis}, int64(1767323045678)},
		{plainColumn("timestamp"), "2026-01-02 03:04:05.670901", Form{Temporals: TemporalText, Precision: PrecisionMillis}, "2026-01-02T03:04:05.67"},
		{Column{Type: "timestamp", Modifier: 3}, "2026-01-02 03:04:05.678", Form{Precision: PrecisionMicros}, int64(1767323045678)},
		{Column{Type: "bit", Modifier: 1}, "1", Form{}, true},
		{price, "-12345678.90", Form{}, "-12345678.90"},
		{price, "90.22", precise, "Iz4="},
		{price, "89.90", precise, "Ix4="},
		{price, "-12345678.90", precise, "tmn9Lg=="},
		{price, "NaN", Form{}, "NAN"},
		{price, "3.50", Form{Decimals: DecimalDouble}, 3.5},
		{price, "3.50", Form{Decimals: DecimalPrecise, Temporals: TemporalText}, "3.50"},
		{plainColumn("numeric"), "12345678901234567890.123456789", precise, map[string]any{"scale": int64(9), "value": "J+QbMka+ybFuOYEV"}},
		{plainColumn("numeric"), "0.000000012", Form{}, "0.000000012"},
		{Column{Type: "text", Array: true}, `{outdoor,"a \"b\", \\c",NULL,"NULL",""}`, Form{}, []any{"outdoor", `a "b", \c`, nil, "NULL", ""}},
		{Column{Type: "int4", Array: true}, `{1,2,3}`, Form{}, []any{int64(1), int64(2), int64(3)}},
		{Column{Type: "int4", Array: true}, `{}`, Form{}, []any{}},
		{Column{Type: "int4", Array: true}, `{{1,2},{3,4}}`, Form{}, `{{1,2},{3,4}}`},
		{Column{Type: "numeric", Array: true, Modifier: -1}, `{1.50,2}`, Form{}, []any{"1.50", "2"}},
	} {
		got, err := Convert(&tt.column, Value{Text: tt.text}, tt.form)
		require.NoError(t, err, tt.text)
		require.Equal(t, tt.want, got, "%s %s %+v", tt.column.Type, tt.text, tt.form)
	}
	null, err := Convert(&price, Value{Null: true}, Form{})
	require.NoError(t, err)
	require.Nil(t, null)
}

func TestWireNamesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ typ, text string }{
		{"int8", "x"}, {"float8", "x"}, {"bytea", `\xzz`}, {"date", "soon"}, {"timestamp", "2026-01-02 03:04"}, {"time", "3"}, {"date", "a-b-c"},
	} {
		_, err := Convert(&Column{Name: "col", Type: c.typ, Modifier: -1}, Value{Text: c.text}, Form{})
		require.ErrorContains(t, err, `column "col" of type `+c.typ)
	}
	_, err := Convert(&Column{Name: "col", Type: "numeric", Modifier: -1}, Value{Text: "x"}, Form{Decimals: DecimalPrecise})
	require.ErrorContains(t, err, `column "col"`)
}

// TestFormsAreThoseThatMatter to the columns, each once, and begin with the likeliest.
func TestFormsAreThoseThatMatter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		types []string
		want  int
	}{
		{nil, 1},
		{[]string{"int8", "text"}, 1},
		{[]string{"float8"}, 2},
		{[]string{"date"}, 2},
		{[]string{"timestamptz"}, 2},
		{[]string{"numeric"}, 6},
		{[]string{"time"}, 6},
		{[]string{"timestamp", "timestamptz", "numeric"}, 36},
	} {
		var columns []Column
		for _, name := range c.types {
			columns = append(columns, Column{Type: name, Modifier: -1})
		}
		for _, schemas := range []bool{false, true} {
			all := Forms(columns, schemas)
			require.Len(t, all, c.want, c.types)
			want := Form{}
			if schemas {
				want.Temporals = TemporalText
			}
			require.Equal(t, want, all[0])
			seen := map[Form]bool{}
			for _, f := range all {
				require.False(t, seen[f])
				seen[f] = true
			}
		}
	}
}

func TestTwosComplementIsShortest(t *testing.T) {
	t.Parallel()
	c := Column{Type: "numeric", Modifier: 10<<16 + 4}
	for text, want := range map[string]string{"0": "AA==", "127": "fw==", "128": "AIA=", "-1": "/w==", "-128": "gA==", "-129": "/38=", "256": "AQA=", "-256": "/wA="} {
		got, err := decimal(&c, text, Form{Decimals: DecimalPrecise})
		require.NoError(t, err)
		require.Equal(t, want, got, text)
	}
}

func FuzzElements(f *testing.F) {
	for _, seed := range []string{`{a,b}`, `{"a\"b",NULL}`, `{}`, `{{1}}`, `[0:1]={1,2}`, `{"`, `{a,}`, `{"\`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, ok := elements(text)
		if !ok {
			require.Nil(t, list)
		}
	})
}
