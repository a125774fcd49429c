package verify

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWire holds the values that package connector decodes of the real connector's records of the same rows (its testdata: defaults for
// the precise decimals and the numbers, string-decimals, schema-envelope for the texts).
func TestWire(t *testing.T) {
	t.Parallel()
	iso, precise := form{temporals: temporalText}, form{decimals: decimalPrecise}
	plainColumn := func(typ string) Column { return Column{Name: "c", Type: typ, Modifier: -1} }
	price := Column{Type: "numeric", Modifier: 10<<16 + 2 + 4}
	for _, tt := range []struct {
		column Column
		text   string
		form   form
		want   any
	}{
		{plainColumn("bool"), "t", form{}, true},
		{plainColumn("bool"), "f", form{}, false},
		{plainColumn("int8"), "-9223372036854775808", form{}, int64(-9223372036854775808)},
		{plainColumn("float8"), "0.31", form{}, 0.31},
		{plainColumn("float8"), "1e+21", form{}, 1e21},
		{plainColumn("float4"), "NaN", form{}, "NaN"},
		{plainColumn("float8"), "Infinity", form{}, "Infinity"},
		{plainColumn("float8"), "-Infinity", iso, math.Inf(-1)},
		{plainColumn("bpchar"), "ab   ", form{}, "ab   "},
		{plainColumn("jsonb"), `{"color": "red", "sizes": [41, 42]}`, form{}, `{"color": "red", "sizes": [41, 42]}`},
		{plainColumn("bytea"), `\xdeadbeef`, form{}, "3q2+7w=="},
		{plainColumn("inet"), "10.0.0.1", form{}, "10.0.0.1"},
		{plainColumn("int4range"), "[1,5)", form{}, "[1,5)"},
		{plainColumn("date"), "2026-01-02", form{}, int64(20455)},
		{plainColumn("date"), "2026-01-02", iso, "2026-01-02"},
		{plainColumn("date"), "1969-12-31", form{}, int64(-1)},
		{plainColumn("date"), "0044-03-15 BC", form{}, int64(-735160)},
		{plainColumn("date"), "0044-03-15 BC", iso, "-0043-03-15"},
		{plainColumn("date"), "10000-01-01", iso, "+10000-01-01"},
		{plainColumn("date"), "infinity", form{}, int64(-2147472692)},
		{plainColumn("date"), "-infinity", iso, "-infinity"},
		{plainColumn("timestamp"), "2026-01-02 03:04:05.678901", form{}, int64(1767323045678901)},
		{plainColumn("timestamp"), "2026-01-02 03:04:05.678901", iso, "2026-01-02T03:04:05.678901"},
		{Column{Type: "timestamp", Modifier: 3}, "2026-01-02 03:04:05.678", form{}, int64(1767323045678)},
		{plainColumn("timestamp"), "1969-12-31 23:59:59.5", form{}, int64(-500000)},
		{plainColumn("timestamp"), "infinity", form{}, int64(9223372036825200000)},
		{plainColumn("timestamptz"), "2026-01-02 01:04:05.678901+00", form{}, "2026-01-02T01:04:05.678901Z"},
		{plainColumn("timestamptz"), "2026-01-02 01:04:05.6+00", form{}, "2026-01-02T01:04:05.6Z"},
		{plainColumn("timestamptz"), "2026-01-02 01:04:05.6+00", form{padded: true}, "2026-01-02T01:04:05.600000Z"},
		{plainColumn("timestamptz"), "0044-03-15 00:00:00+00 BC", form{}, "-0043-03-15T00:00:00Z"},
		{plainColumn("timestamptz"), "infinity", form{}, "infinity"},
		{plainColumn("time"), "03:04:05.678901", form{}, int64(11045678901)},
		{plainColumn("time"), "24:00:00", iso, "24:00:00"},
		{Column{Type: "time", Modifier: 0}, "03:04:05", form{}, int64(11045000)},
		{Column{Type: "bit", Modifier: 1}, "1", form{}, true},
		{price, "-12345678.90", form{}, "-12345678.90"},
		{price, "90.22", precise, "Iz4="},
		{price, "89.90", precise, "Ix4="},
		{price, "-12345678.90", precise, "tmn9Lg=="},
		{price, "NaN", form{}, "NAN"},
		{price, "3.50", form{decimals: decimalDouble}, 3.5},
		{price, "3.50", form{decimals: decimalPrecise, temporals: temporalText}, "3.50"},
		{plainColumn("numeric"), "12345678901234567890.123456789", precise, map[string]any{"scale": int64(9), "value": "J+QbMka+ybFuOYEV"}},
		{plainColumn("numeric"), "0.000000012", form{}, "0.000000012"},
		{Column{Type: "text", Array: true}, `{outdoor,"a \"b\", \\c",NULL,"NULL",""}`, form{}, []any{"outdoor", `a "b", \c`, nil, "NULL", ""}},
		{Column{Type: "int4", Array: true}, `{1,2,3}`, form{}, []any{int64(1), int64(2), int64(3)}},
		{Column{Type: "int4", Array: true}, `{}`, form{}, []any{}},
		{Column{Type: "int4", Array: true}, `{{1,2},{3,4}}`, form{}, `{{1,2},{3,4}}`},
		{Column{Type: "numeric", Array: true, Modifier: -1}, `{1.50,2}`, form{}, []any{"1.50", "2"}},
	} {
		got, err := wire(&tt.column, Value{Text: tt.text}, tt.form)
		require.NoError(t, err, tt.text)
		require.Equal(t, tt.want, got, "%s %s %+v", tt.column.Type, tt.text, tt.form)
	}
	null, err := wire(&price, Value{Null: true}, form{})
	require.NoError(t, err)
	require.Nil(t, null)
}

func TestWireNamesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ typ, text string }{
		{"int8", "x"}, {"float8", "x"}, {"bytea", `\xzz`}, {"date", "soon"}, {"timestamp", "2026-01-02 03:04"}, {"time", "3"}, {"date", "a-b-c"},
	} {
		_, err := wire(&Column{Name: "col", Type: c.typ, Modifier: -1}, Value{Text: c.text}, form{})
		require.ErrorContains(t, err, `column "col" of type `+c.typ)
	}
	_, err := wire(&Column{Name: "col", Type: "numeric", Modifier: -1}, Value{Text: "x"}, form{decimals: decimalPrecise})
	require.ErrorContains(t, err, `column "col"`)
}

func TestTwosComplementIsShortest(t *testing.T) {
	t.Parallel()
	c := Column{Type: "numeric", Modifier: 10<<16 + 4}
	for text, want := range map[string]string{"0": "AA==", "127": "fw==", "128": "AIA=", "-1": "/w==", "-128": "gA==", "-129": "/38=", "256": "AQA=", "-256": "/wA="} {
		got, err := decimal(&c, text, form{decimals: decimalPrecise})
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

func TestReadsWhole(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"{{.title}}: {{.body}}": false, "{{ .a.b }} {{$.c}}": false, "{{.}}": true, "{{range $k, $v := .}}{{end}}": true,
		`{{index . "my column"}}`: true, "{{with .attrs}}{{.x}}{{end}}": false, "{{template \"x\" .}}": true, `{{"a. $ b"}}{{.t}}. $`: false,
		"{{$r := .}}{{$r.t}}": true, "{{printf \"%v\" $}}": true, "{{/* . */}}{{.t}}": false,
	} {
		require.Equal(t, want, readsWhole(text), text)
	}
}

func TestSmallDecimalsMayHaveAnExponent(t *testing.T) {
	t.Parallel()
	j := judge{columns: map[string]*Column{"n": {Type: "numeric"}}}
	for text, java := range map[string]string{
		"0.00000001": "1E-8", "0.0000012": "0.0000012", "-0.00000012": "-1.2E-7", "0.00000000": "0E-8", "12": "12",
	} {
		require.True(t, j.same("n", text, java), text)
		require.False(t, j.same("n", text, java+"0"), text)
	}
	require.False(t, j.same("other", "0.00000001", "1E-8"))
}
