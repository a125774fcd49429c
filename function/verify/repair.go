package verify

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/function/indexer"
)

// maxRounds bounds how often is mended: some faults lie under others (a tail under a missing first record), and changes go on.
const maxRounds = 4

// maxFailures is how many failures are shown.
const maxFailures = maxExamples

// repair compares and mends in turn until nothing is left or nothing gets better, so that the last word is a comparison's. The report
// is that of the last comparison, with what has become of the faults that the first one found.
func (c *comparison) repair(ctx context.Context) error {
	var first *Report
	previous := 0
	for round := 0; ; round++ {
		if round > 0 {
			c.reset()
		}
		if err := c.pass(ctx); err != nil {
			return err
		}
		left := c.report.Total()
		if first == nil {
			first = c.report
		}
		if left == 0 || round == maxRounds || (round > 1 && left >= previous) {
			c.conclude(first, round)
			return nil
		}
		previous = left
		if err := c.mend(ctx); err != nil {
			return err
		}
	}
}

func (c *comparison) conclude(first *Report, rounds int) {
	if first.Total() == 0 {
		return
	}
	r := &Repair{Rounds: rounds, Mended: map[Kind]int{}, Failed: []Failure{}}
	for _, k := range Kinds() {
		r.Mended[k] = max(0, first.Faults[k]-c.report.Faults[k])
	}
	if c.report.Total() > 0 {
		r.Failed = append(r.Failed, c.failed...)
	}
	c.report.Repair = r
}

// mend brings the rows that were found wrong into the index, each in the state that Postgres has now, and removes what is nobody's.
//
// It goes the way of every change: through the indexer, with a version, so that the live function and it cannot undo each other's
// newer work (Postgres.Fence). What the indexer would take for done, because the commit mark says so, is announced first: the mark
// loses its fingerprint and counts every record there is, as the indexer itself announces a change that touches several records.
// A live change that slips in between puts its own mark there; then this round mends nothing, and the next comparison tells.
//
// Only what no change can speak of is removed directly: records whose id no row can have, and chunks without a first record of a row
// that the table does not have. Right before, it is made sure that there still is no first record.
func (c *comparison) mend(ctx context.Context) error {
	batch := c.found
	c.found = nil
	for part := range slices.Chunk(batch, mendBatch) {
		if err := c.mendPart(ctx, part); err != nil {
			return fmt.Errorf("mend table %s: %w", c.Table, err)
		}
	}
	return nil
}

func (c *comparison) mendPart(ctx context.Context, batch []suspect) error {
	c.tell("mending", 0, len(batch))
	version, err := c.Source.Fence(ctx)
	if err != nil {
		return err
	}
	v, err := c.look(ctx, batch)
	if err != nil {
		return err
	}
	p := &plan{c: c, v: v, version: version, updates: map[string]map[string]any{}, planned: map[string]bool{}}
	for i := range batch {
		p.add(&batch[i])
	}
	if err := p.prepare(ctx); err != nil {
		return err
	}
	outcomes, err := c.Applier.Apply(ctx, p.changes)
	if err != nil {
		return err
	}
	for i, o := range outcomes {
		if o.Kind == indexer.Poison {
			c.fail(Failure{Row: clip(plain(o.RowID)), Kind: p.kinds[i], Reason: clip(plain(reason(o)))})
		}
	}
	c.tell("mending", len(batch), len(batch))
	return nil
}

// fail notes a row that cannot be mended; each round meets it again.
func (c *comparison) fail(f Failure) {
	known := slices.ContainsFunc(c.failed, func(other Failure) bool { return other.Row == f.Row })
	if !known && len(c.failed) < maxFailures {
		c.failed = append(c.failed, f)
	}
}

func reason(o indexer.Outcome) string {
	if o.Err != nil {
		return o.Err.Error()
	}
	return o.Reason
}

// plan is what mending some rows takes.
type plan struct {
	c       *comparison
	v       *view
	version connector.Version
	changes []*connector.Change
	kinds   []Kind                    // of changes
	updates map[string]map[string]any // metadata to write before, by record
	removed []string                  // records to remove directly
	orphans []suspect                 // chunks to remove unless their row's first record has come
	planned map[string]bool
}

// add plans one row as it is now.
func (p *plan) add(s *suspect) {
	e := p.v.rows[s.id]
	f := p.c.judge.row(e, s.id, s.extra, p.v.records)
	if f == nil {
		return
	}
	first, has := p.v.records[s.id]
	switch {
	case e == nil && (s.key == nil || !has):
		p.remove(s)
		return
	case p.planned[s.id]:
		return
	case e == nil:
		p.change(p.deletion(s), f.kind)
		p.planned[s.id] = true
		return
	case e.absent() && !has:
		p.orphans = append(p.orphans, *s)
		return
	}
	p.planned[s.id] = true
	if f.damaged {
		p.removed = append(p.removed, s.id) // the indexer does not write over a mark that it cannot read
	} else if has {
		p.announce(s, e, f, first)
		p.c.leaveUntold(e.change, first)
	}
	for record, keys := range f.surplus {
		for _, key := range keys {
			p.update(record, key, nil)
		}
	}
	e.change.Version = p.version
	p.change(e.change, f.kind)
}

func (p *plan) change(c *connector.Change, kind Kind) {
	p.changes, p.kinds = append(p.changes, c), append(p.kinds, kind)
}

func (p *plan) update(record, key string, value any) {
	if p.updates[record] == nil {
		p.updates[record] = map[string]any{}
	}
	p.updates[record][key] = value
}

// remove plans the removal of what no change can speak of.
func (p *plan) remove(s *suspect) {
	if s.key != nil {
		p.orphans = append(p.orphans, *s)
		return
	}
	p.removed = append(append(p.removed, s.id), s.extra...)
}

// announce makes the commit mark of a row say that it is not done, where it would say that it is.
func (p *plan) announce(s *suspect, e *entry, f *finding, first chroma.Match) {
	if f.kind != Stale && f.kind != Chunks {
		return
	}
	state, err := document.ParseState(first.Metadata)
	if err != nil || state.Chunks == 0 { // a record that is not ours is replaced as it is
		return
	}
	count := max(state.Chunks, len(e.ids()))
	for _, id := range s.extra {
		if _, has := p.v.records[id]; has {
			if _, index := recordID(id); index >= count {
				count = index + 1
			}
		}
	}
	p.update(s.id, document.KeyFingerprint, "")
	p.update(s.id, document.KeyChunks, int64(count))
}

// deletion is the change that removes a row that the table does not have. The key's texts are those of the id, which is all that an id
// is made of.
func (p *plan) deletion(s *suspect) *connector.Change {
	t := p.c.table
	name := s.id
	if hashed(name) {
		name, _ = p.v.records[s.id].Metadata[document.KeyFullKey].(string)
	}
	values, _ := parts(name, p.c.prefix, len(t.Key))
	c := &connector.Change{Op: connector.Delete, Table: t.Name, Version: p.version, Before: connector.Row{}}
	for i, v := range values {
		column := connector.Column{Name: t.Columns[t.Key[i]].Name}
		if !v.Null {
			column.Value = v.Text
		}
		c.Key = append(c.Key, column)
		c.Before[column.Name] = column.Value
	}
	return c
}

// prepare writes what has to be there before the changes.
func (p *plan) prepare(ctx context.Context) error {
	ids := slices.Sorted(maps.Keys(p.updates))
	metas := make([]map[string]any, len(ids))
	for i, id := range ids {
		metas[i] = p.updates[id]
	}
	if len(ids) > 0 {
		if err := p.c.Index.Update(ctx, ids, metas); err != nil {
			return fmt.Errorf("announce: %w", err)
		}
	}
	gone := p.removed
	if len(p.orphans) > 0 {
		more, err := p.stillOrphans(ctx)
		if err != nil {
			return err
		}
		gone = append(gone, more...)
	}
	if len(gone) == 0 {
		return nil
	}
	if err := p.c.Index.Delete(ctx, gone); err != nil {
		return fmt.Errorf("remove records of no row: %w", err)
	}
	return nil
}

func (p *plan) stillOrphans(ctx context.Context) ([]string, error) {
	ids := make([]string, len(p.orphans))
	for i, s := range p.orphans {
		ids[i] = s.id
	}
	firsts, err := p.c.Index.Get(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("look up chunks without a row: %w", err)
	}
	var gone []string
	for _, s := range p.orphans {
		if _, has := firsts[s.id]; !has {
			gone = append(gone, s.extra...)
		}
	}
	return gone, nil
}
