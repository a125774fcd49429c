package verify

import (
	"context"
	"fmt"
	"slices"

	"github.com/rowvec/rowvec/function/document"
)

// maxIdle is how many pages may bring nothing new while the index counts more records than it has listed.
const maxIdle = 3

// passRecords looks for records of rows that the table does not have, and for chunks beyond a row's end. Pages overlap: when records
// are removed meanwhile, those behind move up, and what would be skipped is seen by an id of the page before that is gone from its place.
// A short page is the last one only if the index counts no more records than that.
func (c *comparison) passRecords(ctx context.Context) error {
	if err := c.count(ctx); err != nil {
		return err
	}
	if c.Sample > 0 {
		return c.sampleRecords(ctx)
	}
	c.expected.sort()
	before := map[string]struct{}{}
	for offset, overlap, idle := 0, 0, 0; ; {
		page, err := c.list(ctx, offset, c.sizes.page)
		if err != nil {
			return err
		}
		fresh := slices.DeleteFunc(slices.Clone(page), func(id string) bool { _, old := before[id]; return old })
		if offset > 0 && overlap > 0 && len(fresh) == len(page) {
			offset = max(0, offset-c.sizes.page) // everything has moved up by more than the overlap
			continue
		}
		if idle++; len(fresh) > 0 {
			idle = 0
		}
		if err := c.strangers(ctx, fresh); err != nil {
			return err
		}
		if len(page) < c.sizes.page {
			if err := c.count(ctx); err != nil || c.total <= offset+len(page) {
				return err
			}
		}
		if idle == maxIdle {
			return fmt.Errorf("list the collection of table %s: it counts %d records and lists %d", c.Table, c.total, offset+len(page))
		}
		clear(before)
		for _, id := range page {
			before[id] = struct{}{}
		}
		overlap = min(c.sizes.overlap, len(page)/2)
		offset += len(page) - overlap
	}
}

// count asks how many records there are.
func (c *comparison) count(ctx context.Context) (err error) {
	if c.total, err = c.Index.Count(ctx); err != nil {
		return fmt.Errorf("count the collection of table %s: %w", c.Table, err)
	}
	return nil
}

func (c *comparison) list(ctx context.Context, offset, limit int) ([]string, error) {
	page, err := c.Index.IDs(ctx, offset, limit)
	if err != nil {
		return nil, fmt.Errorf("list the collection of table %s: %w", c.Table, err)
	}
	return page, nil
}

// strangers compares those ids that the pass over the rows did not expect, or did not remember.
func (c *comparison) strangers(ctx context.Context, ids []string) error {
	c.report.Records += len(ids)
	c.tell("records", c.report.Records, c.total)
	strange := slices.DeleteFunc(ids, c.expected.has)
	for part := range slices.Chunk(strange, c.sizes.check) {
		if err := c.records(ctx, part); err != nil {
			return err
		}
		c.tell("records", c.report.Records, c.total)
	}
	return nil
}

// records compares ids of the index with the table's keys. A record without a mark of rowvec's is nobody's business here.
func (c *comparison) records(ctx context.Context, ids []string) error {
	rows, err := c.sight(ctx, ids)
	if err != nil {
		return err
	}
	doubtful, err := c.doubtful(ctx, rows)
	if err != nil {
		return err
	}
	var all []string
	for _, s := range doubtful {
		all = append(all, s.records...)
	}
	marked, err := c.marked(ctx, all)
	if err != nil {
		return err
	}
	for _, s := range doubtful {
		own := slices.DeleteFunc(s.records, func(id string) bool { return !marked[id] })
		if len(own) == 0 {
			continue
		}
		extra := slices.DeleteFunc(slices.Clone(own), func(id string) bool { return id == s.id })
		c.settle.put(0, suspect{id: s.id, key: s.key, extra: extra, listed: len(own), records: true})
	}
	return c.again(ctx, maxSuspects)
}

// doubtful returns those rows that the table does not have, and those that have records behind their end.
func (c *comparison) doubtful(ctx context.Context, rows []*sighting) ([]*sighting, error) {
	keys := make([]Key, 0, len(rows))
	for _, s := range rows {
		if s.key != nil {
			keys = append(keys, s.key)
		}
	}
	there, err := c.there(ctx, keys)
	if err != nil {
		return nil, err
	}
	var chunked []string
	for _, s := range rows {
		if there[s.id] && (len(s.records) > 1 || s.records[0] != s.id) {
			chunked = append(chunked, s.id)
		}
	}
	counts, err := c.counts(ctx, chunked)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(rows, func(s *sighting) bool { return there[s.id] && !tail(s.records, counts[s.id]) }), nil
}

// tail reports whether one of the records is not among the row's first count.
func tail(records []string, count int) bool {
	return slices.ContainsFunc(records, func(id string) bool {
		_, index := document.RowOf(id)
		return index > 0 && index >= count
	})
}
