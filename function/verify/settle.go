package verify

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"time"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/function/document"
)

// suspect is a row that differed when it was compared.
type suspect struct {
	id      string
	key     Key      // nil when the id cannot be one of the table's
	extra   []string // records that the index was seen to have of it besides those of the row's text
	listed  int      // how many of its records the pass over the records has seen
	records bool     // found by that pass
	since   time.Time
	due     time.Time
	seen    digest // row and first record as they were compared last
	row     digest // the row as it was compared first
	bytes   int    // that they took then; 0: not compared yet
	kind    Kind   // once it is confirmed
}

type digest = [sha256.Size]byte

const (
	maxSuspects = 20_000 // wait for the older ones before more are taken
	settleBatch = 1_000  // compared again at a time, if they are small (parts.go)
	mendBatch   = 4_000  // mended behind one fence
	maxKept     = 1_000  // are compared to the end of the pass, as far as they weigh no more than pageBytes
	maxTries    = 10     // for a row that is another one each time
	movingPause = time.Second

	// A suspect is given patience times as long as others needed that were late, so that a function that lags behind is not taken for one
	// that loses changes; but not more than maxPatience.
	patience    = 3
	maxPatience = 2 * time.Minute
)

// settling holds suspects until they are compared again: in a line for each try, each line in the order of its due times.
type settling struct {
	delays []time.Duration
	lines  [][]suspect
	n      int
	bytes  int // that they took when they were compared last
}

func newSettling(delays []time.Duration) *settling {
	return &settling{delays: delays, lines: make([][]suspect, max(maxTries, len(delays)))}
}

func (s *settling) delay(try int) time.Duration {
	if try < len(s.delays) {
		return s.delays[try]
	}
	return s.pause()
}

func (s *settling) pause() time.Duration { return min(movingPause, s.delays[len(s.delays)-1]) }

func (s *settling) put(try int, x suspect) {
	now := time.Now()
	if try == 0 {
		x.since = now
	}
	x.due = now.Add(s.delay(try))
	s.lines[try] = append(s.lines[try], x)
	s.n++
	s.bytes += x.bytes
}

// take removes suspects of one try that are due.
func (s *settling) take(now time.Time) (try int, batch []suspect) {
	for try, line := range s.lines {
		n := 0
		for n < len(line) && n < settleBatch && !line[n].due.After(now) {
			n++
		}
		if n > 0 {
			batch = append(batch, line[:n]...)
			s.lines[try] = append(line[:0:0], line[n:]...)
			s.n -= n
			for _, x := range batch {
				s.bytes -= x.bytes
			}
			return try, batch
		}
	}
	return 0, nil
}

// next is when the next suspect is due.
func (s *settling) next() (at time.Time) {
	for _, line := range s.lines {
		if len(line) > 0 && (at.IsZero() || line[0].due.Before(at)) {
			at = line[0].due
		}
	}
	return at
}

// again compares the suspects that are due, and waits until no more than limit are left.
func (c *comparison) again(ctx context.Context, limit int) error {
	for {
		for now := time.Now(); ; { // those that are due again once these have been compared are another round's
			try, batch := c.settle.take(now)
			if len(batch) == 0 {
				break
			}
			if err := c.recheck(ctx, try, batch); err != nil {
				return err
			}
		}
		if c.settle.n <= limit {
			return nil
		}
		if c.hasty() { // what is lost does not wait with deletions that may be on their way
			if err := c.mend(ctx); err != nil {
				return err
			}
		}
		c.tell("settling", 0, 0)
		timer := time.NewTimer(max(time.Until(c.settle.next()), c.settle.pause())) // so that many are looked up together
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err() //nolint:wrapcheck // the caller's own
		}
	}
}

// view is what Postgres and the index hold of some suspects, in that order.
type view struct {
	rows    map[string]*entry
	records map[string]chroma.Match
}

func (c *comparison) look(ctx context.Context, batch []suspect) (*view, error) {
	keys := make([]Key, 0, len(batch))
	for _, s := range batch {
		if s.key != nil {
			keys = append(keys, s.key)
		}
	}
	rows, err := c.Source.Find(ctx, c.table, keys)
	if err != nil {
		return nil, err
	}
	entries, err := c.entries(rows)
	if err != nil {
		return nil, err
	}
	v := &view{rows: make(map[string]*entry, len(entries))}
	for _, e := range entries {
		v.rows[e.id] = e
	}
	var ids []string
	for _, s := range batch {
		ids = append(append(ids, s.id), s.extra...)
		if e := v.rows[s.id]; e != nil {
			ids = append(ids, e.ids()...)
		}
	}
	if v.records, err = c.Index.Records(ctx, ids); err != nil {
		return nil, err //nolint:wrapcheck // the index names its operation
	}
	c.weigh(v, batch)
	return v, nil
}

// row tells whether a row is another one than before.
func (v *view) row(s *suspect) digest {
	if e := v.rows[s.id]; e != nil && e.doc != nil {
		return sha256.Sum256(fmt.Append(nil, e.doc.Fingerprint, e.doc.Metadata))
	}
	return digest{}
}

// digest tells whether a row or its first record is another one than before.
func (v *view) digest(s *suspect) digest {
	first, has := v.records[s.id]
	return sha256.Sum256(fmt.Append(nil, v.row(s), has, first.Metadata))
}

// newer reports whether what the index has of a row now is of a change from after it was suspected, such as one of a column that is not indexed.
// It tells nothing of the way of the change that was missed: that one may have been lost.
func (v *view) newer(s *suspect) bool {
	state, err := document.ParseState(v.records[s.id].Metadata)
	return err == nil && state.Version.CommitTime.After(s.since)
}

func (c *comparison) recheck(ctx context.Context, try int, batch []suspect) error {
	for part := range c.parts(batch) {
		if err := c.recheckPart(ctx, try, part); err != nil {
			return err
		}
	}
	if c.Applier != nil && len(c.found) >= mendBatch {
		return c.mend(ctx)
	}
	return nil
}

func (c *comparison) recheckPart(ctx context.Context, try int, batch []suspect) error {
	v, err := c.look(ctx, batch)
	if err != nil {
		return err
	}
	findings := make([]*finding, len(batch))
	for i := range batch {
		s := &batch[i]
		passedOver := maps.Clone(c.judge.unchecked)
		if findings[i] = c.judge.row(v.rows[s.id], s.id, s.extra, v.records); findings[i] != nil {
			c.judge.unchecked = passedOver // what is passed over in it counts once, however often it is compared
		}
		switch {
		case try == 0:
			s.row = v.row(s)
		case findings[i] == nil && s.row == v.row(s) && !v.newer(s):
			c.lag = max(c.lag, time.Since(s.since))
		}
	}
	for i, s := range batch {
		c.settled(try, s, findings[i], v.digest(&s))
	}
	return nil
}

// settled decides what becomes of a suspect that was compared again.
func (c *comparison) settled(try int, s suspect, f *finding, now digest) {
	moving := try > 0 && now != s.seen
	s.seen = now
	_, refused := c.refused[s.id] // in an earlier round: what is on its way would be refused, too, but its deletion
	switch {
	case f == nil:
		c.report.OnTheWay++
	case try+1 < len(c.Settle):
		c.settle.put(try+1, s)
	case f.kind == Missing && c.hasty():
		s.kind = f.kind
		c.confirm(s, f)
	case !c.ending && c.settle.n < maxKept && c.settle.bytes < pageBytes:
		// How late changes are is known better at the end of the pass, which itself may slow them down. Its further tries begin there.
		c.settle.put(try, s)
	case moving && try+1 < maxTries:
		c.settle.put(try+1, s)
	case moving:
		c.report.Unsettled++
	case time.Since(s.since) < min(patience*c.lag, maxPatience) && (!refused || f.kind == Ghost):
		if c.hasty() && !f.gone { // what the table does not have is counted whole before the first of it is deleted (cull.go)
			c.left = true
		} else {
			c.settle.put(try, s)
		}
	default:
		s.kind = f.kind
		c.confirm(s, f)
	}
}

// confirm reports a fault, once for a row: the pass over the records may meet a row that the pass over the rows has reported, or a row
// whose records it has seen on an earlier page.
func (c *comparison) confirm(s suspect, f *finding) {
	if !c.tally.add(s.id, f.kind, c.round) {
		c.report.add(s.id, f)
	}
	if c.Applier != nil && (!f.gone || c.culling.take(s)) {
		c.found = append(c.found, s)
	}
}
