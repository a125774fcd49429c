package instance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
)

// Options of Open.
type Options struct {
	// Log takes the instance's own messages; nil discards them.
	Log *slog.Logger
	// OnOrphan is called once, with an *OrphanError, when the functions worker that started this instance is gone. It should begin the same
	// end as SIGTERM does and return; a context.CancelCauseFunc fits. Nil switches the guard off.
	OnOrphan func(error)

	ppid func() int // nil: os.Getppid
}

// Instance is one running instance of the function as the functions worker sees it.
type Instance struct {
	conf       *Conf
	log        *slog.Logger
	stats      *stats
	conditions *conditions
	guard      *guard
	registerer prometheus.Registerer

	grpc    *grpc.Server
	http    *http.Server
	control *port
	metrics *port // nil: the worker gives no port

	cancel    context.CancelFunc
	tasks     sync.WaitGroup
	closeOnce sync.Once
	closed    error
}

// Open starts the control service and the metrics port, so that whatever goes wrong later can be seen (contract §7). Pulsar is not
// reached before Consume. A port that is taken is no error: it is logged, shown as a condition, and tried again.
func Open(conf *Conf, opts Options) (*Instance, error) {
	log := opts.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	registry := prometheus.NewRegistry()
	i := &Instance{
		conf: conf, log: log, stats: newStats(), conditions: newConditions(log), guard: newGuard(opts.ppid),
		registerer: prometheus.WrapRegistererWith(metricLabels(conf), registry),
	}
	if err := i.registerer.Register(newCollector(i.stats)); err != nil {
		return nil, fmt.Errorf("register the instance's metrics: %w", err)
	}
	i.grpc = newControlServer(i)
	i.http = newMetricsServer(registry, log)
	i.control = i.newPort("port", conf.Port, i.grpc.Serve)
	i.control.hosts = controlHosts(conf)

	ctx, cancel := context.WithCancel(context.Background())
	i.cancel = cancel
	i.open(ctx, i.control)
	if conf.MetricsPort != 0 {
		i.metrics = i.newPort("metricsPort", conf.MetricsPort, i.http.Serve)
		i.metrics.hosts, i.metrics.fallback = metricsHosts(ctx, conf, lookupHost), true
		i.open(ctx, i.metrics)
	}
	i.tasks.Go(func() { i.stats.turnWindows(ctx) })
	// The Kubernetes runtime sends no health checks, and a pod has no parent to lose.
	if opts.OnOrphan != nil && !conf.sharded {
		i.tasks.Go(func() { i.guard.watch(ctx, opts.OnOrphan) })
	}
	return i, nil
}

func (i *Instance) newPort(setting string, number int, serve func(net.Listener) error) *port {
	return &port{setting: setting, number: number, fqfn: i.conf.FQFN(), serve: serve, report: i.SetCondition, log: i.log}
}

// open tries the port before it returns, and goes on in the background.
func (i *Instance) open(ctx context.Context, p *port) {
	err := p.open(ctx)
	i.tasks.Go(func() { p.run(ctx, err) })
}

// Conf is what the instance was opened with.
func (i *Instance) Conf() *Conf { return i.conf }

// ControlAddrs are the addresses of the control service; none while its port is taken.
func (i *Instance) ControlAddrs() []net.Addr { return i.control.addrs() }

// MetricsAddrs are the addresses of the metrics port; none while it is taken.
func (i *Instance) MetricsAddrs() []net.Addr {
	if i.metrics == nil {
		return nil
	}
	return i.metrics.addrs()
}

// Registerer takes more series for the metrics port. It adds the labels that tell the functions of a worker apart (contract §3.1).
func (i *Instance) Registerer() prometheus.Registerer { return i.registerer }

// SetUserMetrics sets what `functions stats` shows as user metrics. read is called at each request and must not wait for anything.
func (i *Instance) SetUserMetrics(read func() map[string]float64) { i.stats.setUserMetrics(read) }

// SetCondition says what keeps a source (a part of the function) from working; an empty text takes it back. The texts are the error that
// `functions status` shows, while running stays true. They must hold no secrets. Each change is logged once.
func (i *Instance) SetCondition(source, text string) { i.conditions.set(source, text) }

// RecordException counts an error and keeps it among the last ten of its kind. It must hold no secrets. A nil error is ignored.
func (i *Instance) RecordException(kind ExceptionKind, err error) {
	if err != nil {
		i.stats.exception(kind, err)
	}
}

// Stats is the state of the counters and conditions.
func (i *Instance) Stats() Snapshot {
	s := i.stats.snapshot()
	s.Conditions = i.conditions.all()
	return s
}

// stopTimeout bounds the end of the servers even if the caller's context has none. It comes after the drain, within the ten seconds that
// the worker waits before it kills.
const stopTimeout = time.Second

// Close ends the metrics port, then the control service, and waits for both, at most until ctx ends or for one second; then it cuts the
// connections. Call it last: until then the worker can ask for the status. Later calls do nothing and return the same.
func (i *Instance) Close(ctx context.Context) error {
	i.closeOnce.Do(func() { i.closed = i.shutdown(ctx) })
	return i.closed
}

func (i *Instance) shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	i.cancel()
	err := i.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("end the metrics port: %w", err), i.http.Close())
	}
	cut := context.AfterFunc(ctx, i.grpc.Stop)
	i.grpc.GracefulStop()
	cut()
	i.tasks.Wait()
	return err
}
