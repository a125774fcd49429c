package instance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const (
	loopback      = "127.0.0.1"
	allInterfaces = ""

	portRetryFirst = time.Second
	portRetryMost  = 30 * time.Second
	lookupTimeout  = 3 * time.Second
)

// PortError says that a port given by the functions worker cannot be had.
type PortError struct {
	Setting string // port or metricsPort, as in the worker's JSON
	Port    int
	Host    string // empty: all interfaces
	FQFN    string
	Err     error
}

// Error names both sides: who gave the port, and that somebody else holds it.
func (e *PortError) Error() string {
	address := net.JoinHostPort(e.Host, strconv.Itoa(e.Port))
	if !errors.Is(e.Err, syscall.EADDRINUSE) {
		return fmt.Sprintf("cannot listen on %s (%s %d given by the functions worker): %v", address, e.Setting, e.Port, e.Err)
	}
	return fmt.Sprintf("cannot listen on %s: the functions worker gave this instance %s %d, but another process holds it; the worker "+
		"gives the same port at every restart of its own, new ones come with `pulsar-admin functions restart --fqfn %s`",
		address, e.Setting, e.Port, e.FQFN)
}

// Unwrap gives the system's error.
func (e *PortError) Unwrap() error { return e.Err }

// Class is "retry": the holder may go away.
func (*PortError) Class() string { return "retry" }

// Reason is port_unavailable.
func (*PortError) Reason() string { return "port_unavailable" }

// port is a port given by the worker and the server behind it. A port that is taken does not end the process: the work can be done
// without it, the worker would come back with the same port, and its holder may go.
type port struct {
	setting  string
	number   int
	hosts    []string
	fallback bool // a host that is not ours: listen on all interfaces instead
	fqfn     string
	serve    func(net.Listener) error
	report   func(source, text string)
	log      *slog.Logger

	mu        sync.Mutex
	listeners []net.Listener
}

// open tries once.
func (p *port) open(ctx context.Context) error {
	listeners, err := p.listen(ctx, p.hosts)
	if p.fallback && errors.Is(err, syscall.EADDRNOTAVAIL) {
		listeners, err = p.listen(ctx, []string{allInterfaces})
	}
	p.mu.Lock()
	p.listeners = listeners
	p.mu.Unlock()
	return err
}

func (p *port) listen(ctx context.Context, hosts []string) ([]net.Listener, error) {
	var listeners []net.Listener
	number := p.number
	for _, host := range hosts {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(number)))
		if err != nil {
			for _, open := range listeners {
				_ = open.Close()
			}
			return nil, &PortError{Setting: p.setting, Port: p.number, Host: host, FQFN: p.fqfn, Err: err}
		}
		listeners = append(listeners, l)
		number = l.Addr().(*net.TCPAddr).Port // the same on every host, also when any will do
	}
	return listeners, nil
}

// run serves until the server is shut down; before that, until ctx ends, it tries to open the port if err, the outcome of the first try,
// says that it is not.
func (p *port) run(ctx context.Context, err error) {
	source := p.setting
	for delay := portRetryFirst; err != nil; delay = min(2*delay, portRetryMost) {
		p.report(source, err.Error())
		select {
		case <-ctx.Done():
			return
		case <-time.After(delay):
		}
		err = p.open(ctx)
	}
	p.report(source, "")
	var serving sync.WaitGroup
	for _, l := range p.opened() {
		serving.Go(func() {
			if err := p.serve(l); err != nil && ctx.Err() == nil {
				p.report(source, fmt.Sprintf("no longer serving %s %d: %v", p.setting, p.number, err))
			}
		})
	}
	serving.Wait()
}

func (p *port) opened() []net.Listener {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.listeners
}

func (p *port) addrs() []net.Addr {
	listeners := p.opened()
	addrs := make([]net.Addr, 0, len(listeners))
	for _, l := range listeners {
		addrs = append(addrs, l.Addr())
	}
	return addrs
}

// controlHosts is the loopback interface, which the worker calls, as the service has no authentication; a pod is called from outside.
func controlHosts(c *Conf) []string {
	if c.Kubernetes {
		return []string{allInterfaces}
	}
	return []string{loopback}
}

// metricsHosts is as narrow as the worker's scrape allows: it asks the host's own address, not the loopback one (contract §3.2), as
// Java's InetAddress.getLocalHost finds it, by looking up the host's name.
func metricsHosts(ctx context.Context, c *Conf, lookup func(context.Context) ([]string, error)) []string {
	if c.Kubernetes {
		return []string{allInterfaces}
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	own, err := lookup(ctx)
	if err != nil || len(own) == 0 {
		return []string{allInterfaces}
	}
	hosts := []string{loopback}
	for _, host := range own {
		if host != loopback {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// lookupHost finds the addresses of the host's name; IPv4 alone when there is any, which Java prefers.
func lookupHost(ctx context.Context) ([]string, error) {
	name, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("find the host's name: %w", err)
	}
	ips, err := net.DefaultResolver.LookupIP(ctx, "ip4", name)
	if err != nil || len(ips) == 0 {
		ips, err = net.DefaultResolver.LookupIP(ctx, "ip6", name)
	}
	if err != nil {
		return nil, fmt.Errorf("look up the host's name: %w", err)
	}
	hosts := make([]string, 0, len(ips))
	for _, ip := range ips {
		hosts = append(hosts, ip.String())
	}
	return hosts, nil
}
