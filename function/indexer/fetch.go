package indexer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rowvec/rowvec/connector"
)

// fetch reads what changes lack from the table and plans their rows again. It happens one by one: few changes need it.
//
// The row that is read may be newer than the change. Then a later change is on its way that says so; until it comes the index holds
// columns that are too new for its version. It is never older than the change: a Columns that cannot be sure of that fails, and is asked
// again (Columns.Fetch).
func (p *pass) fetch(ctx context.Context) {
	for len(p.lacking) > 0 {
		r := p.lacking[0]
		p.lacking = p.lacking[1:]
		it := r.decision.winner
		change, err := p.filled(ctx, it.Change, r.decision.columns)
		switch {
		case err == nil:
			it.Change, it.fetched = change, true
			p.plan(r)
		case Classify(err) != ClassPoison:
			p.interrupt([]*row{r})
		case p.reject(r, it, "fetch", err):
			p.plan(r)
		}
	}
}

// filled returns the change with the named columns as the table has them now.
func (p *pass) filled(ctx context.Context, c *connector.Change, columns []string) (*connector.Change, error) {
	key, err := p.table.builder.Key(c)
	if err != nil {
		return nil, err
	}
	var found connector.Row
	_, err = p.retry(ctx, func(ctx context.Context) error {
		row, is, err := p.table.columns.Fetch(ctx, c, key, columns)
		if err != nil {
			return fmt.Errorf("read %s of a row of %s from Postgres: %w", strings.Join(columns, ", "), c.Table, err)
		}
		if !is {
			return &fault{
				class: ClassPoison, reason: reasonRowGone, text: fmt.Sprintf("the %s of %s left columns %s as they were, and Postgres "+
					"has no such row any more: if it was deleted, its deletion follows and nothing is lost", c.Op, c.Table, strings.Join(columns, ", ")),
			}
		}
		found = row
		return nil
	})
	if err != nil {
		return nil, err
	}
	// What is not among the answer would be asked for again, for ever.
	for _, name := range columns {
		if _, has := found[name]; !has {
			return nil, &fault{
				class: ClassPoison, reason: reasonRowGone,
				text: fmt.Sprintf("Postgres answered %v for column %q of %s", slices.Sorted(maps.Keys(found)), name, c.Table),
			}
		}
	}
	return c.With(found), nil
}

// reasonRowGone is the reason of a change whose row the table does not have.
const reasonRowGone = "row_gone"
