package connector_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

// decodeTyped decodes an update whose column c has the given JSON value and JSON schema members ("" for no schema).
func decodeTyped(schema, value string) (*connector.Change, error) {
	event := `{"op":"u","after":{"id":1,"c":` + value + `},` + source + `}`
	if schema == "" {
		return decode(`{"id":1}`, event)
	}
	after := `{"type":"struct","field":"after","fields":[{"type":"int64","field":"id"},{"field":"c",` + schema + `}]}`
	return decode(`{"id":1}`, `{"schema":{"type":"struct","fields":[`+after+`]},"payload":`+event+`}`)
}

// typed returns the column's decoded value.
func typed(t *testing.T, schema, value string) any {
	t.Helper()
	c, err := decodeTyped(schema, value)
	require.NoError(t, err)
	return c.After["c"]
}

func semantic(kind, name string) string { return `"type":"` + kind + `","name":"` + name + `"` }

// The values are those of the captures where they have the type.
func TestSemanticTypes(t *testing.T) {
	t.Parallel()
	decimal := `"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"2","connect.decimal.precision":"10"}`
	bits := func(length string) string {
		return `"type":"bytes","name":"io.debezium.data.Bits","parameters":{"length":"` + length + `"}`
	}
	for name, c := range map[string]struct {
		schema, value string
		want          any
	}{
		"Decimal":                    {decimal, `"Ix4="`, "89.90"},
		"Decimal, negative":          {decimal, `"tmn9Lg=="`, "-12345678.90"},
		"Decimal, money":             {decimal, `"BNI="`, "12.34"},
		"Decimal as a number":        {decimal, `89.90`, "89.90"},
		"Decimal, null":              {decimal, `null`, nil},
		"Decimal as text":            {`"type":"string"`, `"-12345678.90"`, "-12345678.90"},
		"VariableScaleDecimal":       {semantic("struct", "io.debezium.data.VariableScaleDecimal"), `{"scale":9,"value":"J+QbMka+ybFuOYEV"}`, "12345678901234567890.123456789"},
		"Date":                       {semantic("int32", "io.debezium.time.Date"), `20455`, "2026-01-02"},
		"Date of Connect":            {semantic("int32", "org.apache.kafka.connect.data.Date"), `-1`, "1969-12-31"},
		"Date, infinity":             {semantic("int32", "io.debezium.time.Date"), `-2147472692`, "infinity"},
		"Date, infinity, snapshot":   {semantic("int32", "io.debezium.time.Date"), `-622191234`, "infinity"},
		"Date, -infinity, snapshot":  {semantic("int32", "org.apache.kafka.connect.data.Date"), `-625821272`, "-infinity"},
		"Date, BC":                   {semantic("int32", "io.debezium.time.Date"), `-735160`, "-0043-03-15"},
		"Time":                       {semantic("int32", "io.debezium.time.Time"), `11045678`, "03:04:05.678"},
		"Time of Connect":            {semantic("int32", "org.apache.kafka.connect.data.Time"), `11045678`, "03:04:05.678"},
		"MicroTime":                  {semantic("int64", "io.debezium.time.MicroTime"), `11045678901`, "03:04:05.678901"},
		"NanoTime":                   {semantic("int64", "io.debezium.time.NanoTime"), `11045678901234`, "03:04:05.678901234"},
		"Timestamp":                  {semantic("int64", "io.debezium.time.Timestamp"), `1767323045678`, "2026-01-02T03:04:05.678"},
		"Timestamp of Connect":       {semantic("int64", "org.apache.kafka.connect.data.Timestamp"), `1767323045000`, "2026-01-02T03:04:05"},
		"Timestamp, infinity":        {semantic("int64", "io.debezium.time.Timestamp"), `9223372036825200`, "infinity"},
		"Timestamp, -infinity":       {semantic("int64", "org.apache.kafka.connect.data.Timestamp"), `-9223372036832400`, "-infinity"},
		"MicroTimestamp":             {semantic("int64", "io.debezium.time.MicroTimestamp"), `1767323045678901`, "2026-01-02T03:04:05.678901"},
		"MicroTimestamp, infinity":   {semantic("int64", "io.debezium.time.MicroTimestamp"), `9223372036825200000`, "infinity"},
		"NanoTimestamp":              {semantic("int64", "io.debezium.time.NanoTimestamp"), `1767323045678901234`, "2026-01-02T03:04:05.678901234"},
		"ZonedTimestamp":             {semantic("string", "io.debezium.time.ZonedTimestamp"), `"2026-01-02T01:04:05.678901Z"`, "2026-01-02T01:04:05.678901Z"},
		"ZonedTimestamp, zeros":      {semantic("string", "io.debezium.time.ZonedTimestamp"), `"2026-01-02T01:04:00.000000Z"`, "2026-01-02T01:04:00Z"},
		"ZonedTimestamp, some zeros": {semantic("string", "io.debezium.time.ZonedTimestamp"), `"2026-01-02T01:04:05.670Z"`, "2026-01-02T01:04:05.67Z"},
		"ZonedTimestamp of no text":  {semantic("string", "io.debezium.time.ZonedTimestamp"), `7`, int64(7)},
		"ZonedTimestamp, infinity":   {semantic("string", "io.debezium.time.ZonedTimestamp"), `"infinity"`, "infinity"},
		"ZonedTimestamp, BC":         {semantic("string", "io.debezium.time.ZonedTimestamp"), `"-0043-03-15T00:00:00Z"`, "-0043-03-15T00:00:00Z"},
		"ZonedTime":                  {semantic("string", "io.debezium.time.ZonedTime"), `"03:04:05Z"`, "03:04:05Z"},
		"MicroDuration":              {semantic("int64", "io.debezium.time.MicroDuration"), `93600000000`, "PT26H"},
		"NanoDuration":               {semantic("int64", "io.debezium.time.NanoDuration"), `-5400000000001`, "-PT1H30M0.000000001S"},
		"Interval":                   {semantic("string", "io.debezium.time.Interval"), `"P0Y0M1DT2H0M0S"`, "P0Y0M1DT2H0M0S"},
		"Year":                       {semantic("int32", "io.debezium.time.Year"), `2026`, int64(2026)},
		"Json":                       {semantic("string", "io.debezium.data.Json"), `"{\"a\": 1.0}"`, `{"a": 1.0}`},
		"Xml":                        {semantic("string", "io.debezium.data.Xml"), `"<a/>"`, "<a/>"},
		"Uuid":                       {semantic("string", "io.debezium.data.Uuid"), `"7d5b9a7e-7a5f-4d5e-9b60-3a4f0c3f7a11"`, "7d5b9a7e-7a5f-4d5e-9b60-3a4f0c3f7a11"},
		"Enum":                       {semantic("string", "io.debezium.data.Enum"), `"happy"`, "happy"},
		"Bits":                       {bits("3"), `"BQ=="`, "101"},
		"Bits, leading zeros":        {bits("12"), `"BQA="`, "000000000101"},
		"Bits, little-endian":        {bits("16"), `"AYA="`, "1000000000000001"},
		"Bits of no declared length": {bits("2147483647"), `"BQAAAA=="`, "101"},
		"Bits, all zero":             {bits("2147483647"), `"AAA="`, "0"},
		"Bits, empty":                {bits("2147483647"), `""`, ""},
		"Point":                      {semantic("struct", "io.debezium.data.geometry.Point"), `{"x":1.0,"y":-2.5,"wkb":"AQ==","srid":null}`, "POINT(1 -2.5)"},
		"Point with SRID":            {semantic("struct", "io.debezium.data.geometry.Point"), `{"x":1e21,"y":"NaN","srid":4326}`, "SRID=4326;POINT(1e+21 NaN)"},
		"Geometry":                   {semantic("struct", "io.debezium.data.geometry.Geometry"), `{"wkb":"AQEAAAAAAAAAAADwPwAAAAAAAABA","srid":null}`, "0101000000000000000000F03F0000000000000040"},
		"Geography":                  {semantic("struct", "io.debezium.data.geometry.Geography"), `{"wkb":"AP8="}`, "00FF"},
		"bytes":                      {`"type":"bytes"`, `"3q2+7w=="`, "3q2+7w=="},
		"float without fraction":     {`"type":"double"`, `2`, 2.0},
		"float32":                    {`"type":"float"`, `0.1`, 0.1},
		"infinite":                   {`"type":"double"`, `"-Infinity"`, math.Inf(-1)},
		"infinite, too":              {`"type":"float"`, `"Infinity"`, math.Inf(1)},
		"text among numbers":         {`"type":"double"`, `"x"`, "x"},
		"text like a number":         {`"type":"string"`, `"NaN"`, "NaN"},
		"int64":                      {`"type":"int64"`, `9223372036854775807`, int64(9223372036854775807)},
		"boolean":                    {`"type":"boolean"`, `true`, true},
		"array of dates": {
			`"type":"array","items":{` + semantic("int32", "io.debezium.time.Date") + `}`, `[0,null,20455]`, []any{"1970-01-01", nil, "2026-01-02"},
		},
		"array of arrays of floats": {
			`"type":"array","items":{"type":"array","items":{"type":"double"}}`, `[[1],[2.5,"Infinity"]]`, []any{[]any{1.0}, []any{2.5, math.Inf(1)}},
		},
		"map of floats": {
			`"type":"map","keys":{"type":"string"},"values":{"type":"double"}`, `{"a":1,"b":null}`, map[string]any{"a": 1.0, "b": nil},
		},
		"struct": {
			`"type":"struct","fields":[{"field":"d",` + semantic("int32", "io.debezium.time.Date") + `}]`, `{"d":0,"e":1}`, map[string]any{"d": "1970-01-01", "e": int64(1)},
		},
		"semantic type not known":      {semantic("int32", "com.example.Celsius"), `20`, int64(20)},
		"value of another kind":        {`"type":"array","items":{"type":"double"}`, `"[1,2]"`, "[1,2]"},
		"no schema, day number":        {"", `20455`, int64(20455)},
		"no schema, decimal":           {"", `"Ix4="`, "Ix4="},
		"no schema, variable decimal":  {"", `{"scale":9,"value":"AQ=="}`, map[string]any{"scale": int64(9), "value": "AQ=="}},
		"no schema, floating infinity": {"", `"Infinity"`, "Infinity"},
		"no schema, not a number":      {"", `"NaN"`, "NaN"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, typed(t, c.schema, c.value))
		})
	}
}

// NaN is not equal to itself, so it has a test of its own.
func TestNotANumber(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"float", "double", "float32", "float64"} {
		v, ok := typed(t, `"type":"`+kind+`"`, `"NaN"`).(float64)
		require.True(t, ok && math.IsNaN(v), kind)
	}
	list, ok := typed(t, `"type":"array","items":{"type":"double"}`, `["NaN",1]`).([]any)
	require.True(t, ok)
	first, ok := list[0].(float64)
	require.True(t, ok && math.IsNaN(first))
	require.Equal(t, 1.0, list[1])
}

func TestValuesThatDoNotFitTheirType(t *testing.T) {
	t.Parallel()
	decimal := func(scale string) string {
		return `"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"` + scale + `"}`
	}
	variable := semantic("struct", "io.debezium.data.VariableScaleDecimal")
	date := semantic("int32", "io.debezium.time.Date")
	for name, c := range map[string]struct{ schema, value, says string }{
		"Decimal not text":          {decimal("2"), `true`, "base64 text for Decimal"},
		"Decimal not base64":        {decimal("2"), `"%"`, "base64 text for Decimal"},
		"Decimal scale too large":   {decimal("16384"), `"AQ=="`, "a numeric that Postgres can hold"},
		"Decimal scale too small":   {decimal("-1001"), `"AQ=="`, "a numeric that Postgres can hold"},
		"Decimal number too large":  {decimal("0"), `1e1001`, "a number that Postgres can hold"},
		"Decimal number too small":  {decimal("0"), `1e-99999`, "a number that Postgres can hold"},
		"VariableScaleDecimal text": {variable, `"1.5"`, "an object with scale and value"},
		"VariableScaleDecimal without value": {
			variable, `{"scale":1}`, "base64 text for Decimal",
		},
		"date as text":       {date, `"2026-01-02"`, "an integer for Date"},
		"date of half a day": {date, `0.5`, "an integer for Date"},
		"date beyond int32":  {date, `2147483648`, "days within 32 bits"},
		"time below zero":    {semantic("int64", "io.debezium.time.MicroTime"), `-1`, "between 0 and 24 hours"},
		"time beyond a day":  {semantic("int32", "io.debezium.time.Time"), `86400001`, "between 0 and 24 hours"},
		"timestamp as text":  {semantic("int64", "io.debezium.time.Timestamp"), `"x"`, "an integer for Timestamp"},
		"bits as a number":   {semantic("bytes", "io.debezium.data.Bits"), `5`, "base64 text for Bits"},
		"bits not base64":    {semantic("bytes", "io.debezium.data.Bits"), `"*"`, "base64 text for Bits"},
		"point without y":    {semantic("struct", "io.debezium.data.geometry.Point"), `{"x":1}`, "numbers x and y"},
		"point of text":      {semantic("struct", "io.debezium.data.geometry.Point"), `{"x":"1","y":2}`, "numbers x and y"},
		"geometry of text":   {semantic("struct", "io.debezium.data.geometry.Geometry"), `"POINT(1 2)"`, "base64 text for Geometry"},
		"float beyond range": {`"type":"double"`, `1e999`, "within float64"},
		"inside an array":    {`"type":"array","items":{` + date + `}`, `["x"]`, "an integer for Date"},
		"inside a map":       {`"type":"map","values":{` + date + `}`, `{"k":"x"}`, "an integer for Date"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := decodeTyped(c.schema, c.value)
			require.Equal(t, connector.ReasonBadValue, poison(t, err).Reason())
			require.ErrorContains(t, err, c.says)
			require.ErrorContains(t, err, `in column "c"`)
		})
	}
}

// A schema that does not say what it should is no reason to lose a row whose values need none of it.
func TestOddSchemas(t *testing.T) {
	t.Parallel()
	for _, schema := range []string{
		`"type":7,"name":null`, `"type":"struct","fields":"x"`, `"type":"struct","fields":[null,{"field":3}]`, `"type":"array","items":"string"`,
		`"type":"string","parameters":[1]`,
	} {
		require.Equal(t, "v", typed(t, schema, `"v"`), schema)
	}
}

// A key's own schema converts it like the row; a key without one is converted as the row is.
func TestKeyIsConverted(t *testing.T) {
	t.Parallel()
	day := `{"type":"int32","name":"io.debezium.time.Date","field":"day"}`
	keySchema := `{"type":"struct","fields":[` + day + `]}`
	valueSchema := `{"type":"struct","fields":[{"type":"struct","field":"after","fields":[` + day + `]}]}`
	event := `{"op":"c","after":{"day":20455},` + source + `}`
	for _, key := range []string{`{"day":20455}`, `{"schema":` + keySchema + `,"payload":{"day":20455}}`} {
		c, err := decode(key, `{"schema":`+valueSchema+`,"payload":`+event+`}`)
		require.NoError(t, err)
		require.Equal(t, columns("day", "2026-01-02"), c.Key)
		require.Equal(t, connector.Row{"day": "2026-01-02"}, c.After)
	}
	_, err := decode(`{"schema":`+keySchema+`,"payload":{"day":"x"}}`, `{"op":"d","before":null,`+source+`}`)
	require.Equal(t, connector.ReasonBadValue, poison(t, err).Reason())
}

// A key of two columns with an envelope's names is a key.
func TestKeyColumnsNamedLikeAnEnvelope(t *testing.T) {
	t.Parallel()
	c, err := decode(`{"schema":"app","payload":7}`, `{"op":"d","before":{"payload":7,"schema":"app"},`+source+`}`)
	require.NoError(t, err)
	require.Equal(t, columns("schema", "app", "payload", int64(7)), c.Key)
}
