package indexer

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// rowAhead is a row at 21 whose body and notes, as they are known, are as of 1, and a truncate at 10.
func rowAhead(t *testing.T, p planner) known {
	t.Helper()
	first := p.plan(itemsOf(withNotes(whole(1, "a", "B1"), "N1")), known{})
	ahead := p.plan(itemsOf(withNotes(part(21, "a"), left)), known{stored: first.want})
	require.Equal(t, refresh, ahead.action)
	require.Equal(t, version(1), ahead.want.AsOf("body"))
	return known{stored: ahead.want, mark: &mark{version: version(10)}}
}

func withNotes(c *connector.Change, notes any) *connector.Change {
	c.After["notes"] = notes
	return c
}

func TestATruncateEndsWhatIsKnownOfColumns(t *testing.T) {
	t.Parallel()
	b := newBuilder(t, document.Spec{
		Table: "app.articles", Text: "{{.title}}: {{.body}}", Identity: "m", Metadata: []document.Field{{Column: "notes"}},
	})
	p := planner{builder: b}
	k := rowAhead(t, p)

	lacking := p.plan(itemsOf(withNotes(part(30, "a"), "N30")), k)
	require.Len(t, lacking.poisoned, 1, "the text is of another row")
	require.Equal(t, document.ReasonUnavailableColumn, Reason(lacking.poisoned[0].err))
	reads := planner{builder: b, fetches: true}.plan(itemsOf(withNotes(part(30, "a"), left)), k)
	require.Equal(t, fetch, reads.action)
	require.Equal(t, []string{"body", "notes"}, reads.columns)

	older := p.plan(itemsOf(withNotes(whole(5, "a", "B5"), "N5"), deleted(1, 6)), k)
	require.Equal(t, skip, older.action)
	require.Len(t, older.stale, 2)

	unnoted := p.plan(itemsOf(withNotes(whole(30, "a", "B30"), left)), k)
	require.Equal(t, index, unnoted.action)
	require.Equal(t, []string{"notes"}, unnoted.document.Lost)
	require.Nil(t, unnoted.records[0].Metadata["notes"])
	require.Equal(t, version(10), unnoted.want.AsOf("notes"))
}

func TestTheInsertAfterATruncateComesLate(t *testing.T) {
	t.Parallel()
	b := newBuilder(t, document.Spec{
		Table: "app.articles", Text: "{{.title}}: {{.body}}", Identity: "m", Metadata: []document.Field{{Column: "notes"}},
	})
	p := planner{builder: b}
	k := rowAhead(t, p)
	for name, items := range map[string][]*item{
		"alone":              itemsOf(withNotes(whole(15, "a", "B15"), "N15")),
		"with a newer one":   itemsOf(withNotes(whole(15, "a", "B15"), "N15"), withNotes(part(30, "a"), left)),
		"and one of the end": itemsOf(withNotes(whole(5, "a", "B5"), "N5"), withNotes(whole(15, "a", "B15"), "N15")),
	} {
		d := p.plan(items, k)
		require.Equal(t, index, d.action, name)
		require.Equal(t, "a: B15", d.records[0].Document, name)
		require.Equal(t, "N15", d.records[0].Metadata["notes"], name)
		require.Equal(t, version(15), d.want.AsOf("body"), name)
		require.Equal(t, version(15), d.want.AsOf("notes"), name)
	}
}
