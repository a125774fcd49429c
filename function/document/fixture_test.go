package document_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

var articles = connector.Table{Schema: "app", Name: "articles"}

// insert is a new row of app.articles with primary key id.
func insert(id any, row connector.Row) *connector.Change {
	return &connector.Change{Op: connector.Insert, Table: articles, Key: []connector.Column{{Name: "id", Value: id}}, After: row}
}

func version(lsn uint64) connector.Version {
	return connector.Version{LSN: lsn, CommitTime: time.UnixMilli(1_767_323_045_678).UTC()}
}

// articleSpec is app.articles with the given template.
func articleSpec(text string) document.Spec { return document.Spec{Table: "app.articles", Text: text} }

func newBuilder(t testing.TB, spec document.Spec) *document.Builder {
	t.Helper()
	b, err := document.NewBuilder(spec)
	require.NoError(t, err)
	return b
}

func build(t testing.TB, spec document.Spec, c *connector.Change) *document.Document {
	t.Helper()
	doc, err := newBuilder(t, spec).Build(c)
	require.NoError(t, err)
	return doc
}

// requireError checks what the indexer reads of an error.
func requireError(t testing.TB, err error, class, reason string) *document.Error {
	t.Helper()
	var classed interface {
		Class() string
		Reason() string
	}
	require.ErrorAs(t, err, &classed)
	require.Equal(t, class, classed.Class(), err)
	require.Equal(t, reason, classed.Reason(), err)
	var e *document.Error
	require.True(t, errors.As(err, &e))
	return e
}

// textOf is the whole text of a document without overlap.
func textOf(doc *document.Document) string {
	var text string
	for _, c := range doc.Chunks {
		text += c.Text
	}
	return text
}
