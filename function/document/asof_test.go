package document_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// noted is a table with a large column in its text and one in its metadata.
func noted() document.Spec {
	spec := articleSpec("{{.title}}{{.body}}")
	spec.Metadata = []document.Field{{Column: "price"}, {Column: "notes"}, {Column: "notes", As: "remarks"}}
	return spec
}

// TestARowThatIsOlderInParts follows a row whose changes leave columns out, and one that brings them later.
func TestARowThatIsOlderInParts(t *testing.T) {
	t.Parallel()
	spec := noted()
	first := build(t, spec, insert(int64(1), connector.Row{"title": "a", "body": "old", "price": int64(1), "notes": "n"})).Records(version(1), nil)[0]
	require.NotContains(t, first.Metadata, document.KeyOpen)
	stored := stateOf(t, first)
	require.Empty(t, stored.OpenColumns())
	require.Equal(t, version(1), stored.AsOf("body"))

	third := draft(t, spec, lacking(connector.Row{"title": "a", "price": int64(3)}, "body", "notes"))
	require.Equal(t, []string{"body", "notes"}, third.Lacking())
	require.Equal(t, []string{"notes"}, third.KeepColumns())
	require.True(t, third.TextUnchanged(stored))
	third.SetOpen(document.Open{"body": version(1), "notes": version(1)})
	refreshed := third.Records(version(3), stored)
	require.Len(t, refreshed, 1)
	require.Empty(t, refreshed[0].Document)

	row := stateOf(t, first, refreshed[0])
	require.Equal(t, version(3), row.Version)
	require.Equal(t, version(1), row.TextVersion)
	require.Equal(t, stored.Fingerprint, row.Fingerprint)
	require.Equal(t, map[string]any{"price": int64(3), "notes": "n", "remarks": "n"}, row.Metadata)
	require.Equal(t, []string{"body", "notes"}, row.OpenColumns())
	require.Equal(t, version(1), row.AsOf("notes"))
	require.Equal(t, version(3), row.AsOf("title"))
	require.True(t, row.Holds("body", "old"))
	require.False(t, row.Holds("body", nil))

	b := newBuilder(t, spec)
	brought := b.Unsent(row)
	require.Len(t, brought, 4)
	brought["title"], brought["body"] = "a", "new"
	doc, err := b.DraftRow(insert(int64(1), nil), brought)
	require.NoError(t, err)
	doc.SetOpen(document.Open{"body": version(2), "notes": version(1)})
	require.Equal(t, []string{"body"}, doc.OpenText())
	set := doc.Records(row.Version, row)[0]
	require.Equal(t, "anew", set.Document)
	row = stateOf(t, first, refreshed[0], set)
	require.Equal(t, version(3), row.Version)
	require.Equal(t, version(2), row.TextVersion)
	require.Equal(t, map[string]any{"price": int64(3), "notes": "n", "remarks": "n"}, row.Metadata)

	last := build(t, spec, insert(int64(1), connector.Row{"title": "a", "body": "new", "price": int64(4), "notes": nil})).Records(version(4), row)[0]
	row = stateOf(t, first, refreshed[0], set, last)
	require.Empty(t, row.OpenColumns(), "a change that has all closes all")
	require.Empty(t, row.Open)
	require.Equal(t, version(4), row.TextVersion)
}

func TestForgottenMetadataIsRemoved(t *testing.T) {
	t.Parallel()
	spec := noted()
	stored := stateOf(t, build(t, spec, insert(int64(1), connector.Row{"title": "a", "body": "b", "price": nil, "notes": "of another row"})).Records(version(1), nil)[0])
	doc := draft(t, spec, lacking(connector.Row{"title": "a", "body": "b", "price": nil}, "notes"))
	doc.Forget([]string{"notes"})
	require.Equal(t, []string{"notes", "remarks"}, doc.Lost)
	require.Empty(t, doc.Keep)
	meta := doc.Records(version(2), stored)[0].Metadata
	for _, key := range doc.Lost {
		value, sent := meta[key]
		require.True(t, sent && value == nil, key)
	}
}

func TestWhatTheIndexKnowsOfAColumn(t *testing.T) {
	t.Parallel()
	stored := stateOf(t, build(t, noted(), insert(int64(1), connector.Row{"title": "a", "body": "b", "price": int64(1), "notes": "n"})).Records(version(1), nil)[0])
	delete(stored.Metadata, "remarks")
	b := newBuilder(t, noted())
	require.True(t, b.KnowsText(stored, "body"))
	require.True(t, b.KnowsText(stored, "price"), "the text is not made of it")
	require.True(t, b.KnowsMetadata(stored, "price"))
	require.False(t, b.KnowsMetadata(stored, "notes"), "one of its keys is not there")
	require.False(t, newBuilder(t, articleSpec("{{.note}}")).KnowsText(stored, "note"))
	require.Equal(t, connector.Row{"body": connector.Unavailable{}, "title": connector.Unavailable{}},
		newBuilder(t, articleSpec("{{range $name, $value := .}}{{$value}}{{end}}")).Unsent(stored), "a text of the whole row")
}

// A record of the release before has marks in its columns only, and one version for them all.
func TestOpenColumnsOfAnOlderRecord(t *testing.T) {
	t.Parallel()
	meta := map[string]any{
		document.KeyFingerprint: "f", document.KeyChunks: int64(1), document.KeyColumns: `{"body":"?x","title":"y"}`, "notes": "n",
	}
	document.SetVersion(meta, version(5))
	document.SetTextVersion(meta, version(2))
	state := storedState(t, meta)
	require.Equal(t, []string{"body"}, state.OpenColumns())
	require.Equal(t, version(2), state.AsOf("body"))
	require.Equal(t, version(5), state.AsOf("title"))
	require.Equal(t, version(5), state.AsOf("notes"))

	meta[document.KeyOpen] = `{"body":[3,0,0]}`
	require.Equal(t, connector.Version{LSN: 3}, storedState(t, meta).AsOf("body"))
	for _, damaged := range []any{"", "null", int64(1), `{"body":3}`} {
		meta[document.KeyOpen] = damaged
		_, err := document.ParseState(meta)
		requireError(t, err, "poison", document.ReasonBadState)
	}
}
