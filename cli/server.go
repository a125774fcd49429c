package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/function"
	"github.com/rowvec/rowvec/function/admin"
	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/gateway"
	"github.com/rowvec/rowvec/gateway/access"
	"github.com/rowvec/rowvec/gateway/broker"
	"github.com/rowvec/rowvec/gateway/monitor"
	"github.com/rowvec/rowvec/gateway/page"
	"github.com/rowvec/rowvec/gateway/source"
	"github.com/rowvec/rowvec/search"
)

// server is a gateway and all that it stands on.
type server struct {
	gateway *gateway.Gateway
	monitor *monitor.Monitor
	feed    *broker.Feed // nil: no output topic or no broker is configured
	closers []func()     // in the order of making
}

func (s *server) close() {
	for i := len(s.closers) - 1; i >= 0; i-- {
		s.closers[i]()
	}
}

// run serves until ctx ends; then its goroutines have ended, too.
func (s *server) run(ctx context.Context, l net.Listener) error {
	working, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { s.monitor.Run(working) })
	if s.feed != nil {
		wg.Go(func() { s.feed.Run(working) })
	}
	err := s.gateway.Serve(ctx, l)
	stop()
	wg.Wait()
	return err
}

// newServer wires a gateway together; nothing is reached yet.
func newServer(f *config.Function, keeper *access.Keeper, version string, log *slog.Logger) (*server, error) {
	s := &server{}
	index, store, err := s.index(f)
	if err == nil {
		err = s.watch(f, index, store, version, log)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	s.gateway = gateway.New(gateway.Config{
		Version: version, Settings: f.Config, Index: index, Keeper: keeper, Monitor: s.monitor, Page: page.Handler(),
		Registry: registry, Log: log,
	})
	return s, nil
}

func (s *server) index(f *config.Function) (*search.Index, *chroma.Client, error) {
	endpoint, err := function.NewEmbedding(f.Config.Embedding, 1, f.Secret, nil)
	if err != nil {
		return nil, nil, err
	}
	s.closers = append(s.closers, endpoint.Close)
	store, err := function.NewChroma(f.Config.Chroma, f.Secret, nil, nil)
	if err != nil {
		return nil, nil, err
	}
	s.closers = append(s.closers, func() { _ = store.Close() }) // idle connections; nothing is lost with them
	g := f.Config.Gateway
	entries := g.Cache.Entries
	if entries == 0 {
		entries = -1 // none; 0 is search's default
	}
	index := search.New(f.Config, endpoint, search.From(store), search.Options{Timeout: g.Timeout, CacheTTL: g.Cache.TTL, CacheEntries: entries})
	s.closers = append(s.closers, index.Close)
	return index, store, nil
}

// watch makes the monitor, of what the configuration lets it see.
func (s *server) watch(f *config.Function, index *search.Index, store *chroma.Client, version string, log *slog.Logger) error {
	c := monitor.Config{
		Version: version, Function: monitor.FunctionName{Tenant: f.Tenant, Namespace: f.Namespace, Name: f.Name}, Log: log,
		Chroma: store.Heartbeat,
		Index:  func(ctx context.Context, t monitor.Table) (monitor.IndexCounts, error) { return count(ctx, index, t) },
	}
	for _, name := range f.Config.TableNames() {
		t := f.Config.Tables[name]
		c.Tables = append(c.Tables, monitor.Table{
			Table: name, Collection: t.Collection, Entity: t.Entity, IDs: document.NewIDs(name, f.Config.SharesCollection(name)),
		})
	}
	if err := s.watchSource(f, &c); err != nil {
		return err
	}
	token, err := f.Config.Pulsar.Token.Resolve(f.Secret)
	if err != nil {
		return fmt.Errorf("userConfig.pulsar.token: %w", err)
	}
	if err := s.watchFunction(f, &c, token); err != nil {
		return err
	}
	if f.Output != "" && f.Config.Pulsar.ServiceURL != "" {
		at := broker.Access{ServiceURL: f.Config.Pulsar.ServiceURL, Token: token, TrustCertsFile: string(f.Config.Pulsar.CAFile)}
		s.feed = &broker.Feed{Open: broker.Tail(at, f.Output, log), Topic: f.Output, Log: log}
		c.Events = s.feed.Health
	}
	s.monitor = monitor.New(c)
	if s.feed != nil {
		s.feed.Observe = s.monitor.Observe
	}
	return nil
}

func (s *server) watchSource(f *config.Function, c *monitor.Config) error {
	if !f.Config.Postgres.URL.Set() {
		return nil
	}
	url, err := f.Config.Postgres.URL.Resolve(f.Secret)
	if err != nil {
		return fmt.Errorf("userConfig.postgres.url: %w", err)
	}
	db, err := source.New(url)
	if err != nil {
		return err
	}
	s.closers = append(s.closers, db.Close)
	c.Source = db
	return nil
}

func (s *server) watchFunction(f *config.Function, c *monitor.Config, token string) error {
	if f.Config.Pulsar.AdminURL == "" {
		return nil
	}
	roots, err := f.Config.Pulsar.CAFile.Pool()
	if err != nil {
		return fmt.Errorf("userConfig.pulsar.caFile: %w", err)
	}
	client, err := admin.New(admin.Config{URL: f.Config.Pulsar.AdminURL, Token: token, RootCAs: roots})
	if err != nil {
		return fmt.Errorf("userConfig.pulsar.adminURL: %w", err)
	}
	s.closers = append(s.closers, client.Close)
	c.Broker = &broker.Function{
		Admin: client, Name: c.Function, Inputs: f.Inputs, Patterns: f.Patterns, Subscription: f.SubName, Tables: f.Config.TableNames(),
		DeadLetters: config.DeadLetterTopic(f.Config, f.Tenant, f.Namespace, f.Name),
	}
	return nil
}

// count asks the index exactly, which for some millions of records takes minutes; the monitor gives it these, and itself a rest.
func count(ctx context.Context, index *search.Index, t monitor.Table) (monitor.IndexCounts, error) {
	counts, err := index.Count(ctx, t.Table, true)
	if e := (*search.Error)(nil); errors.As(err, &e) && e.Reason() == chroma.ReasonCollectionMissing {
		return monitor.IndexCounts{Rows: new(int64)}, nil // the function makes it with the first row: Chroma is well
	}
	if err != nil {
		return monitor.IndexCounts{}, err
	}
	rows := int64(counts.Rows)
	return monitor.IndexCounts{Records: int64(counts.Records), Rows: &rows}, nil
}
