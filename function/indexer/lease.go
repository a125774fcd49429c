package indexer

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/rowvec/rowvec/function/document"
)

// A sweep's lease, on the mark of its truncate, says that somebody deletes. It is what makes deleting safe, as Chroma cannot delete on a
// condition, and a delete that is on its way hits whatever is there by then:
//
//   - Only who has the lease deletes (renew, compareDead): a row that one sweeper has deleted is free for its owner.
//   - While the lease lives nobody else touches what is dead (marks.guarded, looked at again by the fence of a removal).
//   - Who takes the lease waits for sweepGrace before he deletes: until then others may act on what they saw before it.
//   - The lease is renewed every leaseRenewal; one that is seen not to be for leaseLife is dead, and its rows are anybody's.
//   - So who has not renewed his own for leaseTrust begins anew, with the wait; and so does who finds that the mark was overwritten.
//   - Two leases are never the same: each has a number of its own. So whatever number of his a sweeper finds is his lease, also of a write
//     whose answer was lost.
//   - Who finds another's lease gives up his own for good: should a late write of his bring it back, he begins anew.
//   - Who ends gives the lease back, if it is still his and none of his removals is on its way. He names it, so that it is that one and no other.
type lease struct {
	mine    []int64   // as written, the last ones, with those of which no answer came
	begun   time.Time // when it was taken, after that was written
	renewed time.Time // when it was written last, before that
}

const (
	// sweepGrace is the time from the mark to the first deletion: markAge, and what a write takes from its last look at the index until
	// Chroma has done it. Groups of 1,000 records were seen to take 3 s.
	sweepGrace = 10 * time.Second
	// leaseRenewal is how old a lease gets.
	leaseRenewal = 5 * time.Second
	// leaseTrust is how long a sweep that cannot renew its lease goes on. The rest of leaseLife is for what it has begun by then.
	leaseTrust = leaseLife / 2
	// maxMine is how many of his leases a sweeper knows again.
	maxMine = 64
	// leaseNonce is how many bits of a lease tell it from others of the same millisecond.
	leaseNonce = 20
)

// newLease returns a lease that is not any of those.
func newLease(now time.Time, others ...int64) int64 {
	ms := now.UnixMilli()
	for _, other := range others {
		ms = max(ms, other>>leaseNonce+1)
	}
	return ms<<leaseNonce | rand.Int64N(1<<leaseNonce) //nolint:gosec // no secret
}

// due reports whether the lease is to be renewed.
func (l *lease) due(now time.Time) bool { return older(l.renewed, now, leaseRenewal) }

// trusted reports whether others still know of the lease.
func (l *lease) trusted(now time.Time) bool { return !older(l.renewed, now, leaseTrust) }

// has reports whether a lease is the sweeper's own.
func (l *lease) has(lease int64) bool { return slices.Contains(l.mine, lease) }

// lose says that the lease is another's.
func (l *lease) lose() { l.begun, l.renewed = time.Time{}, time.Time{} }

// grace is how long to wait until everybody knows of it.
func (l *lease) grace(now time.Time) time.Duration { return sweepGrace - now.Sub(l.begun) }

// standing is how a sweep stands with the lease.
type standing uint8

const (
	sweepHeld      standing = iota // it has the lease, and everybody knows
	sweepBegun                     // it has it, but somebody may not know
	sweepElsewhere                 // somebody else has it
	sweepOver                      // there is nothing left to do
)

// keep sees to it that the sweep has the lease and that everybody knows: it writes the mark, takes the lease when nobody has it, and waits. It returns true
// if the sweep of this truncate, or of a newer one, is over already.
func (s *sweep) keep(ctx context.Context) (over bool, err error) {
	for {
		st, err := s.renew(ctx)
		if err != nil || st == sweepOver || st == sweepHeld {
			return st == sweepOver, err
		}
		pause := leaseRenewal
		if st == sweepBegun {
			pause = max(0, s.grace(time.Now()))
		}
		if !s.waiter(ctx)(pause) {
			return false, errSwept
		}
	}
}

// renew makes sure that the mark says at least this truncate's version, and takes or renews the lease.
func (s *sweep) renew(ctx context.Context) (st standing, err error) {
	err = s.call(ctx, func(ctx context.Context) error {
		m, err := s.writer.tombstones.readMark(ctx, s.mark)
		if err != nil {
			return err
		}
		now := time.Now()
		kept, own := !s.lost(m), s.has(m.lease)
		switch {
		case kept && m.lease == 0:
			st = sweepOver
			return nil
		case !own && s.marks().guarded(s.mark, now):
			s.marks().hold(s.mark, nil, time.Time{})
			s.lose()
			if st = sweepElsewhere; kept {
				return nil
			}
			return s.writer.tombstones.writeMark(ctx, s.mark, m, s.noted(m))
		case own && kept && s.trusted(now):
			st, err = sweepHeld, s.take(ctx, m, now)
		default:
			st, s.begun = sweepBegun, time.Time{}
			err = s.take(ctx, m, now)
		}
		if err != nil {
			return err
		}
		if s.begun.IsZero() {
			s.begun = time.Now()
		}
		if s.grace(time.Now()) > 0 {
			st = sweepBegun
			now = time.Time{}
		}
		s.marks().hold(s.mark, s.mine, now)
		return nil
	})
	return st, err
}

// take puts a lease of ours on the mark, which may have it even if no answer comes.
func (s *sweep) take(ctx context.Context, m *mark, now time.Time) error {
	lease := newLease(now, append([]int64{m.written}, s.mine...)...)
	s.mine = append(slices.Clone(s.mine[max(0, len(s.mine)+1-maxMine):]), lease)
	change := s.noted(m)
	change[document.KeySweep] = lease
	if err := s.writer.tombstones.writeMark(ctx, s.mark, m, change); err != nil {
		return err
	}
	s.renewed = now
	return nil
}

// noted is the change of the mark that notes the truncate, if need be.
func (s *sweep) noted(m *mark) map[string]any {
	if s.lost(m) {
		return map[string]any{document.TruncateKey(s.version): int64(1)}
	}
	return map[string]any{}
}

// lost reports whether a mark is not of this truncate, nor of a newer one.
func (s *sweep) lost(m *mark) bool { return m.none || m.version.StaleAgainst(s.version) }

// end says on the mark that the sweep is over, and gives the lease back: that of a newer truncate may wait for it. Truncates before the
// newest need not be noted any more. It returns true when the mark is not of this truncate any more.
func (s *sweep) end(ctx context.Context) (again bool, err error) {
	err = s.call(ctx, func(ctx context.Context) error {
		m, err := s.writer.tombstones.readMark(ctx, s.mark)
		if err != nil {
			return err
		}
		if again = s.lost(m); again || !s.has(m.lease) {
			return nil
		}
		change := map[string]any{document.KeyLeft: m.written}
		for key, v := range m.keys {
			if v.StaleAgainst(m.version) {
				change[key] = nil
			}
		}
		if m.version.SameChange(s.version) {
			change[document.TruncateKey(m.version)] = int64(0)
		}
		return s.writer.tombstones.writeMark(ctx, s.mark, m, change)
	})
	return again, err
}

// abandon gives the lease back when a drain ended the sweep, in one attempt, when no removal is on its way. Else it is left to run out.
func (s *sweep) abandon(ctx context.Context, err error) {
	if !errors.Is(err, errSwept) || s.removing > 0 || len(s.mine) == 0 {
		return
	}
	m, err := s.writer.tombstones.readMark(ctx, s.mark)
	if err == nil && s.has(m.lease) {
		_ = s.writer.tombstones.writeMark(ctx, s.mark, m, map[string]any{document.KeyLeft: m.written}) // it runs out by itself
	}
}

func (s *sweep) marks() *marks { return s.writer.tombstones.marks }
