package indexer

import (
	"context"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// toasted is a table with a large column and a small one in its text.
func toasted(r *rig) { r.spec.Text = "{{.title}}: {{.body}}" }

// whole is a change of row 1 that carries everything; part one that left its body as it was.
func whole(lsn int, title, body string) *connector.Change {
	c := upserted(1, lsn, title)
	c.After["body"] = body
	return c
}

func part(lsn int, title string) *connector.Change {
	c := upserted(1, lsn, title)
	c.After["body"] = connector.Unavailable{}
	return c
}

// source is a table to read from, with one row.
type source struct {
	row   connector.Row
	asked [][]string
	fault func() error
}

func (s *source) Fetch(_ context.Context, _ *connector.Change, key []connector.Column, columns []string) (connector.Row, bool, error) {
	s.asked = append(s.asked, columns)
	if s.fault != nil {
		if err := s.fault(); err != nil {
			return nil, false, err
		}
	}
	if s.row == nil || key[0].Value != int64(1) {
		return nil, false, nil
	}
	part := connector.Row{}
	for _, name := range columns {
		if value, has := s.row[name]; has {
			part[name] = value
		}
	}
	return part, true, nil
}

// reading gives the table a source to read from.
func reading(s *source) func(*rig) { return func(r *rig) { r.columns = s } }

func (r *rig) text() string {
	e, _ := r.store.get("1")
	return e.document
}

func TestAChangeWithoutItsLargeColumn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, toasted)
		kinds(t, r.submit(whole(1, "a", "B1")))
		require.Equal(t, []Kind{MetadataOnly}, kinds(t, r.submit(part(3, "a"))))
		require.Equal(t, "a: B1", r.text())
		e, _ := r.store.get("1")
		require.EqualValues(t, 3, e.meta["price"])
		require.Len(t, r.embedder.seen(), 1)

		require.Equal(t, []Kind{Indexed}, kinds(t, r.submit(whole(2, "a", "B2"))), "older than the row, newer than its text")
		require.Equal(t, "a: B2", r.text())
		e, _ = r.store.get("1")
		require.EqualValues(t, 3, e.meta["price"], "the row's metadata stays")
		require.EqualValues(t, 3, e.meta[document.KeyLSN])
		require.EqualValues(t, 2, e.meta[document.KeyTextLSN])
		require.Equal(t, []Kind{Stale, Stale, Stale}, []Kind{
			kinds(t, r.submit(whole(1, "a", "B1")))[0], kinds(t, r.submit(whole(2, "a", "B2")))[0], kinds(t, r.submit(part(3, "a")))[0],
		})

		o := r.submit(part(4, "b"))[0].outcome(t)
		require.Equal(t, Poison, o.Kind)
		require.Equal(t, document.ReasonUnavailableColumn, o.Reason)
		require.ErrorContains(t, o.Err, "REPLICA IDENTITY FULL")
		require.Equal(t, "a: B2", r.text())
	})
}

func TestAnOlderTextThatDoesNotFit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, toasted)
		kinds(t, r.submit(whole(1, "a", "B1")))
		kinds(t, r.submit(part(3, "a")))
		o := r.submit(whole(2, "x", "B2"))[0].outcome(t)
		require.Equal(t, Poison, o.Kind, "the row is sure that its title is not x")
		require.Equal(t, reasonOutdatedText, o.Reason)
		require.Equal(t, "a: B1", r.text())

		from := &source{row: connector.Row{"title": "a", "body": "B2"}}
		r.stop()
		r.columns = from
		r.start()
		require.Equal(t, []Kind{Indexed}, kinds(t, r.submit(whole(2, "x", "B2"))))
		require.Equal(t, "a: B2", r.text())
		require.Equal(t, [][]string{{"title"}}, from.asked, "what the change carries is not read")
		require.Equal(t, []Kind{Stale}, kinds(t, r.submit(whole(2, "x", "B2"))))
	})
}

func TestChangesOfABatchCompleteEachOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, toasted)
		release := r.plug()
		receipts := r.submit(part(3, "c"), whole(1, "a", "B1"), whole(2, "b", "B2"))
		release()
		require.Equal(t, []Kind{Indexed, Superseded, Superseded}, kinds(t, receipts))
		require.Equal(t, "c: B2", r.text())
	})
}

func TestMissingColumnsAreReadFromTheTable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		outages := 2
		from := &source{row: connector.Row{"title": "now", "body": "B9"}, fault: func() error {
			if outages--; outages >= 0 {
				return errOutage
			}
			return nil
		}}
		r := newRig(t, toasted, reading(from))
		require.Equal(t, []Kind{Indexed}, kinds(t, r.submit(part(5, "c"))))
		require.Equal(t, "c: B9", r.text())
		require.Equal(t, [][]string{{"body"}, {"body"}, {"body"}}, from.asked, "an outage is waited out")
		require.Equal(t, []Kind{MetadataOnly}, kinds(t, r.submit(part(6, "c"))))
		require.Len(t, from.asked, 3, "an unchanged text is not asked for")

		from.row = nil
		o := r.submit(part(7, "d"))[0].outcome(t)
		require.Equal(t, Poison, o.Kind)
		require.Equal(t, reasonRowGone, o.Reason)
		require.Equal(t, "fetch", o.Stage)
		from.row = connector.Row{"title": "x"}
		require.Equal(t, Poison, r.submit(part(8, "d"))[0].outcome(t).Kind, "an answer without the column")
		require.Equal(t, "c: B9", r.text())
	})
}

func TestALostMetadataColumnIsReadFromTheTable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		from := &source{row: connector.Row{"body": "B9"}}
		r := newRig(t, reading(from), func(r *rig) { r.spec.Metadata = []document.Field{{Column: "body", As: "full"}} })
		require.Equal(t, []Kind{Indexed}, kinds(t, r.submit(part(5, "c"))))
		e, _ := r.store.get("1")
		require.Equal(t, "B9", e.meta["full"])
		require.Equal(t, []Kind{MetadataOnly}, kinds(t, r.submit(part(6, "c"))))
		e, _ = r.store.get("1")
		require.Equal(t, "B9", e.meta["full"])
		require.Len(t, from.asked, 1, "the index holds it now")
	})
}

func TestAHaltedSourceHaltsTheTable(t *testing.T) {
	t.Parallel()
	for _, mends := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			var mended atomic.Bool
			from := &source{row: connector.Row{"body": "b"}, fault: func() error {
				if mended.Load() {
					return nil
				}
				return errKey
			}}
			r := newRig(t, toasted, reading(from))
			p := r.submit(part(5, "c"))
			synctest.Wait()
			require.Equal(t, Halted, r.table.Condition().State)
			require.Contains(t, r.table.Condition().Cause, "read body of a row of app.articles from Postgres")
			<-time.After(10 * time.Minute)
			require.False(t, p[0].settled())
			if mends {
				mended.Store(true)
				require.Equal(t, []Kind{Indexed}, kinds(t, p))
				require.Equal(t, Running, r.table.Condition().State)
				return
			}
			r.stop()
			require.Equal(t, []Kind{Interrupted}, kinds(t, p))
		})
	}
}

func TestDroppedMetadataIsCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		c := upserted(1, 1, "a")
		c.After["price"] = math.NaN()
		kinds(t, r.submit(c))
		require.Equal(t, 1, r.ledger.dropped)
	})
}

// anyRow is a table to read from, whose rows are all alike.
type anyRow connector.Row

func (a anyRow) Fetch(context.Context, *connector.Change, []connector.Column, []string) (connector.Row, bool, error) {
	return connector.Row(a), true, nil
}

// An older change whose text would be empty says nothing of the text, and all that it knows of the rest.
func TestAnOlderChangeWithoutATextKeepsItsMetadata(t *testing.T) {
	t.Parallel()
	b := newBuilder(t, document.Spec{Table: "app.articles", Text: "{{.body}}", Identity: "m", Metadata: []document.Field{{Column: "notes"}}})
	p := planner{builder: b}
	first := p.plan(itemsOf(withNotes(whole(1, "a", "B1"), "N1")), known{})
	ahead := p.plan(itemsOf(withNotes(part(21, "a"), left)), known{stored: first.want})
	for name, c := range map[string]struct {
		body, notes any
		action      action
	}{
		"blank":          {"  ", "N5", refresh},
		"blank, no more": {"  ", left, skip},
	} {
		d := p.plan(itemsOf(withNotes(whole(5, "a", c.body.(string)), c.notes)), known{stored: ahead.want})
		require.Equal(t, c.action, d.action, name)
		if c.action == skip {
			continue
		}
		require.Equal(t, "N5", d.records[0].Metadata["notes"], name)
		require.Equal(t, version(5), d.want.AsOf("notes"), name)
		require.Equal(t, version(1), d.want.AsOf("body"), name)
		require.Equal(t, ahead.want.Fingerprint, d.want.Fingerprint, name)
	}
}
