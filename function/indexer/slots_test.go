package indexer

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

var errTooMany = faulty{class: ClassRetry, reason: reasonRateLimited}

// occupy takes n slots at once.
func occupy(t *testing.T, s *slots, n int) time.Time {
	t.Helper()
	for range n {
		require.NoError(t, s.acquire(t.Context()))
	}
	return time.Now()
}

func TestOverloadHalvesTheLimitOncePerRound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(8)
		<-time.After(time.Second)
		began := occupy(t, s, 8)
		<-time.After(time.Second)
		for range 8 {
			s.release(began, 10, errTooMany)
		}
		require.Equal(t, 4, s.size(), "the others of the round speak of the same load")
		began = occupy(t, s, 4)
		<-time.After(time.Second)
		s.release(began, 10, faulty{class: ClassRetry, reason: reasonTimeout})
		require.Equal(t, 2, s.size(), "a time limit says the same")
		for range 3 {
			s.release(began, 10, errOutage)
		}
		require.Equal(t, 2, s.size(), "no answer says nothing of the load")
	})
}

func TestGoodAnswersBringTheLimitBackOnePerRound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(4)
		<-time.After(time.Second)
		for range 5 {
			began := occupy(t, s, 1)
			<-time.After(time.Second)
			s.release(began, 10, errTooMany)
		}
		require.Equal(t, 1, s.size(), "never none")
		round := func(n int) {
			began := occupy(t, s, n)
			for range n {
				s.release(began, 10, nil)
			}
		}
		for want := 2; want <= 4; want++ {
			for range 3 {
				round(s.size())
			}
			require.GreaterOrEqual(t, s.size(), want)
		}
		for range 100 {
			round(s.size())
		}
		require.Equal(t, 4, s.size(), "never above what is configured")
		require.Zero(t, s.busy)
	})
}

func TestAnIdlePoolDoesNotGrow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(8)
		<-time.After(time.Second)
		began := occupy(t, s, 1)
		<-time.After(time.Second)
		s.release(began, 10, errTooMany)
		for range 100 {
			s.release(occupy(t, s, 1), 10, nil)
		}
		require.Equal(t, 4, s.size(), "one request at a time proves nothing for five")
	})
}

func TestAnswersFarSlowerThanUsualAreOverload(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(8)
		take := func(d time.Duration, size int) {
			began := occupy(t, s, 1)
			<-time.After(d)
			s.release(began, size, nil)
		}
		take(400*time.Millisecond, 1000)
		take(1500*time.Millisecond, 1000)
		require.Equal(t, 8, s.size(), "within four times the usual")
		take(5*time.Second, 100_000)
		require.Equal(t, 8, s.size(), "large requests have a measure of their own")
		take(4*time.Second, 1000)
		require.Equal(t, 4, s.size())
		quick := newSlots(8)
		took := func(d time.Duration) {
			began := occupy(t, quick, 1)
			<-time.After(d)
			quick.release(began, 10, nil)
		}
		took(time.Millisecond)
		took(900 * time.Millisecond)
		require.Equal(t, 8, quick.size(), "under a second nobody calls it slow")
	})
}

func TestSlotsAreHandedOverInOrderAndNoneIsLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(1)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, s.acquire(gone), context.Canceled, "a slot is not taken for a caller that is gone")
		began := occupy(t, s, 1)
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
					s.release(time.Now(), 1, nil)
				}
			})
			synctest.Wait()
		}
		<-time.After(2 * time.Minute)
		s.release(began, 1, nil)
		waiting.Wait()
		require.Equal(t, []int{0, 2}, order)
		require.Zero(t, s.busy)
		require.Empty(t, s.waiting)
	})
}
