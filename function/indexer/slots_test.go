package indexer

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// round makes n requests at once that all go like r.
func round(t *testing.T, s *slots, n int, r Request) {
	t.Helper()
	for range n {
		require.NoError(t, s.acquire(t.Context()))
	}
	<-time.After(r.Took)
	for range n {
		s.learn(r)
		s.release()
	}
}

var (
	good    = Request{Took: 10 * time.Millisecond, Size: 10, OK: true}
	tooMany = Request{Took: 10 * time.Millisecond, Size: 10, Overload: true}
	failed  = Request{Took: 10 * time.Millisecond, Size: 10}
)

func TestOverloadHalvesTheLimitOncePerRound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(8)
		round(t, s, 8, tooMany)
		require.Equal(t, 4, s.size(), "the others of the round speak of the same load")
		round(t, s, 4, tooMany)
		require.Equal(t, 2, s.size())
		round(t, s, 2, failed)
		require.Equal(t, 2, s.size(), "a failure of another kind says nothing of the load")
		round(t, s, 2, tooMany)
		require.Equal(t, 1, s.size())
		require.NoError(t, s.acquire(t.Context()))
		s.busy++ // began before the limit fell
		s.learn(Request{Took: 0, Size: 10, Overload: true})
		require.Equal(t, 1, s.size(), "never none")
	})
}

func TestWhoIsAloneIsNotTooMany(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(16)
		round(t, s, 16, tooMany)
		require.Equal(t, 8, s.size(), "the beginning of an outage")
		for range 20 {
			round(t, s, 1, tooMany)
		}
		require.Equal(t, 8, s.size(), "the probes of one")
		round(t, s, 2, tooMany)
		require.Equal(t, 4, s.size(), "two are a load")
	})
}

func TestGoodAnswersBringTheLimitBackOnePerRound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(4)
		round(t, s, 4, tooMany)
		round(t, s, 2, tooMany)
		require.Equal(t, 1, s.size())
		for want := 2; want <= 4; want++ {
			for range 3 {
				require.Less(t, s.size(), want+1)
				round(t, s, s.size(), good)
			}
			require.GreaterOrEqual(t, s.size(), want)
		}
		for range 100 {
			round(t, s, s.size(), good)
		}
		require.Equal(t, 4, s.size(), "never above what is configured")
		require.Zero(t, s.busy)
	})
}

func TestAnIdlePoolDoesNotGrow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(8)
		round(t, s, 2, tooMany)
		for range 100 {
			round(t, s, 1, good)
		}
		require.Equal(t, 4, s.size(), "one request at a time proves nothing for five")
	})
}

func TestAnswersFarSlowerThanUsualAreOverload(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(8)
		take := func(took time.Duration, size int) int {
			round(t, s, 1, Request{Took: took, Size: size, OK: true})
			return s.size()
		}
		take(400*time.Millisecond, 1000)
		require.Equal(t, 8, take(1500*time.Millisecond, 1000), "within four times the usual")
		require.Equal(t, 8, take(5*time.Second, 100_000), "large requests have a measure of their own")
		take(time.Millisecond, 10)
		require.Equal(t, 8, take(900*time.Millisecond, 10), "under a second nobody calls it slow")
		require.Equal(t, 4, take(4*time.Second, 1000))
		for range 200 {
			take(4*time.Second, 1000)
		}
		s.limit = 8
		require.Equal(t, 8, take(4*time.Second, 1000), "what is always so is usual")
	})
}

func TestSlotsAreHandedOverInOrderAndNoneIsLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(1)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, s.acquire(gone), context.Canceled, "a slot is not taken for a caller that is gone")
		require.NoError(t, s.acquire(t.Context()))
		var order []int
		var waiting sync.WaitGroup
		for i := range 3 {
			ctx, leave := context.WithCancel(t.Context())
			waiting.Go(func() {
				defer leave()
				if i == 1 {
					go func() { <-time.After(time.Minute); leave() }()
				}
				if s.acquire(ctx) == nil {
					order = append(order, i)
					s.release()
				}
			})
			synctest.Wait()
		}
		<-time.After(2 * time.Minute)
		s.release()
		waiting.Wait()
		require.Equal(t, []int{0, 2}, order)
		require.Zero(t, s.busy)
		require.Empty(t, s.waiting)
	})
}
