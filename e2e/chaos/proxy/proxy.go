// Package proxy is a TCP proxy between a client and a server over which the network between them can be cut.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// State is how the network is.
type State int

// The states. Silent loses nothing: connections stay, and what is under way arrives later, as behind a cable that was pulled. Broken resets the connections
// that there are, and each new one.
const (
	Open State = iota
	Silent
	Broken
)

// Proxy takes connections on a port of the loopback address. It is open when it starts.
type Proxy struct {
	target   string
	listener net.Listener
	tasks    sync.WaitGroup

	mu      sync.Mutex
	state   State
	changed chan struct{} // closed when state changes
	closed  bool
	conns   map[*net.TCPConn]bool
}

// Start listens, and passes on to target, host:port.
func Start(ctx context.Context, target string) (*Proxy, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start a proxy to %s: %w", target, err)
	}
	p := &Proxy{target: target, listener: listener, changed: make(chan struct{}), conns: map[*net.TCPConn]bool{}}
	p.tasks.Go(p.accept)
	return p, nil
}

// Address is host:port to connect to.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Set changes the state of the network.
func (p *Proxy) Set(state State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = state
	close(p.changed)
	p.changed = make(chan struct{})
	if state == Broken {
		p.reset()
	}
}

// Close ends all connections, and returns when nothing runs any more.
func (p *Proxy) Close() error {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.changed)
		p.changed = make(chan struct{})
	}
	p.reset()
	p.mu.Unlock()
	err := p.listener.Close()
	p.tasks.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// reset ends the connections as a crash does: with RST, not FIN. mu is held.
func (p *Proxy) reset() {
	for conn := range p.conns {
		abort(conn)
	}
	clear(p.conns)
}

func abort(conn *net.TCPConn) {
	_ = conn.SetLinger(0) // then Close sends RST
	_ = conn.Close()      // it is to be gone, however
}

func (p *Proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		if client, ok := conn.(*net.TCPConn); ok && p.keep(client) {
			p.tasks.Go(func() { p.serve(client) })
		}
	}
}

// keep takes a connection up, unless the network is broken.
func (p *Proxy) keep(conn *net.TCPConn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.state == Broken {
		abort(conn)
		return false
	}
	p.conns[conn] = true
	return true
}

func (p *Proxy) drop(conn *net.TCPConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conns[conn] {
		delete(p.conns, conn)
		_ = conn.Close() // both ends are done with it
	}
}

// serve connects one client, and returns when both directions have ended.
func (p *Proxy) serve(client *net.TCPConn) {
	defer p.drop(client)
	if !p.passes() {
		return
	}
	conn, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", p.target)
	if err != nil {
		p.mu.Lock()
		abort(client) // the server's refusal is the client's
		p.mu.Unlock()
		return
	}
	server, ok := conn.(*net.TCPConn)
	if !ok || !p.keep(server) {
		return
	}
	defer p.drop(server)
	var both sync.WaitGroup
	both.Go(func() { p.pump(server, client) })
	both.Go(func() { p.pump(client, server) })
	both.Wait()
}

// pump passes bytes on in one direction until it ends, which the other side is told.
func (p *Proxy) pump(to, from *net.TCPConn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if !p.passes() {
			return
		}
		if n > 0 {
			if _, failed := to.Write(buffer[:n]); failed != nil {
				_ = from.CloseRead() // so that the sender learns of it
				return
			}
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				_ = to.CloseWrite()
				return
			}
			abort(to)
			return
		}
	}
}

// passes waits while the network is silent, and reports whether it is open then.
func (p *Proxy) passes() bool {
	for {
		p.mu.Lock()
		state, changed, closed := p.state, p.changed, p.closed
		p.mu.Unlock()
		if closed || state != Silent {
			return !closed && state == Open
		}
		<-changed
	}
}
