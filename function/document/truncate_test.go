package document_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

func TestATruncateIDIsNoRows(t *testing.T) {
	t.Parallel()
	require.Equal(t, "%truncate/app.articles", document.TruncateID("app.articles"))
	require.Equal(t, "%truncate/app.%23%2F%C3%BC", document.TruncateID("app.#/ü"))
	long := "app." + strings.Repeat("ü", 63)
	require.LessOrEqual(t, len(document.TruncateID(long)), 128)
	require.NotEqual(t, document.TruncateID(long), document.TruncateID(long+"x"))
	b := newBuilder(t, articleSpec("{{.title}}"))
	for _, value := range []any{"%truncate/app.articles", "truncate", "", nil, "empty"} {
		id, err := b.ID(&connector.Change{
			Op: connector.Insert, Table: connector.Table{Schema: "app", Name: "articles"},
			Key: []connector.Column{{Name: "id", Value: value}, {Name: "other", Value: "app.articles"}}, After: connector.Row{"id": value},
		})
		require.NoError(t, err)
		require.False(t, strings.HasPrefix(id, "%truncate/"), id)
	}
}

func TestOwns(t *testing.T) {
	t.Parallel()
	table := connector.Table{Schema: "app", Name: "art.icles"}
	spec := articleSpec("{{.title}}")
	require.True(t, newBuilder(t, spec).Owns(table, "anything", nil), "a collection of its own")
	spec.PrefixIDs = true
	b := newBuilder(t, spec)
	for _, key := range []any{int64(7), strings.Repeat("k", 200)} {
		c := &connector.Change{
			Op: connector.Insert, Table: table, Key: []connector.Column{{Name: "id", Value: key}},
			After: connector.Row{"id": key, "title": "x", "price": nil, "tags": nil},
		}
		doc, err := b.Build(c)
		require.NoError(t, err)
		meta := doc.Records(connector.Version{LSN: 1}, nil)[0].Metadata
		require.True(t, b.Owns(table, doc.ID, meta), doc.ID)
		require.False(t, b.Owns(connector.Table{Schema: "app", Name: "art"}, doc.ID, meta))
		require.False(t, b.Owns(connector.Table{Schema: "ap", Name: "p.art.icles"}, doc.ID, meta))
	}
	require.False(t, b.Owns(table, "7", nil), "of before the collection was shared")
	require.False(t, b.Owns(table, "h:ABC", map[string]any{}))
}
