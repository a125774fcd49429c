package connector_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

// unreadable is an update with values that do not fit their types in before and after, of a row that has a good column besides.
func unreadable(schema, value, key string) connector.Record {
	row := `{"type":"struct","fields":[{"field":"id","type":"int64"},{"field":"title","type":"string"},{"field":"c",` + schema + `}]`
	return connector.Record{Key: key, Payload: []byte(`{"schema":{"type":"struct","fields":[` + row + `,"field":"before"},` + row + `,"field":"after"}]},` +
		`"payload":{"op":"u","before":{"id":1,"title":"old","c":` + value + `},"after":{"id":1,"title":"new","c":` + value + `},` + source + `}}`)}
}

const badDate = `"type":"int32","name":"io.debezium.time.Date"`

// A value that nobody asks for is no reason to lose a row.
func TestAnUnreadableValueMattersWhereItIsNeeded(t *testing.T) {
	t.Parallel()
	r := unreadable(badDate, `"x"`, `{"id":1}`)
	_, err := connector.Decode(r)
	require.Equal(t, connector.ReasonBadValue, poison(t, err).Reason(), "without settings everything is needed")

	var asked connector.Table
	needing := func(needed string) func(connector.Table) func(string) bool {
		return func(t connector.Table) func(string) bool {
			asked = t
			return func(name string) bool { return name == needed }
		}
	}
	r.Needs = needing("title")
	c, err := connector.Decode(r)
	require.NoError(t, err)
	require.Equal(t, connector.Row{"id": int64(1), "title": "new"}, c.After)
	require.Equal(t, connector.Row{"id": int64(1), "title": "old"}, c.Before)
	require.Equal(t, c.Table, asked)

	r.Needs = needing("c")
	_, err = connector.Decode(r)
	require.ErrorContains(t, err, `in column "c"`)

	r = unreadable(badDate, `"x"`, `{"id":1,"c":"x"}`)
	r.Needs = needing("title")
	_, err = connector.Decode(r)
	require.ErrorContains(t, err, `in column "c"`, "a key is always needed")
}

// A schema that says too little concerns every record.
func TestADecimalWithoutScaleHalts(t *testing.T) {
	t.Parallel()
	for _, schema := range []string{
		semantic("bytes", "org.apache.kafka.connect.data.Decimal"),
		semantic("bytes", "org.apache.kafka.connect.data.Decimal") + `,"parameters":{"scale":"x"}`,
	} {
		r := unreadable(schema, `"AQ=="`, `{"id":1}`)
		_, err := connector.Decode(r)
		var halt *connector.SchemaError
		require.ErrorAs(t, err, &halt)
		require.Equal(t, "halt", halt.Class())
		require.Equal(t, connector.ReasonBadSchema, halt.Reason())
		require.ErrorContains(t, err, `column "c"`)
		require.ErrorContains(t, err, "decimal.handling.mode")
		var poisoned *connector.MalformedError
		require.False(t, errors.As(err, &poisoned))

		r.Needs = func(connector.Table) func(string) bool { return func(string) bool { return false } }
		_, err = connector.Decode(r)
		require.NoError(t, err)
	}
}

// Under REPLICA IDENTITY USING INDEX the before image holds defaults where it knows nothing: they are not the value that was left out.
func TestADefaultIsNotTheStoredValue(t *testing.T) {
	t.Parallel()
	const preset = "a default of more than twenty bytes"
	row := `{"type":"struct","fields":[{"field":"id","type":"int64"},{"field":"body","type":"string","default":"` + preset + `"}]`
	decode := func(before string) any {
		c, err := connector.Decode(connector.Record{Key: `{"id":1}`, Payload: []byte(`{"schema":{"type":"struct","fields":[` + row + `,"field":"before"},` +
			row + `,"field":"after"}]},"payload":{"op":"u","before":{"id":1,"body":"` + before + `"},"after":{"id":1,"body":"__debezium_unavailable_value"},` + source + `}}`)})
		require.NoError(t, err)
		return c.After["body"]
	}
	require.Equal(t, connector.Unavailable{}, decode(preset))
	require.Equal(t, "another text of more than twenty bytes", decode("another text of more than twenty bytes"))
}
