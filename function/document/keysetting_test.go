package document_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// The source's own key keeps a row's changes in order and is always sent whole; another one in the settings is a mistake, and one that
// would cost every record.
func TestKeySettingBesideAKeyOfTheSource(t *testing.T) {
	t.Parallel()
	spec := articleSpec("{{.title}}")
	key := []connector.Column{{Name: "id", Value: int64(1)}, {Name: "sku", Value: "s"}}
	row := connector.Row{"title": "x", "id": int64(1), "sku": "s", "n": int64(2)}
	changes := []*connector.Change{
		{Op: connector.Insert, Table: articles, Key: key, After: row},
		{Op: connector.Update, Table: articles, Key: key, Before: connector.Row{"id": int64(1), "sku": "", "n": nil}, After: row},
		{Op: connector.Delete, Table: articles, Key: key, Before: connector.Row{"id": int64(1), "sku": ""}}, // made up outside of the key
		{Op: connector.Delete, Table: articles, Key: key},
	}
	for _, names := range [][]string{{"sku"}, {"n"}, {"id", "n"}, {"id", "sku", "n"}, {"idd", "sku"}} {
		spec.Key = names
		for _, c := range changes {
			_, err := newBuilder(t, spec).ID(c)
			require.Equal(t, "tables.app.articles.key", requireFault(t, err, "halt", document.ReasonBadSetting).Setting)
			require.ErrorContains(t, err, "key (id, sku)")
			require.ErrorContains(t, err, "remove tables.app.articles.key")
		}
	}
	for want, names := range map[string][]string{"1/s": {"id", "sku"}, "s/1": {"sku", "id"}} {
		spec.Key = names
		b := newBuilder(t, spec)
		for _, c := range changes {
			require.Equal(t, want, idOf(t, b, c), "the same columns in any order do no harm")
			old, err := b.OldID(c)
			require.NoError(t, err)
			require.Empty(t, old, "the source tells a change of its key itself")
		}
		found, err := b.Key(changes[0])
		require.NoError(t, err)
		require.Equal(t, key, found)
	}
}

// A misspelt column in the setting is missing from every row.
func TestMisspeltKeySettingHalts(t *testing.T) {
	t.Parallel()
	spec := articleSpec("{{.title}}")
	spec.Key = []string{"sku", "idd"}
	b := newBuilder(t, spec)
	row := connector.Row{"title": "x", "sku": "s", "id": int64(1)}
	for _, c := range []*connector.Change{
		{Op: connector.Insert, Table: articles, After: row},
		{Op: connector.Update, Table: articles, Before: row, After: row},
		{Op: connector.Delete, Table: articles, Before: row},
	} {
		_, err := b.ID(c)
		fault := requireFault(t, err, "halt", document.ReasonMissingColumn)
		require.Equal(t, "idd", fault.Column)
		require.Equal(t, "tables.app.articles.key", fault.Setting)
		require.ErrorContains(t, err, `did you mean "id"?`)
		require.ErrorContains(t, err, "Columns: id, sku, title")
	}
}
