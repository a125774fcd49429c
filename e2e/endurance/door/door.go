// Package door stands before a server over HTTP, at an address that stays: shut, it refuses connections as a host does on which the server does not run.
package door

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"sync"
	"syscall"
	"time"
)

// Door passes requests on while it is open. Its methods are not for several goroutines at once.
type Door struct {
	proxy   http.Handler
	port    int
	socket  int          // bound and not listening, so that nobody else gets the port; while it is shut
	server  *http.Server // while it is open
	serving sync.WaitGroup
}

// New makes a door to the server at target. It is open.
func New(target *url.URL) (*Door, error) {
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ErrorLog = log.New(io.Discard, "", 0) // requests that a shutting door cuts off are nobody's trouble
	d := &Door{proxy: proxy}
	socket, err := bind(0)
	if err != nil {
		return nil, err
	}
	d.socket = socket
	if d.port, err = portOf(socket); err != nil {
		return nil, errors.Join(err, syscall.Close(socket))
	}
	return d, d.Open()
}

// URL is where the door is, without a path.
func (d *Door) URL() string { return fmt.Sprintf("http://127.0.0.1:%d", d.port) }

// Open lets requests through from now on.
func (d *Door) Open() error {
	if d.server != nil {
		return nil
	}
	if err := syscall.Listen(d.socket, syscall.SOMAXCONN); err != nil {
		return fmt.Errorf("open the door: %w", err)
	}
	file := os.NewFile(uintptr(d.socket), "door")
	listener, err := net.FileListener(file) // a copy
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("open the door: %w", err)
	}
	server := &http.Server{Handler: d.proxy, ReadHeaderTimeout: 10 * time.Second}
	d.server = server
	d.serving.Go(func() {
		_ = server.Serve(listener) // it ends with the server
	})
	return nil
}

// Shut cuts off what is under way, and refuses connections from now on.
func (d *Door) Shut() error {
	if err := d.leave(); err != nil {
		return err
	}
	socket, err := bind(d.port)
	d.socket = socket
	return err
}

// Close ends the door for good, open or shut.
func (d *Door) Close() error {
	if d.server != nil {
		return d.leave()
	}
	return syscall.Close(d.socket)
}

func (d *Door) leave() error {
	err := d.server.Close()
	d.serving.Wait()
	d.server = nil
	return err
}

// bind takes a port of the loopback address, any one for 0, without listening on it.
func bind(port int) (socket int, err error) {
	syscall.ForkLock.RLock()
	socket, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(socket)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return 0, fmt.Errorf("make a socket: %w", err)
	}
	err = syscall.SetsockoptInt(socket, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1) // connections that were cut off linger at the port
	if err == nil {
		err = syscall.Bind(socket, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
	}
	if err != nil {
		return 0, errors.Join(fmt.Errorf("bind port %d: %w", port, err), syscall.Close(socket))
	}
	return socket, nil
}

func portOf(socket int) (int, error) {
	name, err := syscall.Getsockname(socket)
	if err != nil {
		return 0, fmt.Errorf("read the port: %w", err)
	}
	address, ok := name.(*syscall.SockaddrInet4)
	if !ok {
		return 0, fmt.Errorf("the socket's address is %T, not of IPv4", name)
	}
	return address.Port, nil
}
