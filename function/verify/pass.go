package verify

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/rowvec/rowvec/chroma"
)

// ahead is how many pages of rows are read before they are looked up.
const ahead = 1

// pass compares the whole table, or a sample of it, once.
func (c *comparison) pass(ctx context.Context) error {
	if err := c.passRows(ctx); err != nil {
		return err
	}
	if c.ghosts == "" {
		if err := c.passRecords(ctx); err != nil {
			return err
		}
	}
	c.ending = true
	if err := c.again(ctx, 0); err != nil {
		return err
	}
	c.note()
	return nil
}

func (c *comparison) tell(phase string, done, total int) {
	if c.Progress != nil {
		c.Progress(Progress{Table: c.Table, Phase: phase, Done: done, Total: max(total, done), Faults: c.report.Total()})
	}
}

// fetched is a page of rows with their records.
type fetched struct {
	entries []*entry
	records map[string]chroma.Match
}

// passRows compares rows with their records. Pages are read, made into documents and looked up while others are compared, but looked up one at a
// time: beside changes that are written Chroma answers three large requests at once more slowly than one after the other, and the function's small
// ones behind them later still (DESIGN §10).
func (c *comparison) passRows(ctx context.Context) error {
	total := c.table.Estimate
	if c.Sample > 0 {
		total = min(total, c.Sample)
	}
	pages, done := make(chan []*entry, ahead), make(chan fetched)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(pages)
		return c.readPages(ctx, func(rows []Row) error {
			entries, err := c.entries(rows)
			if err != nil {
				return err
			}
			return send(ctx, pages, entries)
		})
	})
	group.Go(func() error {
		defer close(done)
		return c.fetch(ctx, pages, done)
	})
	group.Go(func() error {
		for page := range done {
			if err := c.compare(ctx, page); err != nil {
				return err
			}
			c.tell("rows", c.report.Rows, total)
		}
		return nil
	})
	return group.Wait() //nolint:wrapcheck // what failed says what it did
}

func send[T any](ctx context.Context, to chan<- T, v T) error {
	select {
	case to <- v:
		return nil
	case <-ctx.Done():
		return ctx.Err() //nolint:wrapcheck // the group's own
	}
}

// fetch looks up pages until there are no more.
func (c *comparison) fetch(ctx context.Context, pages <-chan []*entry, done chan<- fetched) error {
	for entries := range pages {
		var ids []string
		for _, e := range entries {
			ids = append(ids, e.ids()...)
		}
		records, err := c.Index.Records(ctx, ids)
		if err != nil {
			return fmt.Errorf("read the collection of table %s: %w", c.Table, err)
		}
		if err := send(ctx, done, fetched{entries, records}); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparison) readPages(ctx context.Context, yield func([]Row) error) error {
	if c.Sample == 0 {
		return c.Source.Pages(ctx, c.table, yield)
	}
	return c.sampleRows(ctx, yield)
}

func (c *comparison) compare(ctx context.Context, page fetched) error {
	for _, e := range page.entries {
		c.report.Rows++
		c.expected.add(e)
		if f := c.judge.row(e, e.id, nil, page.records); f != nil {
			if f.kind == Missing {
				c.missing++
			}
			s := suspect{id: e.id, key: e.key}
			s.bytes = weigh(e, &s, page.records)
			c.settle.put(0, s)
		}
	}
	return c.again(ctx, maxSuspects)
}
