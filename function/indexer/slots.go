package indexer

import (
	"context"
	"math/bits"
	"sync"
	"time"
)

// slots bounds the requests that the endpoint has at a time, by additive increase and multiplicative decrease: half as many after a sign of
// overload in a request that was not alone, one more after each round of good answers, never above what is configured.
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

// release gives a slot back.
func (s *slots) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.give()
}

// learn takes in how a request went, while it still has its slot.
func (s *slots) learn(r Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case r.Overload && s.busy == 1: // no load of ours: a probe in an outage, which must not end with one request at a time
	case r.Overload || r.OK && s.slow(r):
		// What began before the last cut speaks of the load before it.
		if now := time.Now(); !now.Add(-r.Took).Before(s.cut) {
			s.limit, s.cut = max(1, s.limit/2), now
		}
	case r.OK && s.busy >= int(s.limit):
		s.limit = min(float64(s.most), s.limit+1/s.limit)
		s.hand()
	}
}

// give takes a slot back and hands out what is free. It is called with mu held, as hand is.
func (s *slots) give() {
	s.busy--
	s.hand()
}

// hand gives the slots that are free to those who wait.
func (s *slots) hand() {
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

// slow says whether an answer took far longer than usual, and adjusts what is usual.
func (s *slots) slow(r Request) bool {
	usual := &s.usual[min(bits.Len(uint(max(0, r.Size))), len(s.usual)-1)]
	slow := *usual > 0 && r.Took > slowAtLeast && r.Took > slowFactor**usual
	if *usual == 0 || r.Took < *usual {
		*usual = r.Took
	} else {
		*usual += (r.Took - *usual) / 32 // an endpoint that got slower for good becomes the measure in time
	}
	return slow
}
