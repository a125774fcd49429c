package document_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// lacking is a row whose named columns the source did not send.
func lacking(row connector.Row, columns ...string) connector.Row {
	for _, c := range columns {
		row[c] = connector.Unavailable{}
	}
	return row
}

// draft is a document of a change that may lack columns of its text.
func draft(t *testing.T, spec document.Spec, row connector.Row) *document.Document {
	t.Helper()
	doc, err := newBuilder(t, spec).Draft(insert(int64(1), row))
	require.NoError(t, err)
	return doc
}

// stateOf is what a store that has seen these records in turn tells of the first one.
func stateOf(t *testing.T, records ...document.Record) *document.State {
	t.Helper()
	meta := map[string]any{}
	for _, r := range records {
		merge(meta, r.Metadata)
	}
	return storedState(t, meta)
}

func TestDraftWithoutATextColumn(t *testing.T) {
	t.Parallel()
	spec := articleSpec("{{.title}}{{.body}}{{.note}}")
	spec.Metadata = []document.Field{{Column: "title"}, {Column: "body"}}
	doc := draft(t, spec, lacking(connector.Row{"title": "a"}, "note", "body"))
	require.Equal(t, []string{"body", "note"}, doc.Missing)
	require.Empty(t, doc.Chunks)
	require.Empty(t, doc.Fingerprint)
	require.False(t, doc.Empty)
	require.Equal(t, map[string]any{"title": "a"}, doc.Metadata)
	require.Equal(t, []string{"body"}, doc.Keep)
	requireError(t, newBuilder(t, spec).Complete(insert(int64(1), nil), doc), "poison", document.ReasonUnavailableColumn)
}

func TestTextUnchanged(t *testing.T) {
	t.Parallel()
	spec := articleSpec("{{.title}}{{.body}}")
	whole := connector.Row{"title": "a", "body": "b"}
	stored := stateOf(t, build(t, spec, insert(int64(1), whole)).Records(version(1), nil)[0])
	for name, c := range map[string]struct {
		row  connector.Row
		want bool
	}{
		"the other is the same":    {lacking(connector.Row{"title": "a"}, "body"), true},
		"neither is there":         {lacking(connector.Row{}, "title", "body"), true},
		"the other changed":        {lacking(connector.Row{"title": "x"}, "body"), false},
		"the other is null":        {lacking(connector.Row{"title": nil}, "body"), false},
		"the other is a number":    {lacking(connector.Row{"title": int64(1)}, "body"), false},
		"columns outside the text": {lacking(connector.Row{"title": "a", "n": int64(3)}, "body", "m"), true},
	} {
		require.Equal(t, c.want, draft(t, spec, c.row).TextUnchanged(stored), name)
	}
	same := lacking(connector.Row{"title": "a", "note": "n"}, "body")
	require.False(t, draft(t, spec, same).TextUnchanged(nil), "nothing is stored")
	require.False(t, draft(t, spec, same).TextUnchanged(&document.State{}), "not known what the text was made of")
	require.False(t, draft(t, articleSpec("{{.title}}{{.body}}{{.note}}"), same).TextUnchanged(stored), "a template over more columns")
	require.False(t, draft(t, articleSpec("{{.body}}"), same).TextUnchanged(stored), "a template over fewer")
}

func TestHashesTellValuesApart(t *testing.T) {
	t.Parallel()
	seen := map[string]any{}
	for _, value := range []any{
		nil, "", "n", int64(0), "0", 0.5, false, "false", []any{}, "[]", []any{"a", "b"}, "a, b", map[string]any{"a": nil}, `{"a":null}`,
	} {
		doc := build(t, articleSpec("{{.title}}"), insert(int64(1), connector.Row{"title": value}))
		if doc.Empty {
			doc = build(t, articleSpec("x{{.title}}"), insert(int64(1), connector.Row{"title": value}))
		}
		hash := stateOf(t, doc.Records(version(1), nil)...).Columns["title"].Hash
		require.NotContains(t, seen, hash, "%v and %v", value, seen[hash])
		seen[hash] = value
	}
}

func TestDroppedValuesAreCounted(t *testing.T) {
	t.Parallel()
	spec := articleSpec("{{.title}}")
	spec.Metadata = []document.Field{{Column: "a"}, {Column: "b"}, {Column: "c"}, {Column: "d"}}
	doc := build(t, spec, insert(int64(1), connector.Row{"title": "x", "a": math.NaN(), "b": nil, "c": 1.5, "d": []any{}}))
	require.Equal(t, 1, doc.Dropped, "null and the empty array say nothing that is lost")
	require.Equal(t, map[string]any{"c": 1.5}, doc.Metadata)
	meta := doc.Records(version(1), nil)[0].Metadata
	for _, key := range []string{"a", "b", "d"} {
		value, sent := meta[key]
		require.True(t, sent && value == nil, "%s is sent as null to a record that is new, too", key)
	}
}

// Values that JSON has no numbers for are told apart all the same.
func TestHashesOfSpecialNumbersDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, v := range []any{nil, math.NaN(), math.Inf(1), math.Inf(-1), []any{math.NaN()}, []any{math.Inf(1)}, []any{nil}} {
		columns, ok := build(t, articleSpec("x{{.r}}"), insert(int64(1), connector.Row{"r": v})).
			Records(version(1), nil)[0].Metadata[document.KeyColumns].(string)
		require.True(t, ok)
		seen[columns] = true
	}
	require.Len(t, seen, 7)
}
