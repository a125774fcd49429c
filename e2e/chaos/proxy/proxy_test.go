package proxy_test

import (
	"bufio"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rowvec/rowvec/e2e/chaos/proxy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo is a server that sends back what it gets.
func echo(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return listener.Addr().String()
}

type client struct {
	*testing.T
	conn  net.Conn
	lines *bufio.Reader
}

func dial(t *testing.T, p *proxy.Proxy) *client {
	t.Helper()
	conn, err := net.Dial("tcp", p.Address())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return &client{T: t, conn: conn, lines: bufio.NewReader(conn)}
}

func (c *client) send(line string) {
	_, _ = io.WriteString(c.conn, line+"\n") // a cut network need not be noticed here
}

func (c *client) receive(within time.Duration) (string, error) {
	require.NoError(c, c.conn.SetReadDeadline(time.Now().Add(within)))
	return c.lines.ReadString('\n')
}

func start(t *testing.T, target string) *proxy.Proxy {
	t.Helper()
	p, err := proxy.Start(t.Context(), target)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p
}

func TestOpenPasses(t *testing.T) {
	c := dial(t, start(t, echo(t)))
	for _, line := range []string{"one", "two"} {
		c.send(line)
		got, err := c.receive(10 * time.Second)
		require.NoError(t, err)
		require.Equal(t, line+"\n", got)
	}
	require.NoError(t, c.conn.(*net.TCPConn).CloseWrite())
	_, err := c.receive(10 * time.Second)
	require.ErrorIs(t, err, io.EOF, "the end is passed on, both ways")
}

func TestSilentHoldsBackAndLosesNothing(t *testing.T) {
	p := start(t, echo(t))
	before := dial(t, p)
	before.send("first")
	_, err := before.receive(10 * time.Second)
	require.NoError(t, err)
	p.Set(proxy.Silent)
	during := dial(t, p)
	before.send("held")
	during.send("held, too")
	for _, c := range []*client{before, during} {
		_, err := c.receive(100 * time.Millisecond)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	}
	p.Set(proxy.Open)
	for c, want := range map[*client]string{before: "held\n", during: "held, too\n"} {
		got, err := c.receive(10 * time.Second)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestBrokenResets(t *testing.T) {
	p := start(t, echo(t))
	before := dial(t, p)
	before.send("first")
	_, err := before.receive(10 * time.Second)
	require.NoError(t, err)
	p.Set(proxy.Broken)
	_, err = before.receive(10 * time.Second)
	require.Error(t, err)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
	requireRefused(t, p)
	p.Set(proxy.Open)
	after := dial(t, p)
	after.send("again")
	got, err := after.receive(10 * time.Second)
	require.NoError(t, err)
	require.Equal(t, "again\n", got)
}

func TestAServerThatIsNotThere(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	nobody := listener.Addr().String()
	require.NoError(t, listener.Close())
	requireRefused(t, start(t, nobody))
}

// requireRefused connects, which may or may not succeed before the reset arrives.
func requireRefused(t *testing.T, p *proxy.Proxy) {
	t.Helper()
	conn, err := net.Dial("tcp", p.Address())
	if err == nil {
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
		_, err = conn.Read(make([]byte, 1))
		require.NoError(t, conn.Close())
	}
	require.ErrorIs(t, err, syscall.ECONNRESET)
}

func TestCloseEndsWhatIsSilent(t *testing.T) {
	p := start(t, echo(t))
	p.Set(proxy.Silent)
	c := dial(t, p)
	c.send("never")
	require.NoError(t, p.Close())
	_, err := c.receive(10 * time.Second)
	require.Error(t, err)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NoError(t, p.Close(), "twice")
}
