package verify

import (
	"context"
	"fmt"
	"slices"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/indexer"
)

// maxRounds bounds how often is mended: some faults lie under others (a tail under a missing first record), and changes go on.
const maxRounds = 4

// maxFailures is how many failures are shown.
const maxFailures = maxExamples

// maxRefused is how many rows that cannot be mended are known again.
const maxRefused = 1 << 16

// repair compares and mends in turn until nothing is left or nothing gets better, or could. The report is that of the last comparison, with
// what has become of the faults that all of them found.
func (c *comparison) repair(ctx context.Context) error {
	previous, tried := 0, 0 // tried counts the rounds that left no row to the next
	if err := c.count(ctx); err != nil {
		return err
	}
	before := c.total // of what the repair adds itself no ghosts are a share
	for c.round = 0; ; c.round++ {
		if c.round > 0 {
			c.reset()
		}
		if err := c.pass(ctx); err != nil {
			return err
		}
		c.found = append(c.found, c.culling.decide(before, c.total, c.report.Records)...)
		left := c.report.Total()
		if c.over(left, tried > 1 && left >= previous) {
			c.conclude()
			return nil
		}
		previous = left
		if err := c.mend(ctx); err != nil {
			return err
		}
		if !c.mended && !c.partial() { // all that is left was refused: another comparison would find the same
			c.conclude()
			return nil
		}
		if !c.deferred && !c.partial() {
			tried++
		}
	}
}

// over reports whether a comparison's word is the last: nothing is left, or mending it is in vain. Not that of a first one that has left rows out.
func (c *comparison) over(left int, vain bool) bool {
	switch {
	case c.partial():
		return false
	case left == 0 || vain || c.round == maxRounds:
		return true
	default:
		return !c.mended && c.hopeless()
	}
}

// hopeless reports whether nothing was found but rows that could not be mended before: refused for what they were, they would be again. A row that
// is gone by now is not: to remove it is another matter.
func (c *comparison) hopeless() bool {
	return !slices.ContainsFunc(c.found, func(s suspect) bool {
		_, refused := c.refused[s.id]
		return !refused || s.kind == Ghost
	})
}

// conclude adds what was mended to the report of the last comparison.
func (c *comparison) conclude() {
	if len(c.tally.faults) == 0 {
		return
	}
	r := &Repair{Rounds: c.rounds, Mended: c.tally.gone(), Failed: []Failure{}}
	if c.report.Total() > 0 {
		r.Failed, r.Refused = append(r.Failed, c.standing()...), c.culling.refused
	}
	c.report.Repair = r
}

// standing are the failures of rows that the last comparison found: others may have come right, or gone, without the repair.
func (c *comparison) standing() []Failure {
	return slices.DeleteFunc(c.failed, func(f Failure) bool {
		return !c.tally.has(f.id, c.round)
	})
}

// mend brings the rows that were found wrong into the index, each in the state that Postgres has now, and removes what is nobody's. A row that
// was missing and has come since is left to the next round.
//
// It goes the way of every change: through the indexer, with a version, so that the live function and it cannot undo each other's
// newer work (Postgres.Fence). What the indexer would take for done, because the commit mark says so, or cannot know, because the mark
// counts fewer records than there are, is told beside the change (indexer.Repair), and written behind the same fence as the change. A
// live change that slips in between wins; then this round mends nothing, and the next comparison tells.
//
// Only what no change can speak of is removed directly: records whose id no row can have, and chunks without a first record of a row
// that the table does not have. Right before, it is made sure that there still is no first record.
func (c *comparison) mend(ctx context.Context) error {
	batch := c.found
	c.found = nil
	if len(batch) == 0 {
		return nil
	}
	if !c.tried {
		c.tried = true
		c.rounds++
	}
	version, err := c.Source.Fence(ctx)
	if err != nil {
		return fmt.Errorf("mend table %s: %w", c.Table, err)
	}
	done := 0
	for part := range c.parts(batch) {
		c.tell("mending", done, len(batch))
		if err := c.mendPart(ctx, part, version); err != nil {
			return fmt.Errorf("mend table %s: %w", c.Table, err)
		}
		done += len(part)
	}
	c.tell("mending", done, len(batch))
	return nil
}

func (c *comparison) mendPart(ctx context.Context, batch []suspect, version connector.Version) error {
	v, err := c.look(ctx, batch)
	if err != nil {
		return err
	}
	p := &plan{c: c, v: v, version: version, planned: map[string]bool{}}
	for i := range batch {
		p.add(&batch[i])
	}
	if err := p.clear(ctx); err != nil {
		return err
	}
	outcomes, err := c.Applier.Apply(ctx, p.changes)
	if err != nil {
		return err
	}
	refused := map[string]bool{}
	for i, o := range outcomes {
		if o.Kind == indexer.Poison {
			refused[o.RowID] = true
			c.fail(o.RowID, Failure{id: o.RowID, Row: clip(plain(o.RowID)), Kind: p.kinds[i], Reason: clip(plain(reason(o)))})
			continue
		}
		c.succeed(o.RowID)
		c.deferred = c.deferred || o.Kind == indexer.Stale && p.changes[i].Repair.Absent
	}
	c.mended = c.mended || len(p.removed) > 0 || slices.ContainsFunc(batch, func(s suspect) bool { return !refused[s.id] })
	return nil
}

// fail notes a row that cannot be mended; each round meets it again.
func (c *comparison) fail(id string, f Failure) {
	if len(c.refused) < maxRefused {
		c.refused[id] = struct{}{}
	}
	known := slices.ContainsFunc(c.failed, func(other Failure) bool { return other.id == f.id })
	if !known && len(c.failed) < maxFailures {
		c.failed = append(c.failed, f)
	}
}

// succeed takes back what was noted of a row that could not be mended before, and has changed since.
func (c *comparison) succeed(id string) {
	if _, refused := c.refused[id]; !refused {
		return
	}
	delete(c.refused, id)
	c.failed = slices.DeleteFunc(c.failed, func(f Failure) bool { return f.id == id })
}

func reason(o indexer.Outcome) string {
	if o.Err != nil {
		return o.Err.Error()
	}
	return o.Reason
}
