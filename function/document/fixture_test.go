package document_test

import (
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

func newBuilder(tb testing.TB, spec document.Spec) *document.Builder {
	tb.Helper()
	b, err := document.NewBuilder(spec)
	require.NoError(tb, err)
	return b
}

func build(tb testing.TB, spec document.Spec, c *connector.Change) *document.Document {
	tb.Helper()
	doc, err := newBuilder(tb, spec).Build(c)
	require.NoError(tb, err)
	return doc
}

// requireFault checks what the indexer reads of an error.
func requireFault(tb testing.TB, err error, class, reason string) *document.Error {
	tb.Helper()
	var classed interface {
		Class() string
		Reason() string
	}
	require.ErrorAs(tb, err, &classed)
	require.Equal(tb, class, classed.Class(), err)
	require.Equal(tb, reason, classed.Reason(), err)
	var fault *document.Error
	require.ErrorAs(tb, err, &fault)
	return fault
}

func requireError(tb testing.TB, err error, class, reason string) {
	tb.Helper()
	_ = requireFault(tb, err, class, reason)
}
