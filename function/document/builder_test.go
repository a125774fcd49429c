package document_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

func TestBuild(t *testing.T) {
	t.Parallel()
	spec := articleSpec("{{.title}}: {{.body}}")
	spec.Metadata = []document.Field{{Column: "title"}, {Column: "price", As: "cost"}, {Column: "gone"}, {Column: "big"}, {Column: "none"}}
	doc := build(t, spec, insert(int64(7), connector.Row{
		"id": int64(7), "title": "Tent", "body": "Two persons", "price": 199.0, "big": connector.Unavailable{}, "none": nil,
	}))

	require.Equal(t, "7", doc.ID)
	require.False(t, doc.Empty)
	require.Equal(t, []document.Chunk{{ID: "7", Text: "Tent: Two persons", End: 17}}, doc.Chunks)
	require.Equal(t, map[string]any{"title": "Tent", "cost": 199.0}, doc.Metadata)
	require.Equal(t, []string{"big"}, doc.Keep)
	require.Regexp(t, "^[0-9a-f]{32}$", doc.Fingerprint)
}

func TestMissingTextColumnHaltsTheTable(t *testing.T) {
	t.Parallel()
	_, err := newBuilder(t, articleSpec("{{.titel}}")).Build(insert(int64(7), connector.Row{"title": "x", "body": "y"}))
	e := requireFault(t, err, "halt", document.ReasonMissingColumn)
	require.Equal(t, "titel", e.Column)
	require.ErrorContains(t, err, "tables.app.articles.text")
	require.ErrorContains(t, err, `did you mean "title"?`)
	require.ErrorContains(t, err, "Columns: body, title")

	_, err = newBuilder(t, articleSpec("{{.x}}")).Build(insert(int64(7), connector.Row{"description": "y"}))
	require.NotContains(t, err.Error(), "did you mean", "nothing is near")

	_, err = newBuilder(t, articleSpec("{{if .title}}x{{else}}{{.never}}{{end}}")).Build(insert(int64(7), connector.Row{"title": "x"}))
	requireError(t, err, "halt", document.ReasonMissingColumn)
}

func TestUnavailableTextColumnIsPoison(t *testing.T) {
	t.Parallel()
	c := insert(int64(7), connector.Row{"title": "x", "body": connector.Unavailable{}})
	c.Op = connector.Update
	_, err := newBuilder(t, articleSpec("{{.title}}{{if .body}}{{.body}}{{end}}")).Build(c)
	e := requireFault(t, err, "poison", document.ReasonUnavailableColumn)
	require.Equal(t, "body", e.Column)
	require.Equal(t, "7", e.Row)
	require.ErrorContains(t, err, "REPLICA IDENTITY FULL")
	require.ErrorContains(t, err, "setup.sql")
}

func TestTemplateThatFailsOnARowIsPoison(t *testing.T) {
	t.Parallel()
	for name, attrs := range map[string]any{"no such key": map[string]any{"x": "y"}, "null": nil, "text": "plain"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBuilder(t, articleSpec("{{.attrs.color}}"))
			_, err := b.Build(insert(int64(7), connector.Row{"attrs": attrs}))
			e := requireFault(t, err, "poison", document.ReasonTemplateFailed)
			require.Equal(t, "7", e.Row)
			require.Error(t, errors.Unwrap(err), "the template's own error is kept")
		})
	}
}

func TestChangeWithoutARowIsPoison(t *testing.T) {
	t.Parallel()
	_, err := newBuilder(t, articleSpec("{{.title}}")).Build(insert(int64(7), nil))
	requireError(t, err, "poison", document.ReasonNoRow)
}

func TestEmptyText(t *testing.T) {
	t.Parallel()
	spec := articleSpec(" {{.title}}\n")
	c := insert(int64(7), connector.Row{"title": nil})
	doc := build(t, spec, c)
	require.True(t, doc.Empty)
	require.Empty(t, doc.Chunks)
	require.Empty(t, doc.Records(version(1), nil), "an empty row writes nothing")

	for _, chunk := range []*document.ChunkSpec{nil, {Tokens: 8}} {
		spec.KeepEmpty, spec.Chunk = true, chunk
		doc = build(t, spec, c)
		require.False(t, doc.Empty)
		require.Equal(t, []document.Chunk{{ID: "7"}}, doc.Chunks)
		require.Len(t, doc.Records(version(1), nil), 1)
	}
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	long := "First sentence of the text. Second sentence of the text. Third sentence of the text."
	spec := articleSpec("{{.title}}")
	spec.Metadata = []document.Field{{Column: "price"}}
	of := func(spec document.Spec, row connector.Row) string {
		return build(t, spec, insert(int64(7), row)).Fingerprint
	}
	base := of(spec, connector.Row{"title": long, "price": int64(1)})

	require.Equal(t, base, of(spec, connector.Row{"title": " " + long, "price": int64(2)}), "metadata is not embedded")
	require.NotEqual(t, base, of(spec, connector.Row{"title": long + "!"}))

	withModel, swapped := spec, spec
	withModel.Identity, swapped.Identity = "m", "m\x03a"
	require.NotEqual(t, base, of(withModel, connector.Row{"title": long}))
	require.NotEqual(t, of(withModel, connector.Row{"title": "a\x01b"}), of(swapped, connector.Row{"title": "b"}), "parts do not run together")

	chunked, wider := spec, spec
	chunked.Chunk, wider.Chunk = &document.ChunkSpec{Tokens: 16}, &document.ChunkSpec{Tokens: 1000}
	require.NotEqual(t, base, of(chunked, connector.Row{"title": long}))
	require.Equal(t, base, of(wider, connector.Row{"title": long}), "one chunk has the same vector as one record")
}

func TestFingerprintOfBounds(t *testing.T) {
	t.Parallel()
	of := func(text string, tokens, overlap int) string {
		spec := articleSpec("{{.title}}")
		spec.Chunk, spec.Tokenizer = &document.ChunkSpec{Tokens: tokens, Overlap: overlap}, wordCount{}
		return build(t, spec, insert(int64(7), connector.Row{"title": text})).Fingerprint
	}
	require.NotEqual(t, of("a b c d e f g", 4, 0), of("a b c d e f g", 4, 1), "same ends, other starts")
	require.NotEqual(t, of("a b c d e f g h i", 5, 0), of("a b c d e f g h i", 6, 1), "same starts, other ends")
}

func TestBuilderIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	b := newBuilder(t, articleSpec("{{.title}} {{.tags}}"))
	var wg sync.WaitGroup
	for i := range int64(8) {
		wg.Go(func() {
			for range 200 {
				doc, err := b.Build(insert(i, connector.Row{"title": i, "tags": []any{i, i}}))
				if err != nil || doc.ID != doc.Chunks[0].Text[:1] || len(doc.Chunks[0].Text) != 6 {
					t.Errorf("row %d became %+v, %v", i, doc, err)
				}
			}
		})
	}
	wg.Wait()
}
