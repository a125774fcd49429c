package embed

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// provider grants so many requests a minute and says so in its headers.
type provider interface {
	ask(now time.Time) (header http.Header, granted bool)
}

// window counts from minute to minute.
type window struct {
	grants, used int
	ends         time.Time
}

func (w *window) ask(now time.Time) (http.Header, bool) {
	if !now.Before(w.ends) {
		w.used, w.ends = 0, now.Add(time.Minute)
	}
	if w.used == w.grants {
		return told(w.grants, 0, w.ends.Sub(now)), false
	}
	w.used++
	return told(w.grants, w.grants-w.used, w.ends.Sub(now)), true
}

// bucket refills all the time, and says when it will be full.
type bucket struct {
	grants int
	level  float64
	seen   time.Time
}

func (b *bucket) ask(now time.Time) (http.Header, bool) {
	rate := float64(b.grants) / 60
	b.level = min(float64(b.grants), b.level+now.Sub(b.seen).Seconds()*rate)
	b.seen = now
	granted := b.level >= 1
	if granted {
		b.level--
	}
	return told(b.grants, int(b.level), time.Duration((float64(b.grants)-b.level)/rate*float64(time.Second))), granted
}

func told(granted, left int, reset time.Duration) http.Header {
	h := http.Header{}
	h.Set("x-ratelimit-limit-requests", strconv.Itoa(granted))
	h.Set("x-ratelimit-remaining-requests", strconv.Itoa(left))
	h.Set("x-ratelimit-reset-requests", reset.String())
	return h
}

// A provider that tells its limit of 60 a minute: at least nine tenths of it are used, and hardly a request is too many, with one client and
// with three that know nothing of each other.
func TestWhatTheEndpointGrantsIsUsedAndNotMore(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func() provider{
		"window": func() provider { return &window{grants: 60} },
		"bucket": func() provider { return &bucket{grants: 60, level: 60} },
	} {
		for _, instances := range []int{1, 3} {
			t.Run(fmt.Sprint(name, instances), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					granted, refused := load(t, start(), instances, 5*time.Minute)
					require.GreaterOrEqual(t, granted, 5*60*9/10)
					require.LessOrEqual(t, refused, granted/20)
				})
			})
		}
	}
}

// load has every instance ask with four at a time for a while. Who is refused asks again after a second.
func load(t *testing.T, p provider, instances int, span time.Duration) (granted, refused int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), span)
	defer cancel()
	var mu sync.Mutex
	var asking sync.WaitGroup
	for range instances {
		l := newLimits(0, 0, instances)
		for range 4 {
			asking.Go(func() {
				for l.wait(ctx, 100) == nil {
					<-time.After(100 * time.Millisecond)
					mu.Lock()
					header, ok := p.ask(time.Now())
					if ok {
						granted++
					} else {
						refused++
					}
					mu.Unlock()
					l.learn(header)
					if !ok {
						<-time.After(time.Second)
					}
				}
			})
		}
	}
	asking.Wait()
	return granted, refused
}

func TestLimitHeaders(t *testing.T) {
	t.Parallel()
	header := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return h
	}
	openai := header("x-ratelimit-limit-requests", "60", "x-ratelimit-remaining-requests", "59", "x-ratelimit-reset-requests", "1s",
		"x-ratelimit-limit-tokens", "150000", "x-ratelimit-remaining-tokens", "149984", "x-ratelimit-reset-tokens", "6m0s")
	gateway := header("RateLimit-Limit", "100, 100;w=60", "RateLimit-Remaining", "7", "RateLimit-Reset", "12")
	for name, c := range map[string]struct {
		header        http.Header
		unit          string
		granted, left int
		reset         time.Duration
	}{
		"requests":        {openai, "requests", 60, 59, time.Second},
		"tokens":          {openai, "tokens", 150000, 149984, 6 * time.Minute},
		"the draft":       {gateway, "requests", 100, 7, 12 * time.Second},
		"nothing there":   {nil, "requests", 0, 0, 0},
		"no tokens there": {gateway, "tokens", 0, 0, 0},
		"not a number":    {header("x-ratelimit-limit-requests", "many"), "requests", 0, 0, 0},
		"no reset":        {header("x-ratelimit-limit-requests", "60", "x-ratelimit-remaining-requests", "1"), "requests", 60, 1, 0},
		"an absurd reset": {header("ratelimit-limit", "60", "ratelimit-remaining", "1", "ratelimit-reset", "99999999999h"), "requests", 60, 1, 0},
		"a long reset":    {header("ratelimit-limit", "60", "ratelimit-remaining", "1", "ratelimit-reset", "400h"), "requests", 60, 1, maxReset},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			granted, left, reset, ok := limitHeaders(c.header, c.unit)
			require.Equal(t, c.reset > 0, ok)
			if ok {
				require.Equal(t, []any{c.granted, c.left, c.reset}, []any{granted, left, reset})
			}
		})
	}
}

// Twenty questions a second, each given up after 10 s, while a tenth of the limit is left: who gave up has no place in line, and when the
// limit is whole again nobody waits.
func TestThoseWhoGaveUpHoldNobodyUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimits(0, 0, 1)
		l.learn(told(500, 50, 54*time.Second))
		var asking sync.WaitGroup
		var sent atomic.Int64
		for range 50 * 20 {
			asking.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				if l.wait(ctx, 1) == nil {
					sent.Add(1)
				}
			})
			<-time.After(50 * time.Millisecond)
		}
		require.InDelta(t, 46, sent.Load(), 2, "fifty in 54 s")
		<-time.After(5 * time.Second)
		began := time.Now()
		require.NoError(t, l.wait(t.Context(), 1), "the time is over for which the header spoke")
		require.Zero(t, time.Since(began))
		asking.Wait()
	})
}

func TestAnAnswerThatGrantsMoreEndsTheWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimits(0, 0, 1)
		l.learn(told(500, 0, time.Minute))
		began := time.Now()
		waits := make(chan time.Duration, 8)
		for range cap(waits) {
			go func() {
				if l.wait(t.Context(), 8_000) == nil {
					waits <- time.Since(began)
				}
			}()
		}
		<-time.After(5 * time.Second)
		l.learn(told(500, 499, time.Second))
		for range cap(waits) {
			require.Equal(t, 5*time.Second, <-waits)
		}
	})
}

func TestNoHeaderHoldsARequestForMoreThanAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimits(0, 0, 10_000)
		l.learnedTokens.note(1_000_000, 1, maxReset, l.instances)
		began := time.Now()
		require.NoError(t, l.wait(t.Context(), 1_000_000))
		require.NoError(t, l.wait(t.Context(), 1))
		require.LessOrEqual(t, time.Since(began), maxLearned)
		l.learnedRequests.note(60, 0, 8*time.Hour, 1)
		began = time.Now()
		require.NoError(t, l.wait(t.Context(), 1))
		require.LessOrEqual(t, time.Since(began), 2*maxLearned)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		l.learnedRequests.note(60, 0, 8*time.Hour, 1)
		require.ErrorIs(t, l.wait(ctx, 1), context.DeadlineExceeded)
	})
}

func TestTheConfiguredLimitsAreDividedAmongInstances(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimits(60, 0, 4)
		began := time.Now()
		for range 16 {
			require.NoError(t, l.wait(t.Context(), 1))
		}
		require.Equal(t, time.Minute, time.Since(began).Round(time.Second), "15 a minute after the first")
	})
}
