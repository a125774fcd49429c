package indexer

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// A key setting that cannot be right halts the table: no record is lost for it.
func TestTableHaltsOnAWrongKeySetting(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		key   []string
		keyed bool // the source sends the primary key, id
		says  string
	}{
		"misspelt":                 {[]string{"idd"}, false, `did you mean "id"?`},
		"beside a primary key":     {[]string{"title"}, true, "remove tables.app.articles.key"},
		"misspelt and beside it":   {[]string{"idd"}, true, "remove tables.app.articles.key"},
		"more than the source's":   {[]string{"id", "title"}, true, "remove tables.app.articles.key"},
		"missing from a table row": {[]string{"title", "nothing"}, false, "nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(r *rig) { r.spec.Key = c.key })
				change := upserted(1, 1, "x")
				if !c.keyed {
					change.Key = nil
				}
				rec, p := record(change, 1)
				errs := make(chan error, 1)
				go func() { errs <- r.table.Submit(context.Background(), rec) }()
				synctest.Wait()
				require.Equal(t, Halted, r.table.Condition().State)
				require.Contains(t, r.table.Condition().Cause, "tables.app.articles.key")
				require.Contains(t, r.table.Condition().Cause, c.says)
				r.table.Drain(t.Context())
				require.Equal(t, ClassInterrupted, Classify(<-errs))
				require.Equal(t, Interrupted, p.outcome(t).Kind, "left for the next start, and no dead letter")
				require.Empty(t, r.store.ops())
			})
		})
	}
}

func TestTableTakesAKeySettingThatTheSourceAgreesWith(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(r *rig) { r.spec.Key = []string{"id"} })
	require.Equal(t, []Kind{Indexed}, kinds(t, r.submit(upserted(1, 1, "lamp"))))
	require.Equal(t, []string{"1"}, r.store.ids())
	require.Equal(t, []Kind{Deleted}, kinds(t, r.submit(deleted(1, 2))))
	require.Empty(t, r.store.ids())
}
