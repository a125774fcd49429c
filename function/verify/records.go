package verify

import (
	"context"
	"fmt"
	"slices"

	"github.com/rowvec/rowvec/function/document"
)

// maxIdle is how many pages may bring nothing new while the index counts more records than it has listed.
const maxIdle = 3

// passRecords looks for records of rows that the table does not have, and for chunks beyond a row's end.
func (c *comparison) passRecords(ctx context.Context) error {
	if err := c.count(ctx); err != nil {
		return err
	}
	if c.Sample > 0 {
		return c.sampleRecords(ctx)
	}
	c.expected.sort()
	l := &listing{comparison: c, met: newListed(maxListed), before: map[string]struct{}{}, end: c.total}
	for over := false; !over; {
		var err error
		if over, err = l.next(ctx); err != nil {
			return err
		}
	}
	c.total = min(c.total, c.report.Records) // the share of ghosts is one of the records that were looked at
	return nil
}

// listing is a pass over the ids of the index. Pages overlap: when records are removed meanwhile, those behind move up, and what would be
// skipped is seen by an id of the page before that is gone from its place.
//
// What is inserted while the pass goes on is not its concern, so that it ends beside steady inserts: a record that was there at the
// beginning stands before the end that was counted then, and before each that was counted since.
type listing struct {
	*comparison
	met     *listed
	before  map[string]struct{} // ids of the page before
	offset  int                 // of the next page
	overlap int                 // of it with the page before
	reach   int                 // the place behind the page before
	end     int                 // the place behind all that concerns the pass
	idle    int                 // pages since one brought something new
}

// next lists a page, and compares what is on it. It returns true if it was the last.
func (l *listing) next(ctx context.Context) (over bool, err error) {
	page, err := l.list(ctx, l.offset, l.sizes.page)
	if err != nil {
		return false, err
	}
	fresh := 0
	for _, id := range page {
		if _, old := l.before[id]; !old {
			fresh++
		}
	}
	if l.offset > 0 && l.overlap > 0 && fresh == len(page) {
		l.offset, l.reach = max(0, l.offset-l.sizes.page), 0 // everything has moved up by more than the overlap
		return false, nil
	}
	if err := l.strangers(ctx, l.met.add(l.offset, page)); err != nil {
		return false, err
	}
	reach := l.offset + len(page)
	if over, err = l.ends(ctx, len(page), reach, fresh); over || err != nil {
		return over, err
	}
	clear(l.before)
	for _, id := range page {
		l.before[id] = struct{}{}
	}
	l.overlap = min(l.sizes.overlap, len(page)/2)
	l.reach, l.offset = reach, reach-l.overlap
	return false, nil
}

// ends reports whether a page is the last. A short one is so only if the index counts no more records than that; or if it reaches no further
// than the one before, while records come and go: how many there are then is another matter at each look.
func (l *listing) ends(ctx context.Context, n, reach, fresh int) (bool, error) {
	if l.idle++; fresh > 0 {
		l.idle = 0
	}
	if n < l.sizes.page {
		if err := l.count(ctx); err != nil {
			return false, err
		}
		l.end = min(l.end, l.total)
		if reach < l.reach || reach == l.reach && fresh > 0 {
			return true, nil
		}
	}
	if reach < l.end && l.idle == maxIdle {
		return false, fmt.Errorf("list the collection of table %s: it counts %d records and lists %d", l.Table, l.end, reach)
	}
	return reach >= l.end, nil
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
	return c.again(ctx, maxSuspects) // without strangers, too: how late a change was is known only when it is looked at
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
