package indexer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// sweep deletes what is older than a truncate. It belongs to the goroutine that runs it.
//
// First the mark is written (marks.go), then nothing happens for sweepGrace: by then every instance knows the mark, and what any of
// them had planned before is written. From then on records that are older only ever become fewer, and the sweep is over when
// a pass over the collection finds none. Whoever dies in between has not settled the truncate: it comes again, and so does all of this.
type sweep struct {
	*Table
	of      connector.Table
	version connector.Version

	lease   int64 // as written last
	renewed time.Time
	removed int
	told    time.Time
}

const (
	// sweepGrace is the time from the mark to the first deletion: markAge, and what a write takes from its last look at the index until
	// Chroma has done it. Groups of 1,000 records were seen to take 3 s.
	sweepGrace = 10 * time.Second
	// leaseRenewal is how old a lease gets.
	leaseRenewal = 5 * time.Second
	// clearPage is how many records are listed at a time. Chroma 1.5.9 finds all that a filter matches for each page, in about 6 s per
	// million records, so that few large pages take less than many small ones; deleting 1,000 takes it 0.8 s.
	clearPage = 5000
	// clearOverlap is how many of the records that stay are listed again with the next page, to see that none was passed over.
	clearOverlap = 200
	// sweepNews is how often a sweep tells how far it is.
	sweepNews = 10 * time.Second
)

var errSwept = &fault{class: ClassInterrupted, reason: "draining", text: "a truncate is left for the next start"}

// run sweeps. Its error is poison or interrupted.
func (s *sweep) run(ctx context.Context) (Kind, error) {
	defer s.writer.tombstones.marks.hold(s.mark, 0)
	begun := time.Now()
	if over, err := s.announce(ctx); over || err != nil {
		s.abandon(ctx, err)
		return Stale, err
	}
	s.told = time.Now()
	log := s.log.With("table", s.name, "lsn", s.version.LSN, "commit_time", s.version.CommitTime)
	log.InfoContext(ctx, "the table was truncated: what is older goes from the index")
	for again := true; again; {
		var err error
		if again, err = s.pass(ctx, log); err != nil {
			log.WarnContext(ctx, "truncate not finished", "removed", s.removed, "error", err)
			s.abandon(ctx, err)
			return Interrupted, err
		}
	}
	if err := s.finish(ctx); err != nil {
		return Interrupted, err
	}
	log.InfoContext(ctx, "truncate finished", "removed", s.removed, "took", time.Since(begun).Round(time.Millisecond))
	return Truncated, nil
}

// announce writes the mark, takes the lease when nobody has it, and waits until everybody knows. It returns true if the sweep of this
// truncate, or of a newer one, is over already.
func (s *sweep) announce(ctx context.Context) (over bool, err error) {
	for begun := false; ; {
		st, err := s.renew(ctx)
		switch {
		case err != nil:
			return false, err
		case st == sweepOver:
			return true, nil
		case st == sweepHeld && begun:
			return false, nil
		}
		begun = st != sweepElsewhere
		if !s.waiter(ctx)(pickWait(begun)) {
			return false, errSwept
		}
	}
}

func pickWait(begun bool) time.Duration {
	if begun {
		return sweepGrace
	}
	return leaseRenewal
}

// standing is how a sweep stands with the lease.
type standing uint8

const (
	sweepHeld      standing = iota // it has the lease, and had it
	sweepBegun                     // it has it from now on, or the mark had been overwritten
	sweepElsewhere                 // somebody else has it
	sweepOver                      // there is nothing left to do
)

// renew makes sure that the mark says at least this truncate's version, and takes or renews the lease. Only who has it deletes: a row
// that one sweeper has deleted is free for its owner, and a removal of another's that is still on its way would hit what comes there.
func (s *sweep) renew(ctx context.Context) (st standing, err error) {
	stones := s.writer.tombstones
	err = s.call(ctx, func(ctx context.Context) error {
		m, err := stones.readMark(ctx, s.mark)
		if err != nil {
			return err
		}
		version, kept := s.version, !m.none && !m.version.StaleAgainst(s.version)
		if kept {
			version = m.version
		}
		own := s.lease != 0 && m.lease == s.lease
		switch {
		case kept && m.lease == 0:
			st = sweepOver
			return nil
		case !own && stones.marks.guarded(s.mark, time.Now()):
			stones.marks.hold(s.mark, 0)
			if st = sweepElsewhere; kept {
				return nil
			}
			return stones.writeMark(ctx, s.mark, version, m.lease)
		case own && kept:
			st = sweepHeld
		default:
			st = sweepBegun
		}
		lease := max(time.Now().UnixMilli(), m.lease+1, s.lease+1)
		if err := stones.writeMark(ctx, s.mark, version, lease); err != nil {
			return err
		}
		s.lease, s.renewed = lease, time.Now()
		stones.marks.hold(s.mark, lease)
		return nil
	})
	return st, err
}

// finish says on the mark that the sweep is over, or free if that of a newer truncate waits for it.
func (s *sweep) finish(ctx context.Context) error {
	return s.call(ctx, func(ctx context.Context) error {
		m, err := s.writer.tombstones.readMark(ctx, s.mark)
		if err != nil || m.lease != s.lease {
			return err
		}
		lease := int64(0)
		if !m.version.SameChange(s.version) {
			lease = leaseFree
		}
		return s.writer.tombstones.writeMark(ctx, s.mark, m.version, lease)
	})
}

// keep renews the lease. Who was away for so long that it is somebody else's begins anew.
func (s *sweep) keep(ctx context.Context) error {
	st, err := s.renew(ctx)
	if err == nil && (st == sweepElsewhere || st == sweepOver) {
		_, err = s.announce(ctx)
	}
	return err
}

// abandon gives the lease back when a drain ended the sweep between two pages.
func (s *sweep) abandon(ctx context.Context, err error) {
	if errors.Is(err, errSwept) {
		s.leave(ctx)
	}
}

// leave gives the lease back, in one attempt, when no removal is on its way. Else it is left to run out.
func (s *sweep) leave(ctx context.Context) {
	m, err := s.writer.tombstones.readMark(ctx, s.mark)
	if err == nil && s.lease != 0 && m.lease == s.lease {
		_ = s.writer.tombstones.writeMark(ctx, s.mark, m.version, leaseFree) // it runs out by itself
	}
}

// pass goes through the collection once. It returns true if there may be more to delete.
func (s *sweep) pass(ctx context.Context, log *slog.Logger) (again bool, err error) {
	var last map[string]map[string]any // of the page before, what stays
	for offset := 0; ; {
		if s.isDraining() || ctx.Err() != nil {
			return false, errSwept
		}
		if time.Since(s.renewed) > leaseRenewal {
			if err := s.keep(ctx); err != nil {
				return false, err
			}
		}
		page, readAt, err := s.list(ctx, offset)
		if err != nil {
			return false, err
		}
		if len(last) > 0 && !overlap(page, last) {
			return true, nil // so much went from before this page that some may have been passed over
		}
		full := len(page) == clearPage
		found, removed, err := s.clear(ctx, page, readAt)
		if err != nil {
			return false, err
		}
		again = again || found > 0
		s.removed += removed
		s.tell(ctx, log)
		if !full {
			return again, nil
		}
		last = page
		offset += len(page) - min(len(page), clearOverlap)
	}
}

func (s *sweep) tell(ctx context.Context, log *slog.Logger) {
	if time.Since(s.told) >= sweepNews {
		s.told = time.Now()
		log.InfoContext(ctx, "truncate under way", "removed", s.removed)
	}
}

// overlap reports whether two pages have a record in common.
func overlap(a, b map[string]map[string]any) bool {
	for id := range a {
		if _, both := b[id]; both {
			return true
		}
	}
	return false
}

// list reads a page of records by the clocks of their versions. One that is older by the majority of the clocks is so by one at least.
func (s *sweep) list(ctx context.Context, offset int) (page map[string]map[string]any, readAt time.Time, err error) {
	marked := make(map[string]any)
	document.SetVersion(marked, s.version)
	bounds := make(map[string]int64, len(marked))
	for key, value := range marked {
		bounds[key], _ = value.(int64)
	}
	if bounds[document.KeyEmitted] == 0 { // not known: the commit time stands in
		bounds[document.KeyEmitted] = bounds[document.KeyCommitTime]
	}
	err = s.call(ctx, func(ctx context.Context) error {
		return s.writer.attempt(ctx, func(ctx context.Context, store Store) (err error) {
			readAt = time.Now()
			if page, err = store.Below(ctx, bounds, offset, clearPage); err != nil {
				err = fmt.Errorf("list what is older than a truncate: %w", err)
			}
			return err
		})
	})
	return page, readAt, err
}

// clear deletes the dead rows of a page, and takes them from it. found counts those that were dead when the page was read.
func (s *sweep) clear(ctx context.Context, page map[string]map[string]any, readAt time.Time) (found, removed int, err error) {
	answer := make(chan written, len(page)) // the writer must never wait
	k := known{mark: &mark{version: s.version}}
	for id, meta := range page {
		state, err := document.ParseState(meta)
		k.stored = &state
		if err != nil || !k.dead() || !s.builder.Owns(s.of, id, meta) {
			continue // what cannot be read is left to `rowvec verify`
		}
		found++
		delete(page, id)
		s.writer.submit(newRemoval(s.Table, id, k, readAt, answer))
	}
	removed, err = s.collect(ctx, answer, found)
	return found, removed, err
}

// collect takes the writer's answers, and keeps the lease meanwhile.
func (s *sweep) collect(ctx context.Context, answer <-chan written, n int) (removed int, err error) {
	lease := time.NewTimer(max(0, leaseRenewal-time.Since(s.renewed)))
	defer lease.Stop()
	for n > 0 {
		select {
		case w := <-answer:
			n--
			switch {
			case w.err != nil:
				err = w.err
			case !w.changed:
				removed++
			}
		case <-lease.C:
			if err := s.keep(ctx); err != nil {
				return removed, err
			}
			lease.Reset(leaseRenewal)
		case <-ctx.Done():
			return removed, interrupted(ctx.Err())
		}
	}
	return removed, err
}

// call runs op in the one loop, reporting to the table's condition.
func (s *sweep) call(ctx context.Context, op func(context.Context) error) error {
	_, err := s.backoff.do(ctx, s.cond.operation(), s.waiter(ctx), op)
	return err
}
