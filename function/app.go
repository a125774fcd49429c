package function

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/embed"
	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/function/indexer"
	"github.com/rowvec/rowvec/function/instance"
	"github.com/rowvec/rowvec/function/postgres"
)

// chromaTimeout bounds one request to Chroma. A group of 1,000 replaced records was seen to take 3 s on two cores.
const chromaTimeout = 60 * time.Second

// conditions is where a table says that it waits, and why: `functions status` shows it.
type conditions interface {
	SetCondition(source, text string)
	RecordException(kind instance.ExceptionKind, err error)
}

// app is the function at work: every table's pipeline, the writers of their collections, and the pool of embedding requests.
type app struct {
	log        *slog.Logger
	metrics    *metrics
	conditions conditions
	endpoint   *embed.Client
	index      *chroma.Client
	source     *postgres.Reader // nil without postgres.url
	schemas    *resolver        // nil without an admin URL; set before the first message
	events     *events          // nil without an output topic; set before the first message
	tables     map[string]*indexer.Table
	builders   map[string]*document.Builder
	writers    map[string]*indexer.Writer // by collection
	strangers  sync.Map                   // names of tables that a pattern brought and nobody configured: told once
	maxRecord  int                        // bytes of a record's key and payload; a larger one is not looked at
	writing    sync.WaitGroup             // the writers' goroutines; Drain waits for them
}

// newApp composes the pipelines of one of so many instances; nothing is reached yet. Its errors are wrong settings.
func newApp(c *config.Config, instances int, lookup Lookup, m *metrics, cond conditions, log *slog.Logger) (*app, error) {
	var pool *indexer.EmbedPool // made of the endpoint, whose requests it learns from
	endpoint, err := NewEmbedding(c.Embedding, instances, lookup, func(o embed.Observation) {
		pool.Learn(requestOf(o))
		m.embedded(o, pool.Concurrency())
	})
	if err != nil {
		return nil, err
	}
	pool = indexer.NewEmbedPool(endpoint, c.Embedding.Concurrency)
	m.embedConcurrency.Set(float64(pool.Concurrency()))
	index, err := NewChroma(c.Chroma, lookup, m.indexed, nil)
	if err != nil {
		return nil, err
	}
	builders, err := Builders(c)
	if err != nil {
		return nil, err
	}
	source, err := NewPostgres(c.Postgres, lookup) // last: it has to be closed
	if err != nil {
		return nil, err
	}
	a := &app{
		log: log, metrics: m, conditions: cond, endpoint: endpoint, index: index, source: source, builders: builders,
		tables: make(map[string]*indexer.Table), writers: make(map[string]*indexer.Writer), maxRecord: c.Batch.MaxRecordBytes,
	}
	for _, name := range slices.Sorted(maps.Keys(c.Tables)) {
		a.tables[name] = indexer.NewTable(indexer.TableConfig{
			Table: name, Builder: builders[name],
			Columns: columnsOf(source),
			Batch:   indexer.Batch{MaxRecords: c.Batch.MaxRecords, MaxBytes: c.Batch.MaxBytes, InFlight: c.Batch.InFlight},
		}, pool, a.writer(c, index, c.Tables[name].Collection), indexer.Options{Observer: &observer{a}, Log: log})
		m.setState(name, indexer.Running)
	}
	return a, nil
}

// requestOf is what the pool learns from a request.
func requestOf(o embed.Observation) indexer.Request {
	r := indexer.Request{Took: o.Duration, Size: o.Tokens}
	switch o.Code {
	case "200":
		r.OK = true
	case "429", "503", "504", "529", "timeout":
		r.Overload = true
	}
	return r
}

// writer returns the one writer of a collection, which its tables share.
func (a *app) writer(c *config.Config, index *chroma.Client, collection string) *indexer.Writer {
	if w, ok := a.writers[collection]; ok {
		return w
	}
	open := func(ctx context.Context) (indexer.Store, error) {
		opened, err := index.Ensure(ctx, CollectionSpec(c, collection))
		if err != nil {
			return nil, fmt.Errorf("open collection %s: %w", collection, err)
		}
		markModel(ctx, opened, c.Embedding.Model, a.log)
		removeProbe(ctx, opened, a.log)
		return opened, nil
	}
	w := indexer.NewWriter(open, Tombstones(c, index, collection, a.log))
	a.writers[collection] = w
	return w
}

// start lets the writers run. They outlive ctx: what is in flight when it ends is still written during the drain.
func (a *app) start(ctx context.Context) {
	for _, w := range a.writers {
		a.writing.Go(func() { w.Run(context.WithoutCancel(ctx)) })
	}
}

// Drain finishes what is in flight until ctx ends; what remains is settled as interrupted. Tables first: they feed the writers.
func (a *app) Drain(ctx context.Context) {
	var tables sync.WaitGroup
	for _, t := range a.tables {
		tables.Go(func() { t.Drain(ctx) })
	}
	tables.Wait()
	for _, w := range a.writers {
		w.Stop(ctx)
	}
	a.writing.Wait()
}

// close gives back the connections to the endpoint, to Chroma and to Postgres. Call it after Drain.
func (a *app) close() {
	a.endpoint.Close()
	if err := a.index.Close(); err != nil {
		a.log.Warn("close the Chroma client", "error", err)
	}
	if a.source != nil {
		a.source.Close()
	}
}
