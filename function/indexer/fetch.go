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

// readers is how many rows of a table are read from Postgres at a time. It has other work.
const readers = 4

// read reads what changes lack from the table, for rows that were set aside, until none is left or the table is drained. While Postgres
// fails one row at a time asks it, another one each time: what is not shown to one yet may be to the next.
//
// The row that is read may be newer than the change. Then a later change is on its way that says so; until it comes the index holds
// columns that are too new for its version. It is never older than the change: a Columns that cannot be sure of that fails, and is asked
// again (Columns.Fetch). The row is looked up and planned again after it, as it may have changed meanwhile.
func (t *Table) read() {
	trouble, wait := t.cond.operation(), t.waiter(t.ctx)
	for more, failed := true, false; more && !t.isDraining(); {
		if _, err := t.backoff.do(t.ctx, trouble, wait, func(context.Context) (err error) {
			more, err = t.readSome(failed)
			failed = err != nil
			return err
		}); err != nil {
			return
		}
	}
}

// readSome makes one attempt for the next rows, one or a few, and puts those that it failed for at the end of the line.
func (t *Table) readSome(one bool) (more bool, err error) {
	rows := t.takeLacking(one)
	if len(rows) == 0 {
		return false, nil
	}
	left, err := t.readAll(rows)
	t.lack(left)
	return true, err
}

// takeLacking removes the rows that are read next. When there is none the reading is over.
func (t *Table) takeLacking(one bool) []*row {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := min(len(t.aside.lacking), readers)
	if one {
		n = min(n, 1)
	}
	rows := slices.Clone(t.aside.lacking[:n])
	t.aside.lacking = slices.Delete(t.aside.lacking, 0, n)
	t.aside.reading = n > 0
	return rows
}

// lack puts rows at the end of the line again.
func (t *Table) lack(rows []*row) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.aside.lacking = append(t.aside.lacking, rows...)
}

// readAll makes one attempt for each of some rows, all at once. It returns those that were not read, and the worst reason.
func (t *Table) readAll(rows []*row) (left []*row, err error) {
	errs := make([]error, len(rows))
	var work sync.WaitGroup
	for i, r := range rows {
		work.Go(func() { errs[i] = t.readRow(r) })
	}
	work.Wait()
	for i, e := range errs {
		if e == nil {
			continue
		}
		left = append(left, rows[i])
		if err == nil || Classify(e) == ClassHalt {
			err = e
		}
	}
	return left, err
}

// readRow makes one attempt of reading what a row lacks. One that was read, or never can be, is out of the line.
func (t *Table) readRow(r *row) error {
	it := r.decision.winner
	found, err := t.columnsOf(it.Change, r.decision.columns)
	switch {
	case err == nil:
		if it.fetched == nil {
			it.fetched = make(connector.Row)
		}
		maps.Copy(it.fetched, found)
	case Classify(err) != ClassPoison:
		return err
	case !t.reject(r, it, "fetch", err):
		t.gone(r)
		return nil
	}
	t.back(r)
	return nil
}

// columnsOf makes one attempt of reading the named columns of a change's row.
func (t *Table) columnsOf(c *connector.Change, columns []string) (connector.Row, error) {
	key, err := t.builder.Key(c)
	if err != nil {
		return nil, err
	}
	found, is, err := t.columns.Fetch(t.ctx, c, key, columns)
	if err != nil {
		return nil, fmt.Errorf("read %s of a row of %s from Postgres: %w", strings.Join(columns, ", "), c.Table, err)
	}
	if !is {
		return nil, &fault{
			class: ClassPoison, reason: reasonRowGone, text: fmt.Sprintf("the %s of %s left columns %s as they were, and Postgres "+
				"has no such row any more: if it was deleted, its deletion follows and nothing is lost", c.Op, c.Table, strings.Join(columns, ", ")),
		}
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
