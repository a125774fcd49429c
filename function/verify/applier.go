package verify

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rowvec/rowvec/function/indexer"
)

// Applier brings changes, each with the Repair that it may have, into the index as the function does and tells what became of each, in their order. It waits while waiting can
// cure a fault, and fails when a setting must change.
type Applier interface {
	Apply(ctx context.Context, changes []indexer.Record) ([]indexer.Outcome, error)
}

// Pipeline is an Applier on the indexer: one table with a writer of its own. Close ends it.
type Pipeline struct {
	table   *indexer.Table
	writer  *indexer.Writer
	writing sync.WaitGroup
	halts   *halts
}

// rowBytes is what a row counts as, for the bound on what is in work: the row itself is at hand already.
const rowBytes = 4 << 10

// NewPipeline starts a pipeline for one table. The writer should be made as the function makes it, tombstones and all; the pipeline runs
// and stops it. waiting, which may be nil, is told what the table waits for, "" when it goes on.
func NewPipeline(ctx context.Context, cfg indexer.TableConfig, pool *indexer.EmbedPool, writer *indexer.Writer, waiting func(string)) *Pipeline {
	p := &Pipeline{writer: writer, halts: &halts{waiting: waiting, halted: make(chan struct{})}}
	p.table = indexer.NewTable(cfg, pool, p.writer, indexer.Options{Observer: p.halts})
	p.writing.Go(func() { p.writer.Run(context.WithoutCancel(ctx)) })
	return p
}

// Apply is Applier.Apply.
func (p *Pipeline) Apply(ctx context.Context, changes []indexer.Record) ([]indexer.Outcome, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	outcomes := make(chan settled, len(changes)) // has room for all: Settle must not block
	submitted := make(chan struct{})
	go func() {
		defer close(submitted)
		for i, change := range changes {
			change.Bytes, change.Received = rowBytes, time.Now()
			change.Settle = func(o indexer.Outcome) { outcomes <- settled{i, o} }
			if err := p.table.Submit(ctx, change); err != nil {
				return
			}
		}
	}()
	all, err := p.collect(ctx, outcomes, len(changes))
	cancel(err)
	<-submitted
	return all, err
}

type settled struct {
	index   int
	outcome indexer.Outcome
}

func (p *Pipeline) collect(ctx context.Context, outcomes <-chan settled, n int) ([]indexer.Outcome, error) {
	all := make([]indexer.Outcome, n)
	for range n {
		select {
		case s := <-outcomes:
			all[s.index] = s.outcome
			if s.outcome.Kind == indexer.Interrupted {
				return nil, errors.Join(errors.New("interrupted before it was done"), ctx.Err())
			}
		case <-p.halts.halted:
			return nil, fmt.Errorf("a setting must change first: %s", p.halts.reason())
		case <-ctx.Done():
			return nil, ctx.Err() //nolint:wrapcheck // the caller's own
		}
	}
	return all, nil
}

// Close gives up what is still in work and waits for every goroutine to end.
func (p *Pipeline) Close() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p.table.Drain(ctx)
	p.writer.Stop(ctx)
	p.writing.Wait()
}

// halts watches the condition of a table.
type halts struct {
	waiting func(string)
	halted  chan struct{}

	mu    sync.Mutex
	cause string
}

// Condition is indexer.Observer's.
func (h *halts) Condition(_ string, c indexer.Condition) {
	if h.waiting != nil {
		h.waiting(plain(c.Cause))
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if c.State == indexer.Halted && h.cause == "" {
		h.cause = plain(c.Cause)
		close(h.halted)
	}
}

func (h *halts) reason() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cause
}

// BatchTaken is indexer.Observer's.
func (h *halts) BatchTaken(string, int) {}

// Settled is indexer.Observer's.
func (h *halts) Settled(string, indexer.Kind, time.Duration, time.Duration) {}

// InFlight is indexer.Observer's.
func (h *halts) InFlight(string, int) {}

// TextsSaved is indexer.Observer's.
func (h *halts) TextsSaved(string, int) {}

// MetadataDropped is indexer.Observer's.
func (h *halts) MetadataDropped(string, int) {}

// TextTruncated is indexer.Observer's.
func (h *halts) TextTruncated(string) {}
