package verify

import (
	"context"
	"math/rand/v2"
	"slices"
)

const (
	// sampleRun is how many neighbouring ids a sample takes at a time, at least; and sampleRuns about how many times, as the index goes
	// through all records before a page.
	sampleRun  = 50
	sampleRuns = 20
)

// sample is what a comparison of a sample looks at: drawn once, so that each round of a repair judges the same rows and records.
type sample struct {
	drawn, listed bool
	keys          []Key
	ids           []string
}

// sampleRows yields the rows of the sample that the table still has.
func (c *comparison) sampleRows(ctx context.Context, yield func([]Row) error) error {
	if !c.sample.drawn {
		rows, err := c.Source.Sample(ctx, c.keys, c.Sample)
		if err != nil {
			return err
		}
		c.sample.drawn, c.sample.keys = true, make([]Key, len(rows))
		for i, row := range rows {
			c.sample.keys[i] = c.keys.key(row)
		}
	}
	keys := c.sample.keys
	for limit := firstPage; len(keys) > 0; {
		n := min(limit, len(keys))
		page, err := c.Source.Find(ctx, c.table, keys[:n])
		if err != nil {
			return err
		}
		if len(page) > 0 {
			if err := yield(page); err != nil {
				return err
			}
			limit = max(1, nextPage(page))
		}
		keys = keys[n:]
	}
	return nil
}

// sampleRecords compares records at random places with the table.
func (c *comparison) sampleRecords(ctx context.Context) error {
	if !c.sample.listed {
		if err := c.drawRecords(ctx); err != nil {
			return err
		}
		c.sample.listed = true
	}
	c.expected.sort()
	for part := range slices.Chunk(slices.Clone(c.sample.ids), c.sizes.check) {
		c.report.Records += len(part)
		if err := c.records(ctx, slices.DeleteFunc(part, c.expected.has)); err != nil {
			return err
		}
		c.tell("records", c.report.Records, len(c.sample.ids))
	}
	return nil
}

// drawRecords takes some of the runs into which the list of records is cut.
func (c *comparison) drawRecords(ctx context.Context) error {
	run := min(max(sampleRun, c.Sample/sampleRuns), c.sizes.page)
	for _, at := range rand.Perm((c.total + run - 1) / run) { //nolint:gosec // a sample, no secret
		page, err := c.list(ctx, at*run, min(run, c.Sample-len(c.sample.ids)))
		if err != nil {
			return err
		}
		if c.sample.ids = append(c.sample.ids, page...); len(c.sample.ids) >= c.Sample {
			return nil
		}
	}
	return nil
}
