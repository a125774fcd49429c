package indexer

import (
	"context"
	"math/bits"
	"sync"
	"time"
)

// slots bounds the requests that the endpoint has at a time, by additive increase and multiplicative decrease: half as many after a sign of
// overload, one more after each round of good answers, never above what is configured.
type slots struct {
	most int

	mu      sync.Mutex
	limit   float64
	busy    int
	waiting []chan struct{} // in order of arrival; closed to hand a slot over
	cut     time.Time       // when the limit was halved last
	usual   [32]time.Duration
}

func newSlots(most int) *slots { return &slots{most: most, limit: float64(most)} }

// size is the limit of just now.
func (s *slots) size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int(s.limit)
}

// acquire waits for a slot. Its only errors are those of ctx.
func (s *slots) acquire(ctx context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.mu.Lock()
	if s.busy < int(s.limit) && len(s.waiting) == 0 {
		s.busy++
		s.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	s.waiting = append(s.waiting, turn)
	s.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, other := range s.waiting {
		if other == turn {
			s.waiting = append(s.waiting[:i], s.waiting[i+1:]...)
			return ctx.Err()
		}
	}
	s.give() // it came at the same moment
	return ctx.Err()
}

// release gives the slot back and learns from how the request went: when it began, how many bytes of text it had, how it ended.
func (s *slots) release(began time.Time, size int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	full := s.busy >= int(s.limit)
	switch {
	case s.overloaded(time.Since(began), size, err):
		// What began before the last cut speaks of the load before it.
		if !began.Before(s.cut) {
			s.limit, s.cut = max(1, s.limit/2), time.Now()
		}
	case err == nil && full:
		s.limit = min(float64(s.most), s.limit+1/s.limit)
	}
	s.give()
}

// give takes a slot back and hands out what is free. It is called with mu held.
func (s *slots) give() {
	s.busy--
	for s.busy < int(s.limit) && len(s.waiting) > 0 {
		close(s.waiting[0])
		s.waiting = s.waiting[1:]
		s.busy++
	}
}

// A request counts as slow when it takes many times what those of its size usually do, and long enough for a person to call it slow.
const (
	slowFactor  = 4
	slowAtLeast = time.Second
)

// Reasons by which the endpoint's client says that there is too much to do.
const (
	reasonRateLimited = "rate_limited"
	reasonTimeout     = "timeout"
)

// overloaded says whether a request ended like one that was too many.
func (s *slots) overloaded(took time.Duration, size int, err error) bool {
	if err != nil {
		reason := Reason(err)
		return reason == reasonRateLimited || reason == reasonTimeout
	}
	usual := &s.usual[min(bits.Len(uint(size)), len(s.usual)-1)]
	slow := *usual > 0 && took > slowAtLeast && took > slowFactor**usual
	switch {
	case *usual == 0 || took < *usual:
		*usual = took
	default:
		*usual += (took - *usual) / 32 // an endpoint that got slower for good becomes the measure in time
	}
	return slow
}
