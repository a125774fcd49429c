package gateway_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/gateway"
	"github.com/rowvec/rowvec/search"
)

// serve listens on a free port until the test ends; ended gives what Serve returned.
func serve(t *testing.T, g *gateway.Gateway) (address string, stop context.CancelFunc, ended <-chan error) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() {
		defer close(result)
		result <- g.Serve(ctx, l)
	}()
	t.Cleanup(func() {
		stop()
		for range result { // until it has returned, whether or not the test has looked
			continue
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return l.Addr().String(), stop, result
}

// dial opens a connection and sends the text on it.
func dial(t *testing.T, address, text string) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = io.WriteString(conn, text)
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(30*time.Second)))
	return conn
}

// slowIndex answers searches when it is let.
type slowIndex struct {
	*index

	reached, release chan struct{}
}

func (x *slowIndex) Search(ctx context.Context, q search.Query) (*search.Result, error) {
	close(x.reached)
	<-x.release
	return x.index.Search(ctx, q)
}

func TestAStopLetsRequestsFinishAndEndsStreams(t *testing.T) {
	t.Parallel()
	x := &slowIndex{index: filled(), reached: make(chan struct{}), release: make(chan struct{})}
	address, stop, ended := serve(t, newGateway(t, x, open))

	stream := dial(t, address, "GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
	events := bufio.NewReader(stream)
	for {
		line, err := events.ReadString('\n')
		require.NoError(t, err)
		if strings.HasPrefix(line, "event: status") {
			break
		}
	}
	asking := dial(t, address, "GET /v1/search?table=app.articles&q=x HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
	<-x.reached
	stop()
	_, err := io.Copy(io.Discard, events)
	require.NoError(t, err, "the stream ends, it does not break")
	close(x.release)
	answer, err := http.ReadResponse(bufio.NewReader(asking), nil)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.NoError(t, <-ended)
}

func TestClientsThatBringTooMuchAreCutOff(t *testing.T) {
	t.Parallel()
	address, _, _ := serve(t, newGateway(t, filled(), open))
	for name, request := range map[string]string{
		"many headers":   "GET /v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\n" + strings.Repeat("X-Bomb: "+strings.Repeat("x", 1000)+"\r\n", 200) + "\r\n",
		"a long header":  "GET /v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Bomb: " + strings.Repeat("x", 1<<20) + "\r\n\r\n",
		"a long address": "GET /v1/search?q=" + strings.Repeat("x", 1<<20) + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
			require.NoError(t, err)
			t.Cleanup(func() { _ = conn.Close() })
			_, _ = io.WriteString(conn, request) // the server may hang up before it has all of it
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(30*time.Second)))
			text, _ := io.ReadAll(conn) // which may break off: the server does not read the rest
			require.Regexp(t, "^(HTTP/1.1 431 |$)", string(text))
		})
	}
}

func TestPathTricksReachNothing(t *testing.T) {
	t.Parallel()
	x := filled()
	address, _, _ := serve(t, newGateway(t, x, twoTokens))
	for _, path := range []string{"/v1/../metrics", "//v1/status", "/v1/tables/app.articles/rows/../../../metrics", "/./v1/status", "/v1/status/", "/V1/status", "/healthz/../v1/status", "/%2e%2e/v1/status", "/v1%2fstatus"} {
		conn := dial(t, address, fmt.Sprintf("GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", path))
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err, path)
		require.NoError(t, answer.Body.Close())
		require.NotEqual(t, http.StatusOK, answer.StatusCode, path)
	}
	require.Empty(t, x.asked)
}
