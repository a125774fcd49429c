package indexer

import (
	"context"
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

	lease
	removing int // removals that the writer has
	removed  int
	told     time.Time
}

const (
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
	defer s.marks().hold(s.mark, nil, time.Time{})
	begun := time.Now()
	if over, err := s.keep(ctx); over || err != nil {
		s.abandon(ctx, err)
		return Stale, err
	}
	s.told = time.Now()
	log := s.log.With("table", s.name, "lsn", s.version.LSN, "commit_time", s.version.CommitTime)
	log.InfoContext(ctx, "the table was truncated: what is older goes from the index")
	over, err := s.finish(ctx, log)
	switch {
	case err != nil:
		log.WarnContext(ctx, "truncate not finished", "removed", s.removed, "error", err)
		s.abandon(ctx, err)
		return Interrupted, err
	case over:
		log.InfoContext(ctx, "another instance finished the truncate", "removed", s.removed)
		return Stale, nil
	}
	log.InfoContext(ctx, "truncate finished", "removed", s.removed, "took", time.Since(begun).Round(time.Millisecond))
	return Truncated, nil
}

// finish makes passes until one finds nothing and the mark says so.
func (s *sweep) finish(ctx context.Context, log *slog.Logger) (over bool, err error) {
	for again := true; again; {
		if over, again, err = s.pass(ctx, log); over || err != nil {
			return over, err
		}
		if again {
			continue
		}
		if again, err = s.end(ctx); err != nil {
			return false, err
		}
		if again {
			if over, err = s.keep(ctx); over || err != nil {
				return over, err
			}
		}
	}
	return false, nil
}

// pass goes through the collection once. again says that there may be more to delete, over that there is nothing left to do.
func (s *sweep) pass(ctx context.Context, log *slog.Logger) (over, again bool, err error) {
	var last map[string]map[string]any // of the page before, what stays
	for offset := 0; ; {
		if s.isDraining() || ctx.Err() != nil {
			return false, false, errSwept
		}
		page, readAt, err := s.list(ctx, offset)
		if err != nil {
			return false, false, err
		}
		if len(last) > 0 && !overlap(page, last) {
			return false, true, nil // so much went from before this page that some may have been passed over
		}
		if s.due(time.Now()) { // before each page, and as a page may have taken its time
			if over, err := s.keep(ctx); over || err != nil {
				return over, false, err
			}
		}
		full := len(page) == clearPage
		found, over, err := s.clear(ctx, page, readAt)
		if over || err != nil {
			return over, false, err
		}
		again = again || found > 0
		s.tell(ctx, log)
		if !full {
			return false, again, nil
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
func (s *sweep) clear(ctx context.Context, page map[string]map[string]any, readAt time.Time) (found int, over bool, err error) {
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
		s.removing++
		s.writer.submit(newRemoval(s.Table, id, k, readAt, answer))
	}
	over, err = s.collect(ctx, answer)
	return found, over, err
}

// collect takes the writer's answers, and keeps the lease meanwhile.
func (s *sweep) collect(ctx context.Context, answer <-chan written) (over bool, err error) {
	renewal := time.NewTimer(max(0, leaseRenewal-time.Since(s.renewed)))
	defer renewal.Stop()
	for s.removing > 0 {
		select {
		case w := <-answer:
			s.removing--
			switch {
			case w.err != nil:
				err = w.err
			case !w.changed:
				s.removed++
			}
		case <-renewal.C:
			if over, err := s.keep(ctx); over || err != nil {
				return over, err
			}
			renewal.Reset(leaseRenewal)
		case <-ctx.Done():
			return false, interrupted(ctx.Err())
		}
	}
	return false, err
}

// call runs op in the one loop, reporting to the table's condition.
func (s *sweep) call(ctx context.Context, op func(context.Context) error) error {
	_, err := s.backoff.do(ctx, s.cond.operation(), s.waiter(ctx), op)
	return err
}
