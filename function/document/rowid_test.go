package document_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// FuzzRowNames: the name of a row leads back to its id and its key, whatever the key, alone or among tables that share a collection.
func FuzzRowNames(f *testing.F) {
	f.Add("app", "articles", "42", "", "", uint8(0), uint8(7), true)
	f.Add("app", "my.table", "de", "Köln/Süd", "%null", uint8(2), uint8(5), true)
	f.Add("a", "b", "", "h:", "#1", uint8(2), uint8(7), false)
	f.Add("a", "b", strings.Repeat("long ", 40), "x", "", uint8(1), uint8(7), true)
	f.Add("a", "b", strings.Repeat("long ", 40), "x", "", uint8(1), uint8(7), false)
	f.Fuzz(func(t *testing.T, schema, table, a, b, c string, columns, present uint8, shared bool) {
		if schema == "" || strings.Contains(schema, ".") {
			return // the settings take no such schema
		}
		spec := articleSpec("{{.title}}")
		spec.PrefixIDs = shared
		change := keyed(keyOf(a, b, c, columns, present)...)
		change.Table = connector.Table{Schema: schema, Name: table}
		change.After["title"] = "x"
		doc, err := newBuilder(t, spec).Build(change)
		require.NoError(t, err)
		record := doc.Records(connector.Version{}, nil)[0]
		full, _ := record.Metadata[document.KeyFullKey].(string)

		ids := document.NewIDs(schema+"."+table, shared)
		require.True(t, ids.Owns(doc.ID, full))
		name := ids.Name(doc.ID, full)
		require.Equal(t, doc.ID, ids.Row(name))
		values := document.KeyValues(name)
		require.Len(t, values, len(change.Key))
		for i, column := range change.Key {
			if column.Value == nil {
				require.Nil(t, values[i])
				continue
			}
			require.NotNil(t, values[i])
			require.Equal(t, column.Value, *values[i])
		}
		texts, ok := ids.Key(doc.ID, full, len(change.Key))
		require.True(t, ok)
		require.Equal(t, values, texts)
		_, ok = ids.Key(doc.ID, full, len(change.Key)+1)
		require.False(t, ok)
		for _, chunk := range []int{0, 1, 12} {
			row, index := document.RowOf(document.ChunkIDs(doc.ID, chunk, chunk+1)[0])
			require.Equal(t, doc.ID, row)
			require.Equal(t, chunk, index)
		}
	})
}

func TestNamesOfRowsAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	alone, shared := document.NewIDs("app.articles", false), document.NewIDs("app.articles", true)
	require.Equal(t, "42", alone.Row("42"))
	require.Equal(t, "app.articles/42", shared.Row("42"))
	require.Equal(t, "app.articles/K%C3%B6ln%20S%C3%BCd/%null", shared.Row("Köln Süd/%null"), "what no id holds is encoded")
	require.Equal(t, "h:ABC", shared.Row("h:ABC"))
	require.True(t, strings.HasPrefix(alone.Row(strings.Repeat("a", 129)), "h:"))

	require.False(t, shared.Owns("app.articlesx/42", ""))
	require.False(t, shared.Owns("42", ""))
	require.False(t, shared.Owns("h:ABC", ""), "nobody says whose it is")
	require.False(t, shared.Owns("h:ABC", "app.other/x"))
	require.True(t, shared.Owns("h:ABC", "app.articles/x"))
	require.True(t, alone.Owns("h:ABC", ""))
	require.Equal(t, "h:ABC", alone.Name("h:ABC", ""))
	require.Nil(t, document.KeyValues("h:ABC"))
}

func TestRecordsOfOthersAreRowsOfTheirOwn(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"#1", "a#", "a#x", "a#0", "a#+1", "a#01", "a#-1", "a#1x"} {
		row, chunk := document.RowOf(id)
		require.Equal(t, id, row)
		require.Zero(t, chunk)
	}
	row, chunk := document.RowOf("a#10")
	require.Equal(t, "a", row)
	require.Equal(t, 10, chunk)
}

func TestIDsThatNoRowHas(t *testing.T) {
	t.Parallel()
	alone, shared := document.NewIDs("app.articles", false), document.NewIDs("app.articles", true)
	for _, id := range []string{"", "a", "a/b/c", "a/", "/b", "a/%zz", "a/%2f", "a/ü", "a/b#1", "a/%2D", "h:ABC"} {
		_, ok := alone.Key(id, "", 2)
		require.False(t, ok, id)
	}
	_, ok := shared.Key("app.other/1", "", 1)
	require.False(t, ok)
	_, ok = shared.Key("1", "", 1)
	require.False(t, ok)

	long := strings.Repeat("x", 200)
	hash := alone.Row(long)
	values, ok := alone.Key(hash, long, 1)
	require.True(t, ok)
	require.Equal(t, long, *values[0])
	_, ok = alone.Key(hash, long+"x", 1)
	require.False(t, ok, "the hash of another key")
	_, ok = alone.Key("h:", "short", 1)
	require.False(t, ok, "a key that is not hashed")
}
