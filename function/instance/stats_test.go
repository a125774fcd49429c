package instance

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestStatsCount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStats()
		require.Zero(t, s.snapshot().Total.AverageLatency(), "no record, no latency")
		require.True(t, s.snapshot().LastInvocation.IsZero())
		s.received()
		s.received()
		s.processed(10 * time.Millisecond)
		s.processed(15 * time.Millisecond)
		for kind := range ExceptionKind(exceptionKinds) {
			for range kind + 1 {
				s.exception(kind, errors.New("of kind "+kind.String()))
			}
		}
		want := Counts{Received: 2, Processed: 2, Exceptions: [exceptionKinds]int64{1, 2, 3, 4}, Busy: 25 * time.Millisecond}
		got := s.snapshot()
		require.Equal(t, want, got.Total)
		require.Equal(t, want, got.Minute)
		require.InDelta(t, 12.5, got.Total.AverageLatency(), 1e-9)
		require.EqualValues(t, 1+3+4, got.Total.System())
		require.Equal(t, time.Now(), got.LastInvocation)
		require.Equal(t, Exception{Text: "of kind sink", At: time.Now()}, got.Exceptions[SinkException][0])
	})
}

func TestStatsKeepTheLastTenExceptionsOldestFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStats()
		start := time.Now()
		for n := range 13 {
			s.exception(UserException, fmt.Errorf("error %d", n))
			advance(time.Second)
		}
		got := s.snapshot().Exceptions[UserException]
		require.Len(t, got, 10)
		for n, e := range got {
			require.Equal(t, Exception{Text: fmt.Sprintf("error %d", n+3), At: start.Add(time.Duration(n+3) * time.Second)}, e)
		}
		got[0].Text = "changed"
		require.Equal(t, "error 3", s.snapshot().Exceptions[UserException][0].Text, "a snapshot is a copy")
		require.EqualValues(t, 13, s.snapshot().Total.Exceptions[UserException])
	})
}

func TestStatsLimitErrorLabels(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStats()
		add := func(text string) []string {
			s.exception(SystemException, errors.New(text))
			labels, _ := s.seriesState()
			return labels[SystemException]
		}
		require.Equal(t, []string{"a"}, add("a"))
		require.Equal(t, []string{"a"}, add("b"), "a new label within 12 seconds is left out")
		advance(labelEvery)
		require.Equal(t, []string{"a", "b"}, add("b"))
		require.Equal(t, []string{"a", "b"}, add("a"), "a known label is no new one")
		for n := range 20 {
			advance(labelEvery)
			add(strconv.Itoa(n))
		}
		labels := add("19")
		require.Len(t, labels, labelsKept)
		require.Equal(t, "10", labels[0])
		advance(labelEvery)
		long := add(strings.Repeat("é", labelBytes))[labelsKept-1]
		require.LessOrEqual(t, len(long), labelBytes)
		require.True(t, utf8.ValidString(long))
	})
}

// advance moves the bubble's clock.
func advance(d time.Duration) { <-time.After(d) }

func TestClipGivesValidText(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		text, want string
		limit      int
	}{
		{"short", "short", 10},
		{"exactly ten", "exactly...", 10},
		{"ééééééé", "ééé...", 9},
		{"ééééééé", "éé...", 8},
		{"a\xffb", "a\uFFFDb", 10},
	} {
		require.Equal(t, tc.want, clip(tc.text, tc.limit))
	}
}

func TestUserMetricsLeaveOutWhatIsNoNumber(t *testing.T) {
	t.Parallel()
	s := newStats()
	require.Nil(t, s.readUserMetrics())
	shared := map[string]float64{"a": 1, "b": math.NaN(), "c": math.Inf(1)}
	s.setUserMetrics(func() map[string]float64 { return shared })
	require.Equal(t, map[string]float64{"a": 1, "c": math.Inf(1)}, s.readUserMetrics())
	require.Len(t, shared, 3, "the caller's map is left alone")
	s.setUserMetrics(func() map[string]float64 {
		s.received() // must not deadlock
		return nil
	})
	require.Nil(t, s.readUserMetrics())
}

func TestStatsTakeCallsFromEverywhere(t *testing.T) {
	t.Parallel()
	s := newStats()
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for range 250 {
				s.received()
				s.processed(time.Millisecond)
				s.exception(SourceException, errors.New("x"))
				s.newWindow()
				s.snapshot()
			}
		})
	}
	callers.Wait()
	require.Equal(t, Counts{
		Received: 1000, Processed: 1000, Exceptions: [exceptionKinds]int64{SourceException: 1000}, Busy: time.Second,
	}, s.snapshot().Total)
}

func BenchmarkStatsRecord(b *testing.B) {
	s := newStats()
	for b.Loop() {
		s.received()
		s.processed(3 * time.Millisecond)
	}
}
