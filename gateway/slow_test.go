package gateway_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/gateway"
)

// pipes is a listener without a network, so that a bubble's clock is that of its connections' deadlines.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	select {
	case <-p.closed:
	default:
		close(p.closed)
	}
	return nil
}

// dialed serves the gateway in a bubble and returns a connection to it. stop ends it all.
func dialed(t *testing.T, g *gateway.Gateway) (conn net.Conn, stop func()) {
	t.Helper()
	l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.Serve(ctx, l) }()
	conn, far := net.Pipe()
	l.conns <- far
	return conn, func() {
		_ = conn.Close()
		cancel()
		require.NoError(t, <-ended)
	}
}

// TestSlowClientsAreCutOff: what a client does not send it is not waited for. Each limit is seen at its own moment.
func TestSlowClientsAreCutOff(t *testing.T) {
	t.Parallel()
	const head = "HTTP/1.1\r\nHost: 127.0.0.1\r\n"
	for name, tt := range map[string]struct {
		request, answer string
		within          time.Duration // 5 s for the headers, 20 s more for the rest
	}{
		"no headers":              {"", "", 5 * time.Second},
		"unended headers":         {"GET /v1/status " + head + "X-Slow: ", "HTTP/1.1 408 ", 5 * time.Second},
		"unended body":            {"POST /v1/search " + head + "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{", "HTTP/1.1 408 ", 25 * time.Second},
		"unended body, not asked": {"GET /v1/status " + head + "Content-Length: 100\r\n\r\n{", "HTTP/1.1 200 ", 25 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				conn, stop := dialed(t, newGateway(t, filled(), func(g *config.Gateway) { g.Timeout = 20 * time.Second }))
				defer stop()
				begun := time.Now()
				_, err := io.WriteString(conn, tt.request)
				require.NoError(t, err)
				require.NoError(t, conn.SetReadDeadline(begun.Add(time.Hour)))
				text, err := io.ReadAll(conn)
				require.NoError(t, err, "the gateway hangs up")
				require.LessOrEqual(t, time.Since(begun), tt.within+time.Second)
				require.True(t, len(text) == 0 || strings.HasPrefix(string(text), tt.answer), "%s", text)
			})
		})
	}
}

const eventsHead = "GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n"

func TestAStreamOutlivesTheLimitsOfRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		conn, stop := dialed(t, newGateway(t, filled(), func(g *config.Gateway) { g.Timeout = 100 * time.Millisecond }))
		defer stop()
		_, err := io.WriteString(conn, eventsHead+"\r\n")
		require.NoError(t, err)
		begun, heard := time.Now(), make([]byte, 64<<10)
		for time.Since(begun) < 5*time.Minute {
			_, err = conn.Read(heard)
			require.NoError(t, err, "after %s", time.Since(begun))
		}
	})
}

// TestAStreamWaitsForNoBody: the server reads the rest of a request before it answers, and a body that does not come would hold the
// stream's place for ever.
func TestAStreamWaitsForNoBody(t *testing.T) {
	t.Parallel()
	for _, rest := range []string{"Content-Length: 100\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n1\r\n{"} {
		synctest.Test(t, func(t *testing.T) {
			g, m := watched(t, filled(), func(g *config.Gateway) { g.Timeout = 100 * time.Millisecond }, slog.New(slog.DiscardHandler))
			conn, stop := dialed(t, g)
			defer stop()
			begun := time.Now()
			_, err := io.WriteString(conn, eventsHead+rest)
			require.NoError(t, err)
			require.NoError(t, conn.SetReadDeadline(begun.Add(time.Hour)))
			_, err = io.ReadAll(conn)
			require.NoError(t, err, "the gateway hangs up")
			require.LessOrEqual(t, time.Since(begun), 6*time.Second)
			synctest.Wait()
			require.Zero(t, m.Hub().Listeners())
		})
	}
}
