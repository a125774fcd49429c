package verify

import (
	"context"
	"fmt"
	"slices"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/function/indexer"
)

// plan is what mending some rows takes.
type plan struct {
	c       *comparison
	v       *view
	version connector.Version
	changes []indexer.Record
	kinds   []Kind    // of changes
	removed []string  // records to remove directly
	orphans []suspect // chunks to remove unless their row's first record has come
	planned map[string]bool
}

// add plans one row as it is now.
func (p *plan) add(s *suspect) {
	e := p.v.rows[s.id]
	f := p.c.judge.row(e, s.id, s.extra, p.v.records)
	if f == nil {
		p.c.succeed(s.id)
		return
	}
	first, has := p.v.records[s.id]
	has = has && hasMark(first.Metadata)
	switch {
	case e == nil && (s.key == nil || !has):
		p.remove(s)
		return
	case s.kind == Missing && has && p.came(e, first):
		p.c.deferred = true
		p.c.succeed(s.id)
		return
	case p.planned[s.id]:
		return
	case e == nil:
		p.planned[s.id] = true
		p.change(p.deletion(s), f.kind, p.repair(s, e, f))
		return
	case e.absent() && !has: // its chunks alone are there
		p.orphans = append(p.orphans, *s)
		return
	}
	p.planned[s.id] = true
	if has && !f.damaged {
		p.c.leaveUntold(e.change, first)
	}
	e.change.Version = p.version
	p.change(e.change, f.kind, p.repair(s, e, f))
}

// came reports whether somebody else has brought a row since the comparison, which found none: it is left to him (Repair.Absent), and the next
// comparison judges it. Not so one that is gone from the table, if no comparison would find it.
func (p *plan) came(e *entry, first chroma.Match) bool {
	state, err := document.ParseState(first.Metadata)
	own := err == nil && state.Fingerprint != "" && state.Version.SameChange(p.version) // of an earlier part
	return !own && (e != nil || p.c.ghosts == "")
}

func (p *plan) change(c *connector.Change, kind Kind, r *indexer.Repair) {
	p.changes, p.kinds = append(p.changes, indexer.Record{Change: c, Repair: r}), append(p.kinds, kind)
}

// maxTail is how far behind the end of a row a record may stand for the indexer to clear away all that may lie between.
const maxTail = 10_000

// repair is what the indexer cannot know of a row from its mark: how far its records reach, that they are not what the mark stands for, and
// the keys that they have too many. Records that cannot be the row's, as they stand far behind its end, are removed directly.
func (p *plan) repair(s *suspect, e *entry, f *finding) *indexer.Repair {
	r := &indexer.Repair{Text: f.kind == Stale || f.kind == Chunks, Absent: f.kind == Missing}
	if state, err := document.ParseState(p.v.records[s.id].Metadata); err == nil {
		r.Chunks = state.Chunks
	}
	var own []string
	if e != nil {
		own = e.ids()
	}
	end := max(r.Chunks, len(own))
	for _, id := range slices.Concat(own, s.extra) {
		if _, has := p.v.records[id]; !has {
			continue
		}
		if _, index := document.RowOf(id); index < end+maxTail {
			r.Chunks = max(r.Chunks, index+1)
		} else {
			p.removed = append(p.removed, id)
		}
	}
	for _, keys := range f.surplus {
		r.Keys = append(r.Keys, keys...)
	}
	return r
}

// remove plans the removal of what no change can speak of, as far as it bears a mark.
func (p *plan) remove(s *suspect) {
	if s.key != nil {
		p.orphans = append(p.orphans, *s)
		return
	}
	p.removed = append(p.removed, p.marked(append([]string{s.id}, s.extra...))...)
}

// marked returns those of the records that rowvec wrote.
func (p *plan) marked(ids []string) []string {
	return slices.DeleteFunc(ids, func(id string) bool { return !hasMark(p.v.records[id].Metadata) })
}

// deletion is the change that removes a row that the table does not have. The key's texts are those of the id, which is all that an id
// is made of.
func (p *plan) deletion(s *suspect) *connector.Change {
	t := p.c.table
	full, _ := p.v.records[s.id].Metadata[document.KeyFullKey].(string)
	values, _ := p.c.ids.Key(s.id, full, len(t.Key))
	c := &connector.Change{Op: connector.Delete, Table: t.Name, Version: p.version, Before: connector.Row{}}
	for i, text := range values {
		column := connector.Column{Name: t.Columns[t.Key[i]].Name}
		if text != nil {
			column.Value = *text
		}
		c.Key = append(c.Key, column)
		c.Before[column.Name] = column.Value
	}
	return c
}

// clear removes what no change can speak of.
func (p *plan) clear(ctx context.Context) error {
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
		if !hasMark(firsts[s.id]) {
			gone = append(gone, p.marked(slices.Clone(s.extra))...)
		}
	}
	return gone, nil
}
