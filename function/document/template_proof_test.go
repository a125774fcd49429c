package document_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

func priced(id int64, price any) *connector.Change {
	return &connector.Change{
		Op: connector.Insert, Table: connector.Table{Schema: "app", Name: "articles"}, Key: []connector.Column{{Name: "id", Value: id}},
		After: connector.Row{"id": id, "price": price}, Version: connector.Version{LSN: 1},
	}
}

func classOf(t *testing.T, err error) string {
	t.Helper()
	var classed *document.Error
	require.ErrorAs(t, err, &classed)
	require.Equal(t, document.ReasonTemplateFailed, classed.Reason())
	return classed.Class()
}

// A template that compares a price, which the source sends as text, with a number fails on every row: a setting to change.
func TestATemplateThatFailsOnEveryRowHalts(t *testing.T) {
	t.Parallel()
	b, err := document.NewBuilder(document.Spec{Table: "app.articles", Text: "{{if gt .price 10.0}}dear{{end}} {{.id}}"})
	require.NoError(t, err)
	for id := range int64(10) {
		_, err := b.Build(priced(id, "12.50"))
		require.Equal(t, "poison", classOf(t, err), "a few may be the rows' own fault")
	}
	for range 3 {
		_, err = b.Build(priced(4, "12.50"))
		require.Equal(t, "poison", classOf(t, err), "a row that comes again is one row")
	}
	require.False(t, b.Unproven())
	_, err = b.Build(priced(10, "12.50"))
	require.Equal(t, "halt", classOf(t, err))
	require.True(t, b.Unproven())
	_, err = b.Build(priced(11, 12.5))
	require.NoError(t, err)
	require.False(t, b.Unproven(), "it renders a row, so it were the others")
	_, err = b.Build(priced(10, "12.50"))
	require.Equal(t, "poison", classOf(t, err))
}

func TestATemplateThatHasRenderedARowCondemnsTheOthers(t *testing.T) {
	t.Parallel()
	b, err := document.NewBuilder(document.Spec{Table: "app.articles", Text: "{{if gt .price 10.0}}dear{{end}} {{.id}}"})
	require.NoError(t, err)
	_, err = b.Build(priced(1, 12.5))
	require.NoError(t, err)
	for id := range int64(30) {
		_, err := b.Build(priced(id, "12.50"))
		require.Equal(t, "poison", classOf(t, err))
	}
}
