package instance

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// freePort is one that nobody held a moment ago, as the functions worker finds its own.
func freePort(tb testing.TB) int {
	tb.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(allInterfaces, "0"))
	require.NoError(tb, err)
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

func testConf(tb testing.TB) *Conf {
	tb.Helper()
	c := capturedConf()
	c.Port, c.MetricsPort, c.InstanceID, c.Cluster = freePort(tb), freePort(tb), 2, "standalone"
	return &c
}

func opened(tb testing.TB, c *Conf, opts Options) *Instance {
	tb.Helper()
	i, err := Open(c, opts)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, i.Close(context.Background())) })
	return i
}

func TestCloseFreesThePortsAndCanBeRepeated(t *testing.T) {
	t.Parallel()
	c := testConf(t)
	i := opened(t, c, Options{})
	require.NotEmpty(t, i.ControlAddrs())
	require.NotEmpty(t, i.MetricsAddrs())
	require.Same(t, c, i.Conf())
	for range 3 {
		require.NoError(t, i.Close(t.Context()))
	}
	for _, number := range []int{c.Port, c.MetricsPort} {
		l, err := net.Listen("tcp", net.JoinHostPort(loopback, strconv.Itoa(number)))
		require.NoError(t, err)
		require.NoError(t, l.Close())
	}
}

func TestCloseCutsWhatDoesNotEnd(t *testing.T) {
	t.Parallel()
	i := opened(t, testConf(t), Options{})
	silent, err := net.Dial("tcp", i.ControlAddrs()[0].String()) // never says a word of HTTP/2
	require.NoError(t, err)
	defer func() { _ = silent.Close() }()
	half, err := net.Dial("tcp", i.MetricsAddrs()[0].String())
	require.NoError(t, err)
	defer func() { _ = half.Close() }()
	_, err = io.WriteString(half, "GET /metrics HTTP/1.1\r\n")
	require.NoError(t, err)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	closed := make(chan error, 1)
	go func() { closed <- i.Close(ctx) }()
	select {
	case err := <-closed:
		if err != nil { // the metrics port was cut
			require.ErrorIs(t, err, context.Canceled)
		}
	case <-time.After(stopTimeout + 2*handshakeTimeout):
		require.FailNow(t, "Close hangs")
	}
	i.closed = nil // for the check when the test ends
}

func TestInstanceWithoutMetricsPort(t *testing.T) {
	t.Parallel()
	c := testConf(t)
	c.MetricsPort = 0
	i := opened(t, c, Options{})
	require.Empty(t, i.MetricsAddrs())
	require.Empty(t, i.Stats().Conditions)
}

func TestRecordExceptionIgnoresNil(t *testing.T) {
	t.Parallel()
	i := opened(t, testConf(t), Options{})
	i.RecordException(UserException, nil)
	require.Zero(t, i.Stats().Total.Exceptions)
	i.RecordException(ExceptionKind(200), errors.New("an unknown kind is counted somewhere rather than lost"))
	require.NotZero(t, i.Stats().Total.Exceptions)
}

func TestMetricsServerBoundsAScrape(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		server := newMetricsServer(hangingGatherer{release}, slog.New(slog.DiscardHandler))
		start := time.Now()
		answer := httptest.NewRecorder()
		server.Handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", http.NoBody))
		require.Equal(t, http.StatusServiceUnavailable, answer.Code)
		require.Equal(t, gatherTimeout, time.Since(start))
		close(release)
		synctest.Wait()
	})
	server := newMetricsServer(hangingGatherer{}, slog.New(slog.DiscardHandler))
	require.Positive(t, server.ReadHeaderTimeout)
	require.Positive(t, server.ReadTimeout)
	require.Positive(t, server.WriteTimeout)
	require.Positive(t, server.IdleTimeout)
}

func TestOpenWatchesForTheWorkersEnd(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	parent := func() int { return int(calls.Add(1)) } // another one at each look
	ctx, cancel := context.WithCancelCause(t.Context())
	opened(t, testConf(t), Options{OnOrphan: cancel, ppid: parent})
	<-ctx.Done()
	var orphan *OrphanError
	require.ErrorAs(t, context.Cause(ctx), &orphan)
	require.Equal(t, &OrphanError{ParentBefore: 1, ParentNow: 2}, orphan)
}

func TestAPodListensOnAllInterfacesAndHasNoParentToLose(t *testing.T) {
	t.Parallel()
	c := testConf(t)
	c.Kubernetes, c.sharded = true, true
	var looks atomic.Int64
	i := opened(t, c, Options{
		OnOrphan: func(err error) { t.Errorf("orphaned: %v", err) },
		ppid:     func() int { return int(looks.Add(1)) },
	})
	for _, addr := range append(i.ControlAddrs(), i.MetricsAddrs()...) {
		require.True(t, addr.(*net.TCPAddr).IP.IsUnspecified(), addr)
	}
	advance(guardTick + 100*time.Millisecond)
	require.EqualValues(t, 1, looks.Load())
}
