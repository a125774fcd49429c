package chroma_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/chroma/chromatest"
)

func TestDroppedAndTruncatedAnswersAreRetried(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	col := newCollection(t, server, nil)
	for op, call := range operations(t, col) {
		server.Control(only(op, &chromatest.Response{Drop: true}))
		requireError(t, call(), "retry", chroma.ReasonNetwork)
		server.Control(only(op, &chromatest.Response{Truncate: true, Body: "{"}))
		requireError(t, call(), "retry", chroma.ReasonNetwork)
		require.Len(t, server.Collections(), 1)
	}
}

func TestAWriteWhoseAnswerIsLostIsDoneAllTheSame(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	col := newCollection(t, server, nil)
	server.Control(only("upsert", &chromatest.Response{Apply: true, Drop: true}))
	err := col.Upsert(t.Context(), []string{"a"}, [][]float32{{1}}, nil, nil)
	requireError(t, err, "retry", chroma.ReasonNetwork)
	require.Contains(t, server.Records("articles"), "a")
	require.Equal(t, 1, server.Counts()["upsert"], "one attempt, although http.Transport could repeat it")
}

func TestAServerThatIsDown(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := "http://" + listener.Addr().String()
	require.NoError(t, listener.Close())
	client, err := chroma.New(chroma.Config{URL: address})
	require.NoError(t, err)
	_, err = client.Ensure(t.Context(), chroma.CollectionSpec{Name: "articles"})
	failed := failureOf(t, err, "retry", chroma.ReasonNetwork)
	require.Contains(t, failed.Error(), "connection refused")
	require.Zero(t, failed.Status())
	require.NoError(t, client.Close())
}

// stuck never answers, and records nothing.
var stuck = roundTripper(func(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
})

func TestTimeoutIsOursAndRetried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var seen chroma.Observation
		client, err := chroma.New(chroma.Config{
			URL: "http://chroma.test", Timeout: 3 * time.Second, Transport: stuck, Observe: func(o chroma.Observation) { seen = o },
		})
		require.NoError(t, err)
		start := time.Now()
		_, err = client.Ensure(t.Context(), chroma.CollectionSpec{Name: "articles"})
		requireError(t, err, "retry", chroma.ReasonTimeout)
		require.Equal(t, 3*time.Second, time.Since(start))
		require.NotErrorIs(t, err, context.DeadlineExceeded, "that would look like the caller's")
		require.ErrorContains(t, err, "no answer within 3s")
		require.Equal(t, "timeout", seen.Code)
	})
}

func TestTheCallersContextPassesThrough(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var seen []chroma.Observation
		client, err := chroma.New(chroma.Config{
			URL: "http://chroma.test", Transport: stuck, Observe: func(o chroma.Observation) { seen = append(seen, o) },
		})
		require.NoError(t, err)
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var classified *chroma.Error
		_, err = client.Ensure(short, chroma.CollectionSpec{Name: "articles"})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorAs(t, err, &classified)
		require.EqualError(t, err, `chroma collection "articles": context deadline exceeded`)

		cancelled, stop := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, stop)
		err = client.Ping(cancelled)
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorAs(t, err, &classified)
		require.Len(t, seen, 2)
		require.Equal(t, "canceled", seen[1].Code)

		err = client.Ping(cancelled)
		require.ErrorIs(t, err, context.Canceled)
		require.Len(t, seen, 2, "a context that is over sends nothing")
	})
}

func TestWaitingForTheLimitsEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, err := chroma.New(chroma.Config{URL: "http://chroma.test", Timeout: time.Minute, Transport: stuck})
		require.NoError(t, err)
		first := make(chan error, 1)
		go func() { first <- client.Ping(t.Context()) }()
		synctest.Wait()
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		require.ErrorIs(t, client.Ping(short), context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(start))
		requireError(t, <-first, "retry", chroma.ReasonTimeout)
	})
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	reached := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	t.Cleanup(elsewhere.Close)
	server := chromatest.New(t)
	col := newCollection(t, server, func(cfg *chroma.Config) { cfg.Token = "secret" })
	for op, call := range operations(t, col) {
		server.Control(only(op, &chromatest.Response{Status: 307, Header: http.Header{"Location": {elsewhere.URL}}}))
		failed := failureOf(t, call(), "halt", chroma.ReasonRedirect)
		require.Contains(t, failed.Error(), "set chroma.url")
	}
	require.False(t, reached)
}
