package embedtest

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// NetworkFault starts a server with which something is wrong below HTTP, or in the middle of an answer. It returns the server's address and
// the transport that reaches it, nil for any. Everything ends with the test.
type NetworkFault func(tb testing.TB) (address string, over http.RoundTripper)

// NetworkFaults are all that may happen to a client instead of a whole answer, by name.
func NetworkFaults() map[string]NetworkFault {
	const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
	return map[string]NetworkFault{
		"nobody listens":                  nobody,
		"a reset":                         reset,
		"no word":                         saying("", false),
		"half a head":                     saying("HTTP/1.1 200 OK\r\nConte", false),
		"a head":                          saying(head, false),
		"half a body":                     saying(head+`{"data":[`, false),
		"another protocol":                saying("SSH-2.0-OpenSSH_9.6\r\n", false),
		"silence":                         saying("", true),
		"silence after a head":            saying(head, true),
		"silence in a body":               saying(head+`{"data":[`, true),
		"no such name":                    failing(&net.DNSError{Err: "no such host", Name: "e.test", IsNotFound: true}),
		"a name server down":              failing(&net.DNSError{Err: "server misbehaving", Name: "e.test", IsTemporary: true}),
		"a slow name server":              failing(&net.DNSError{Err: "i/o timeout", Name: "e.test", IsTimeout: true}),
		"no route":                        failing(&net.AddrError{Err: "no route to host", Addr: "e.test"}),
		"an unknown authority":            secured(func(_ *httptest.Server, c *tls.Config) { c.RootCAs = x509.NewCertPool() }),
		"another name":                    secured(func(_ *httptest.Server, c *tls.Config) { c.ServerName = "other.test" }),
		"an expired certificate":          secured(expired),
		"a certificate of ours is wanted": secured(func(s *httptest.Server, _ *tls.Config) { s.TLS.ClientAuth = tls.RequireAnyClientCert }),
		"http behind https":               httpBehindHTTPS,
		"https behind http":               httpsBehindHTTP,
	}
}

func nobody(testing.TB) (string, http.RoundTripper) {
	server := httptest.NewServer(nil)
	server.Close()
	return server.URL, nil
}

func reset(tb testing.TB) (string, http.RoundTripper) {
	tb.Helper()
	return raw(tb, func(conn *net.TCPConn) { _ = conn.SetLinger(0) }), nil // then closing it sends RST
}

// saying says a text and then ends the connection, or nothing any more until the client goes.
func saying(text string, stays bool) NetworkFault {
	return func(tb testing.TB) (string, http.RoundTripper) {
		tb.Helper()
		return raw(tb, func(conn *net.TCPConn) {
			_, _ = io.WriteString(conn, text)
			if stays {
				_, _ = io.Copy(io.Discard, conn)
			}
		}), nil
	}
}

// raw is a server of connections: serve gets each after a request was read from it.
func raw(tb testing.TB, serve func(conn *net.TCPConn)) (address string) {
	tb.Helper()
	listener, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	var tasks sync.WaitGroup
	tasks.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			tasks.Go(func() {
				defer func() { _ = conn.Close() }()
				if request, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					_, _ = io.Copy(io.Discard, request.Body)
				}
				if tcp, ok := conn.(*net.TCPConn); ok {
					serve(tcp)
				}
			})
		}
	})
	tb.Cleanup(func() {
		_ = listener.Close()
		tasks.Wait()
	})
	return "http://" + listener.Addr().String()
}

// failing cannot connect.
func failing(err error) NetworkFault {
	return func(tb testing.TB) (string, http.RoundTripper) {
		tb.Helper()
		return "http://e.test", &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
		}}
	}
}

// secured is a TLS server, and a transport that trusts it except as edit says.
func secured(edit func(server *httptest.Server, client *tls.Config)) NetworkFault {
	return func(tb testing.TB) (string, http.RoundTripper) {
		tb.Helper()
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		tb.Cleanup(server.Close)
		pool := x509.NewCertPool()
		pool.AddCert(server.Certificate())
		config := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
		edit(server, config)
		transport := &http.Transport{TLSClientConfig: config}
		tb.Cleanup(transport.CloseIdleConnections)
		return server.URL, transport
	}
}

func expired(server *httptest.Server, client *tls.Config) {
	client.Time = func() time.Time { return server.Certificate().NotAfter.Add(time.Hour) }
}

func httpBehindHTTPS(tb testing.TB) (string, http.RoundTripper) {
	tb.Helper()
	server := httptest.NewServer(http.NotFoundHandler())
	tb.Cleanup(server.Close)
	return "https" + server.URL[len("http"):], nil
}

func httpsBehindHTTP(tb testing.TB) (string, http.RoundTripper) {
	tb.Helper()
	address, over := secured(func(*httptest.Server, *tls.Config) {})(tb)
	return "http" + address[len("https"):], over
}
