package verify

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// passRecords looks for records of rows that the table does not have, and for chunks beyond a row's end. Pages overlap: when records
// are removed meanwhile, those behind move up, and what would be skipped is seen by an id of the page before that is gone from its place.
func (c *comparison) passRecords(ctx context.Context) error {
	total, err := c.Index.Count(ctx)
	if err != nil {
		return fmt.Errorf("count the collection of table %s: %w", c.Table, err)
	}
	if c.Sample > 0 && c.Sample < total {
		return c.sampleRecords(ctx, total)
	}
	c.expected.sort()
	before := map[string]struct{}{}
	for offset := 0; ; {
		page, err := c.Index.IDs(ctx, offset, c.sizes.page)
		if err != nil {
			return fmt.Errorf("list the collection of table %s: %w", c.Table, err)
		}
		fresh := slices.DeleteFunc(slices.Clone(page), func(id string) bool { _, old := before[id]; return old })
		if offset > 0 && len(fresh) == len(page) && len(before) > 0 {
			offset = max(0, offset-c.sizes.page) // everything has moved up by more than the overlap
			continue
		}
		if err := c.strangers(ctx, fresh, total); err != nil {
			return err
		}
		if len(page) < c.sizes.page {
			return nil
		}
		clear(before)
		for _, id := range page {
			before[id] = struct{}{}
		}
		offset += c.sizes.page - c.sizes.overlap
	}
}

// strangers compares those ids that the pass over the rows did not expect, or did not remember.
func (c *comparison) strangers(ctx context.Context, ids []string, total int) error {
	c.report.Records += len(ids)
	c.tell("records", c.report.Records, total)
	strange := slices.DeleteFunc(ids, c.expected.has)
	for part := range slices.Chunk(strange, c.sizes.check) {
		if err := c.records(ctx, part); err != nil {
			return err
		}
		c.tell("records", c.report.Records, total)
	}
	return nil
}

func (c *comparison) sampleRecords(ctx context.Context, total int) error {
	for c.report.Records < c.Sample {
		page, err := c.Index.IDs(ctx, rand.IntN(max(1, total-sampleRun+1)), min(sampleRun, c.Sample-c.report.Records)) //nolint:gosec // a sample, no secret
		if err != nil {
			return fmt.Errorf("list the collection of table %s: %w", c.Table, err)
		}
		if len(page) == 0 {
			return nil
		}
		c.report.Records += len(page)
		if err := c.records(ctx, page); err != nil {
			return err
		}
		c.tell("records", c.report.Records, c.Sample)
	}
	return nil
}

// sighting is a row of which the index has records.
type sighting struct {
	id    string
	key   Key
	extra []string // its records but the first
}

// records compares ids of the index with the table's keys.
func (c *comparison) records(ctx context.Context, ids []string) error {
	rows, err := c.sight(ctx, ids)
	if err != nil {
		return err
	}
	keys := make([]Key, 0, len(rows))
	for _, s := range rows {
		if s.key != nil {
			keys = append(keys, s.key)
		}
	}
	there, err := c.there(ctx, keys)
	if err != nil {
		return err
	}
	var chunked []string
	for _, s := range rows {
		if there[s.id] && len(s.extra) > 0 {
			chunked = append(chunked, s.id)
		}
	}
	counts, err := c.counts(ctx, chunked)
	if err != nil {
		return err
	}
	for _, s := range rows {
		if !there[s.id] || tail(s.extra, counts[s.id]) {
			c.settle.put(0, suspect{id: s.id, key: s.key, extra: s.extra, records: true})
		}
	}
	return c.again(ctx, maxSuspects)
}

// tail reports whether one of the records is not among the row's first count.
func tail(records []string, count int) bool {
	return slices.ContainsFunc(records, func(id string) bool {
		_, index := recordID(id)
		return index >= count
	})
}

// sight groups ids by row, leaves out those of other tables, and finds the rows' keys.
func (c *comparison) sight(ctx context.Context, ids []string) ([]*sighting, error) {
	var rows []*sighting
	byID := map[string]*sighting{}
	var hashes []string
	for _, id := range ids {
		row, chunk := recordID(id)
		s := byID[row]
		if s == nil {
			s = &sighting{id: row}
			byID[row] = s
			rows = append(rows, s)
			if hashed(row) {
				hashes = append(hashes, id)
			}
		}
		if chunk != 0 {
			s.extra = append(s.extra, id)
		}
	}
	full, err := c.fullKeys(ctx, hashes)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(rows, func(s *sighting) bool {
		name := s.id
		if hashed(name) {
			name = full[name]
		}
		s.key = c.parse(name)
		return s.key == nil && !c.claims(name)
	}), nil
}

// parse turns an id, or the key behind a hash, into a key of the table; nil when it cannot be one.
func (c *comparison) parse(name string) Key {
	values, ok := parts(name, c.prefix, len(c.table.Key))
	if !ok {
		return nil
	}
	for i, at := range c.table.Key {
		if values[i], ok = c.table.Columns[at].Stored(values[i], c.form); !ok {
			return nil
		}
	}
	return values
}

// claims reports whether a record that cannot be one of the table's rows is the table's to report.
func (c *comparison) claims(name string) bool {
	if c.Shared == nil || strings.HasPrefix(name, c.prefix) {
		return true
	}
	return c.Answers && !slices.ContainsFunc(c.others, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}
