package embed_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/embed"
	"github.com/rowvec/rowvec/embed/embedtest"
)

// silent is an endpoint that never answers.
func silent(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	for _, timeout := range []time.Duration{0, 5 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			client := newClient(t, over(silent), func(c *embed.Config) { c.Timeout = timeout })
			start := time.Now()
			_, err := client.Embed(t.Context(), []string{"a"})
			if timeout == 0 {
				timeout = embed.DefaultTimeout
			}
			require.Equal(t, timeout, time.Since(start))
			require.Equal(t, []string{embed.ClassRetry, embed.ReasonTimeout}, []string{failure(t, err).Class(), failure(t, err).Reason()})
			require.ErrorContains(t, err, timeout.String())
			require.NotErrorIs(t, err, context.DeadlineExceeded, "that would look as if the caller had ended it")
		})
	}
}

// Below the client others have timeouts and contexts of their own; none of them is the caller's.
func TestTimeoutsOfTheNetwork(t *testing.T) {
	t.Parallel()
	for reason, cause := range map[string]error{
		embed.ReasonTimeout: &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded},
		embed.ReasonNetwork: fmt.Errorf("connection pool: %w", context.Canceled),
	} {
		client := newClient(t, over(func(*http.Request) (*http.Response, error) { return nil, cause }))
		_, err := client.Embed(t.Context(), []string{"a"})
		require.Equal(t, []string{embed.ClassRetry, reason}, []string{failure(t, err).Class(), failure(t, err).Reason()})
		require.ErrorContains(t, err, cause.Error())
		require.NotErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
	}
}

// An answer that begins in time and does not end is a timeout, too.
func TestTimeoutInBody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := newClient(t, over(func(r *http.Request) (*http.Response, error) {
			response := reply(r, 200, "", nil)
			response.Body = endless{r.Context()}
			return response, nil
		}))
		_, err := client.Embed(t.Context(), []string{"a"})
		require.Equal(t, embed.ReasonTimeout, failure(t, err).Reason())
	})
}

type endless struct{ ctx context.Context }

func (e endless) Read([]byte) (int, error) {
	<-e.ctx.Done()
	return 0, e.ctx.Err()
}

func (e endless) Close() error { return nil }

func TestCallersContextPassesThrough(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := newClient(t, over(silent))
		for _, end := range []struct {
			with func() (context.Context, context.CancelFunc)
			want error
		}{
			{func() (context.Context, context.CancelFunc) { return context.WithTimeout(t.Context(), time.Second) }, context.DeadlineExceeded},
			{func() (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { cancel(errors.New("shutting down")) })
				return ctx, func() { cancel(nil) }
			}, context.Canceled},
		} {
			ctx, cancel := end.with()
			_, err := client.Embed(ctx, []string{"a"})
			cancel()
			require.ErrorIs(t, err, end.want)
			var classified *embed.Error
			require.NotErrorAs(t, err, &classified)
		}
	})
}

// On a real connection, too: the request is given up when the caller goes away.
func TestCancelEndsARequestOnTheWire(t *testing.T) {
	t.Parallel()
	server, client := setup(t, embedtest.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	server.Control(func(*embedtest.Request) *embedtest.Response {
		cancel()
		return embedtest.Hold(make(chan struct{}))
	})
	_, err := client.Embed(ctx, []string{"a"})
	require.ErrorIs(t, err, context.Canceled)
}

func TestRequestsPerMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := newClient(t, over(func(r *http.Request) (*http.Response, error) { return reply(r, 200, answer(1), nil), nil }),
			func(c *embed.Config) { c.RequestsPerMinute = 120 })
		start := time.Now()
		for range 8 {
			_, err := client.Embed(t.Context(), []string{"a"})
			require.NoError(t, err)
		}
		require.Equal(t, 3*time.Second, time.Since(start), "two at once, then two a second")
	})
}

func TestTokensPerMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := newClient(t, over(func(r *http.Request) (*http.Response, error) { return reply(r, 200, answer(1), nil), nil }),
			func(c *embed.Config) { c.TokensPerMinute = 60 })
		start := time.Now()
		_, err := client.Embed(t.Context(), []string{"abcdefghi"}) // 3 and 2 tokens: more than a second has
		require.NoError(t, err)
		require.Equal(t, 4*time.Second, time.Since(start))
	})
}

// Waiting for a turn ends with the caller, and no request is sent or observed.
func TestWaitingHonoursTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		requests, observed := 0, 0
		client := newClient(t, over(func(r *http.Request) (*http.Response, error) {
			requests++
			return reply(r, 200, answer(1), nil), nil
		}), func(c *embed.Config) { c.RequestsPerMinute = 1; c.Observe = func(embed.Observation) { observed++ } })
		_, err := client.Embed(t.Context(), []string{"a"})
		require.NoError(t, err)

		canceled, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err = client.Embed(canceled, []string{"a"})
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, context.DeadlineExceeded)

		short, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		_, err = client.Embed(short, []string{"a"})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, []int{1, 1}, []int{requests, observed})
	})
}
