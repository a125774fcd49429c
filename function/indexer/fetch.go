package indexer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/rowvec/rowvec/connector"
)

// fetching is the reading of what a change lacks.
type fetching struct {
	row     *row
	item    *item
	columns []string
	found   connector.Row
	err     error // poison or interrupted
}

// fetch reads what changes lack from the table, one by one, as few changes need it, and beside the embedding and writing of the other
// rows. It returns a function that waits until nothing of it runs any more; cancel ctx before to hurry it.
//
// The row that is read may be newer than the change. Then a later change is on its way that says so; until it comes the index holds
// columns that are too new for its version. It is never older than the change: a Columns that cannot be sure of that fails, and is asked
// again (Columns.Fetch).
func (p *pass) fetch(ctx context.Context, rows []*row) (wait func()) {
	asked := make([]fetching, len(rows))
	for i, r := range rows {
		p.open[r] = struct{}{}
		asked[i] = fetching{row: r, item: r.decision.winner, columns: r.decision.columns}
	}
	var worker sync.WaitGroup
	worker.Go(func() {
		for _, f := range asked {
			f.found, f.err = p.read(ctx, f.item.Change, f.columns)
			p.fetched <- f // has room for all
		}
	})
	return worker.Wait
}

// filled takes columns that were read. The row is looked up and planned again: it may have changed meanwhile.
func (p *pass) filled(f fetching) {
	delete(p.open, f.row)
	switch {
	case f.err == nil:
		if f.item.fetched == nil {
			f.item.fetched = make(connector.Row)
		}
		maps.Copy(f.item.fetched, f.found)
		p.again = append(p.again, f.row)
	case Classify(f.err) != ClassPoison:
		p.interrupt([]*row{f.row})
	case p.reject(f.row, f.item, "fetch", f.err):
		p.again = append(p.again, f.row)
	}
}

// read returns the named columns of a change's row.
func (p *pass) read(ctx context.Context, c *connector.Change, columns []string) (connector.Row, error) {
	key, err := p.table.builder.Key(c)
	if err != nil {
		return nil, err
	}
	var found connector.Row
	_, err = p.retry(ctx, nil, func(ctx context.Context) error {
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
	return found, nil
}

// reasonRowGone is the reason of a change whose row the table does not have.
const reasonRowGone = "row_gone"
