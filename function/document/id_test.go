package document_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

func keyed(values ...any) *connector.Change {
	c := insert(nil, connector.Row{"title": "x"})
	c.Key = nil
	for i, v := range values {
		c.Key = append(c.Key, connector.Column{Name: string(rune('a' + i)), Value: v})
	}
	return c
}

func idOf(t *testing.T, b *document.Builder, c *connector.Change) string {
	t.Helper()
	id, err := b.ID(c)
	require.NoError(t, err)
	return id
}

func TestIDOfAPrimaryKey(t *testing.T) {
	t.Parallel()
	for want, values := range map[string][]any{
		"1":                                    {int64(1)},
		"-5":                                   {int64(-5)},
		"7d5b9a7e-7a5f-4d5e-9b60-3a4f0c3f7a11": {"7d5b9a7e-7a5f-4d5e-9b60-3a4f0c3f7a11"},
		"a/1":                                  {"a", int64(1)},
		"a%2F1":                                {"a/1"},
		"a%231":                                {"a#1"},
		"100%25":                               {"100%"},
		"%C3%A9%20%3A":                         {"é :"},
		"%empty":                               {""},
		"%empty/%empty":                        {"", ""},
		"%null/x":                              {nil, "x"},
		"null":                                 {"null"},
		"%25empty":                             {"%empty"},
		"true":                                 {true},
		"1.5/100/0":                            {1.5, 100.0, 0.0},
		"12345678901234567890":                 {json.Number("12345678901234567890")},
		"1%2C%202":                             {[]any{int64(1), int64(2)}},
	} {
		require.Equal(t, want, idOf(t, newBuilder(t, articleSpec("{{.title}}")), keyed(values...)))
	}
}

func TestIDIsTheColumnsTextWhateverItsType(t *testing.T) {
	t.Parallel()
	b := newBuilder(t, articleSpec("{{.title}}"))
	for _, same := range []any{int64(1), "1", 1.0, json.Number("1")} {
		require.Equal(t, "1", idOf(t, b, keyed(same)), "%T", same)
	}
}

func TestLongIDIsAHash(t *testing.T) {
	t.Parallel()
	b := newBuilder(t, articleSpec("{{.title}}"))
	require.Equal(t, strings.Repeat("k", 128), idOf(t, b, keyed(strings.Repeat("k", 128))), "128 bytes are kept")

	c := keyed(strings.Repeat("k", 129))
	id := idOf(t, b, c)
	require.Regexp(t, "^h:[0-9A-V]{52}$", id)
	require.NotEqual(t, id, idOf(t, b, keyed(strings.Repeat("k", 130))))
	require.NotEqual(t, id, idOf(t, b, keyed(id)), "the hash as a key of its own is another row")

	doc, err := b.Build(c)
	require.NoError(t, err)
	require.Equal(t, id, doc.ID)
	require.Equal(t, strings.Repeat("k", 129), doc.Records(version(1), nil)[0].Metadata[document.KeyFullKey])

	doc, err = b.Build(keyed("short"))
	require.NoError(t, err)
	require.NotContains(t, doc.Records(version(1), nil)[0].Metadata, document.KeyFullKey)
}

func TestPrefixedID(t *testing.T) {
	t.Parallel()
	spec := articleSpec("{{.title}}")
	spec.PrefixIDs = true
	b := newBuilder(t, spec)
	of := func(schema, name string, values ...any) string {
		c := keyed(values...)
		c.Table = connector.Table{Schema: schema, Name: name}
		return idOf(t, b, c)
	}
	require.Equal(t, "app.articles/1", of("app", "articles", int64(1)))
	require.Equal(t, "a%2Eb.c%2Fd/1/2", of("a.b", "c/d", int64(1), int64(2)))
	require.NotEqual(t, of("a.b", "c", "1"), of("a", "b.c", "1"))
	require.NotEqual(t, of("a", "b/c", "1"), of("a", "b", "c", "1"))
	require.Regexp(t, "^h:", of("app", "articles", strings.Repeat("k", 120)), "the prefix counts")
}

func TestIDOfATableWithoutPrimaryKey(t *testing.T) {
	t.Parallel()
	spec := articleSpec("{{.title}}")
	c := &connector.Change{Op: connector.Insert, Table: articles, After: connector.Row{"title": "x", "sku": "s", "n": int64(2)}}

	_, err := newBuilder(t, spec).ID(c)
	requireError(t, err, "halt", document.ReasonNoKey)
	require.ErrorContains(t, err, "tables.app.articles.key")

	spec.Key = []string{"sku", "n"}
	b := newBuilder(t, spec)
	require.Equal(t, "s/2", idOf(t, b, c))
	require.Equal(t, "s/2", idOf(t, b, &connector.Change{Op: connector.Delete, Table: articles, Before: c.After}))
	require.Equal(t, "s/%null", idOf(t, b, &connector.Change{Op: connector.Read, Table: articles, After: connector.Row{"sku": "s", "n": nil}}))
}

func TestKeyThatDoesNotFitTheRowIsPoison(t *testing.T) {
	t.Parallel()
	spec := articleSpec("{{.title}}")
	c := insert(int64(1), connector.Row{"id": int64(2)})
	_, err := newBuilder(t, spec).ID(c)
	require.Equal(t, "id", requireFault(t, err, "poison", document.ReasonKeyMismatch).Column)
	c.After["id"] = "one, in an encoding of its own"
	require.Equal(t, "1", idOf(t, newBuilder(t, spec), c))
	c.Key[0].Value = connector.Unavailable{}
	_, err = newBuilder(t, spec).ID(c)
	requireError(t, err, "poison", document.ReasonUnavailableColumn)

	delete(c.After, "id")
	c.Key[0].Value = int64(1)
	require.Equal(t, "1", idOf(t, newBuilder(t, spec), c), "the key is enough")

	spec.Key = []string{"sku"}
	b := newBuilder(t, spec)
	_, err = b.ID(&connector.Change{Op: connector.Delete, Table: articles})
	requireError(t, err, "poison", document.ReasonKeyMismatch)
	require.ErrorContains(t, err, "REPLICA IDENTITY FULL")
	_, err = b.ID(&connector.Change{Op: connector.Update, Table: articles, After: connector.Row{"sku": connector.Unavailable{}}})
	requireError(t, err, "poison", document.ReasonUnavailableColumn)
}

func TestOldID(t *testing.T) {
	t.Parallel()
	spec := articleSpec("{{.title}}")
	spec.Key = []string{"sku"}
	b := newBuilder(t, spec)
	c := &connector.Change{Op: connector.Update, Table: articles, Before: connector.Row{"sku": "a"}, After: connector.Row{"sku": "b"}}
	old, err := b.OldID(c)
	require.NoError(t, err)
	require.Equal(t, "a", old)

	for name, quiet := range map[string]*connector.Change{
		"same key":  {Op: connector.Update, Table: articles, Before: connector.Row{"sku": "b"}, After: connector.Row{"sku": "b"}},
		"no before": {Op: connector.Update, Table: articles, After: connector.Row{"sku": "b"}},
		"insert":    {Op: connector.Insert, Table: articles, After: connector.Row{"sku": "b"}},
	} {
		old, err = b.OldID(quiet)
		require.NoError(t, err, name)
		require.Empty(t, old, name)
	}
	old, err = newBuilder(t, articleSpec("{{.title}}")).OldID(c)
	require.NoError(t, err)
	require.Empty(t, old, "the source itself deletes the old primary key")
	c.Before = connector.Row{}
	_, err = b.OldID(c)
	requireError(t, err, "poison", document.ReasonKeyMismatch)
}

func TestChunkIDs(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"r", "r#1", "r#2"}, document.ChunkIDs("r", 0, 3))
	require.Equal(t, []string{"r#9", "r#10"}, document.ChunkIDs("r", 9, 11))
	require.Equal(t, []string{"r"}, document.ChunkIDs("r", -1, 1))
	require.Empty(t, document.ChunkIDs("r", 3, 3))
	require.Empty(t, document.ChunkIDs("r", 5, 3))
}
