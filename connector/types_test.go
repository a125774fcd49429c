package connector_test

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

// typeColumns are the columns of the captured table app.types by their types.
var typeColumns = map[string]string{
	"bigint": "id", "integer": "k", "smallint": "n", "oid": "o", "boolean": "active", "bit(1)": "b1", "real": "r", "double precision": "w",
	"numeric(10,2)": "price", "numeric": "big", "money": "mon", "text": "title", "varchar(10)": "vc", "char(5)": "ch", "citext": "ct", "uuid": "u",
	"enum": "mood", "json": "attrs", "jsonb": "attrsb", "hstore": "h", "xml": "x", "ltree": "lt", "inet": "ip", "cidr": "ci", "macaddr": "mac",
	"int4range": "rng", "numrange": "nrng", "date": "d", "time": "t", "timetz": "tt", "timestamp": "ts", "timestamp(3)": "ts3",
	"timestamptz": "created_at", "interval": "iv", "bytea": "blob", "bit(3)": "b3", "bit varying": "bv", "point": "pt", "text[]": "tags",
	"integer[]": "nums", "numeric(6,2)[]": "prices", "date[]": "days", "timestamptz[]": "stamps", "uuid[]": "uus",
}

// TestTheTableOfTypesIsTrue compares every example of TYPES.md with what is decoded.
func TestTheTableOfTypesIsTrue(t *testing.T) {
	t.Parallel()
	record := capture(t, moreTypes)[2]
	without, err := connector.Decode(record)
	require.NoError(t, err)
	record.Schema = registered(t, record.Topic)
	with, err := connector.Decode(record)
	require.NoError(t, err)

	doc, err := os.ReadFile("TYPES.md")
	require.NoError(t, err)
	lines := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| `(.+)` \\| `(.+)` \\|$").FindAllStringSubmatch(string(doc), -1)
	seen := map[string]bool{}
	for _, line := range lines {
		column, ok := typeColumns[line[1]]
		if !ok {
			continue // the table of settings
		}
		require.False(t, seen[column], line[1])
		seen[column] = true
		require.Equal(t, line[2], jsonOf(t, without.After[column]), "%s without a schema", line[1])
		require.Equal(t, line[3], jsonOf(t, with.After[column]), "%s with its schema", line[1])
	}
	require.Len(t, seen, len(typeColumns), "every type has its line")
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	require.NoError(t, encoder.Encode(v))
	return string(bytes.TrimSpace(text.Bytes()))
}
