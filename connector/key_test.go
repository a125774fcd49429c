package connector_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

// A source that leaves the key's column out of the row (column.exclude.list) still sends it as the key.
func TestKeyColumnThatTheRowLacks(t *testing.T) {
	t.Parallel()
	for name, event := range map[string]string{
		"insert": `{"op":"c","after":{"title":"x"},` + source + `}`,
		"update": `{"op":"u","before":{"title":"w"},"after":{"title":"x"},` + source + `}`,
		"delete": `{"op":"d","before":{"title":"x"},` + source + `}`,
	} {
		c, err := decode(`{"id":1}`, event)
		require.NoError(t, err, name)
		require.Equal(t, columns("id", int64(1)), c.Key, name)
		require.NotContains(t, c.After, "id", "the row is what the source sends")
	}
	_, err := decode(`{"id":1,"nr":2}`, `{"op":"c","after":{"nr":3},`+source+`}`)
	require.Equal(t, connector.ReasonKeyMismatch, poison(t, err).Reason(), "a contradiction is one whatever else is left out")
}

// A key of over 2 kB may be stored out of line, and an update then sends only a mark for it. The key itself has it.
func TestKeyColumnLeftOutAsUnchanged(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("k", 2500)
	key := `{"id":"` + long + `","day":0}`
	day := `{"field":"day","type":"int32","name":"io.debezium.time.Date"}`
	schema := `{"fields":[{"field":"after","fields":[` + day + `]},{"field":"before","fields":[` + day + `]}]}`
	c, err := decode(key, `{"schema":`+schema+`,"payload":{"op":"u","before":null,"after":{"id":`+placeholder+`,"day":`+placeholder+`},`+source+`}}`)
	require.NoError(t, err)
	require.Equal(t, columns("id", long, "day", "1970-01-01"), c.Key)
	require.Equal(t, connector.Row{"id": long, "day": "1970-01-01"}, c.After)

	c, err = decode(key, `{"op":"d","before":{"id":`+placeholder+`,"day":0},`+source+`}`)
	require.NoError(t, err)
	require.Equal(t, connector.Row{"id": long, "day": int64(0)}, c.Before)
	require.Nil(t, c.After)
}
