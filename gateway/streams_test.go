package gateway_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/event"
	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/gateway"
)

// listening is a listener of the event stream in a bubble; to be read when the bubble rests.
type listening struct {
	*httptest.ResponseRecorder

	leave context.CancelFunc
	done  chan struct{}
}

func listen(t *testing.T, g *gateway.Gateway, token string) *listening {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:8090/v1/events", nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	l := &listening{httptest.NewRecorder(), leave, make(chan struct{})}
	go func() {
		defer close(l.done)
		g.ServeHTTP(l, r)
	}()
	synctest.Wait()
	return l
}

func (l *listening) end() {
	l.leave()
	<-l.done
}

// requireEnded is for one that was refused: it is over by now.
func (l *listening) requireEnded(t *testing.T) {
	t.Helper()
	select {
	case <-l.done:
	default:
		l.end()
		require.Fail(t, "the stream is open")
	}
}

func settled(table, row string) *event.Event {
	now, ms := time.Now(), int64(5)
	return &event.Event{
		Version: event.Version, Function: "public/default/f", Table: table, Row: row, Operation: event.Insert, Outcome: event.Indexed, CommittedAt: now, DurableAt: now, SettledAt: now, FreshnessMs: &ms,
	}
}

// TestAListenerHearsOfItsTablesOnly: in what was before it came, in changes, ticks and status.
func TestAListenerHearsOfItsTablesOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, m := watched(t, filled(), twoTokens, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { m.Run(ctx) })
		change := func(row string) {
			m.Observe(settled("app.articles", "mine-"+row))
			m.Observe(settled("app.orders", "theirs-"+row))
		}
		change("before")
		<-time.After(1500 * time.Millisecond) // the bubble's clock: a tick for the history
		shop, ops := listen(t, g, shopToken), listen(t, g, opsToken)
		change("now")
		<-time.After(10 * time.Second) // ticks, and a status
		synctest.Wait()
		stop()
		running.Wait()
		shop.end()
		ops.end()

		mine, all := shop.Body.String(), ops.Body.String()
		for _, said := range []string{"event: hello", "event: history", "event: status", "event: tick", "event: change", "mine-before", "mine-now", `"app.articles"`} {
			require.Contains(t, mine, said)
			require.Contains(t, all, said)
		}
		for _, theirs := range []string{"app.orders", "theirs-before", "theirs-now", `"indexed":2`, `"order"`} {
			require.NotContains(t, mine, theirs)
		}
		for _, theirs := range []string{"app.orders", "theirs-before", "theirs-now", `"indexed":2`} {
			require.Contains(t, all, theirs, "who may see all hears it")
		}
	})
}

func TestStreamsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, filled(), func(g *config.Gateway) {
			twoTokens(g)
			g.MaxStreams, g.MaxStreamsPerToken = 3, 2
		})
		first, second := listen(t, g, shopToken), listen(t, g, shopToken)
		third := listen(t, g, shopToken)
		third.requireEnded(t)
		require.Equal(t, http.StatusTooManyRequests, third.Code)
		require.Equal(t, "application/problem+json", third.Header().Get("Content-Type"))
		require.Equal(t, "10", third.Header().Get("Retry-After"))

		other := listen(t, g, opsToken)
		require.Equal(t, http.StatusOK, other.Code)
		fourth := listen(t, g, opsToken)
		fourth.requireEnded(t)
		require.Equal(t, http.StatusServiceUnavailable, fourth.Code)
		require.Equal(t, "10", fourth.Header().Get("Retry-After"))

		first.end()
		again := listen(t, g, shopToken)
		require.Equal(t, http.StatusOK, again.Code, "a place that is given up is free")
		require.Contains(t, again.Body.String(), "event: hello")
		for _, l := range []*listening{second, other, again} {
			l.end()
		}
	})
}

// TestWithoutTokensTheBoundIsTheCommonOne: there is one listener to speak of, the machine.
func TestWithoutTokensTheBoundIsTheCommonOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, filled(), func(g *config.Gateway) { g.MaxStreams, g.MaxStreamsPerToken = 2, 1 })
		first, second := listen(t, g, ""), listen(t, g, "")
		require.Equal(t, []int{http.StatusOK, http.StatusOK}, []int{first.Code, second.Code})
		third := listen(t, g, "")
		third.requireEnded(t)
		require.Equal(t, http.StatusServiceUnavailable, third.Code)
		first.end()
		second.end()
	})
}
