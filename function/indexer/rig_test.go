package indexer

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// rig is a table on fakes, with everything that happens to its records written down.
type rig struct {
	t        *testing.T
	store    *fakeStore
	stones   *fakeStones
	columns  Columns
	embedder *fakeEmbedder
	pool     *EmbedPool
	writer   *Writer
	table    *Table
	ledger   *ledger
	spec     document.Spec
	batch    Batch
	open     func(context.Context) (Store, error)
	running  sync.WaitGroup
	plugs    int // rows that plug has used
}

// articles is the table of most tests.
func articles() document.Spec {
	return document.Spec{
		Table: "app.articles", Text: "{{.title}}", Identity: "model-1",
		Metadata: []document.Field{{Column: "price"}},
	}
}

// newRig starts a table; the options change what it is made of.
func newRig(t *testing.T, options ...func(*rig)) *rig {
	t.Helper()
	r := &rig{
		t: t, store: newFakeStore(), stones: &fakeStones{newFakeStore()}, embedder: &fakeEmbedder{size: 4}, ledger: newLedger(), spec: articles(),
		batch: Batch{MaxRecords: 16, MaxBytes: 1 << 16, InFlight: 2},
	}
	r.open = func(context.Context) (Store, error) { return r.store, nil }
	for _, option := range options {
		option(r)
	}
	if r.pool == nil {
		r.pool = NewEmbedPool(r.embedder, 2)
	}
	r.start()
	t.Cleanup(r.stop)
	return r
}

// start makes a table and a writer on the rig's store, as a process that comes up would.
func (r *rig) start() {
	r.t.Helper()
	builder, err := document.NewBuilder(r.spec)
	require.NoError(r.t, err)
	var options []WriterOption
	if r.stones != nil {
		options = append(options, WithTombstones(func(context.Context) (Tombstones, error) { return r.stones, nil }, week, nil))
	}
	writer := NewWriter(r.open, options...)
	r.writer = writer
	r.running.Go(func() { writer.Run(context.Background()) })
	r.table = NewTable(TableConfig{Table: r.spec.Table, Builder: builder, Batch: r.batch, Columns: r.columns}, r.pool, writer, Options{Observer: r.ledger})
}

// week is how long the rig's tombstones are kept.
const week = 7 * 24 * time.Hour

// stop ends them without waiting for what is in work.
func (r *rig) stop() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r.table.Drain(ctx)
	r.writer.Stop(ctx)
	r.running.Wait()
}

// epoch is the commit time of LSN 0; each LSN is a millisecond later.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(-time.Hour)

func version(lsn int) connector.Version {
	return connector.Version{LSN: uint64(lsn), CommitTime: epoch.Add(time.Duration(lsn) * time.Millisecond)}
}

// upserted is an update of a row to a title.
func upserted(id, lsn int, title string) *connector.Change {
	return &connector.Change{
		Op: connector.Update, Table: connector.Table{Schema: "app", Name: "articles"},
		Key:     []connector.Column{{Name: "id", Value: int64(id)}},
		After:   connector.Row{"id": int64(id), "title": title, "price": int64(lsn), "body": nil},
		Version: version(lsn),
	}
}

// deleted is the deletion of a row.
func deleted(id, lsn int) *connector.Change {
	return &connector.Change{
		Op: connector.Delete, Table: connector.Table{Schema: "app", Name: "articles"},
		Key:     []connector.Column{{Name: "id", Value: int64(id)}},
		Before:  connector.Row{"id": int64(id)},
		Version: version(lsn),
	}
}

// receipt is what became of a submitted record.
type receipt struct {
	mu       sync.Mutex
	outcomes []Outcome
	from, at time.Time
	done     chan struct{}
}

func (p *receipt) settle(o Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.outcomes = append(p.outcomes, o)
	p.at = time.Now()
	if len(p.outcomes) == 1 {
		close(p.done)
	}
}

// settled tells whether the record is done.
func (p *receipt) settled() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.outcomes) > 0
}

// took is the time from submission to settlement.
func (p *receipt) took() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at.Sub(p.from)
}

// outcome waits for the record's only outcome.
func (p *receipt) outcome(t *testing.T) Outcome {
	t.Helper()
	<-p.done
	p.mu.Lock()
	defer p.mu.Unlock()
	require.Len(t, p.outcomes, 1, "a record is settled exactly once")
	return p.outcomes[0]
}

// record makes a record of a change.
func record(c *connector.Change, bytes int) (Record, *receipt) {
	p := &receipt{done: make(chan struct{}), from: time.Now()}
	return Record{Change: c, Bytes: bytes, Received: time.Now(), Settle: p.settle}, p
}

// submit hands changes in and returns their receipts.
func (r *rig) submit(changes ...*connector.Change) []*receipt {
	r.t.Helper()
	receipts := make([]*receipt, len(changes))
	for i, c := range changes {
		rec, p := record(c, 100)
		receipts[i] = p
		require.NoError(r.t, r.table.Submit(context.Background(), rec))
	}
	return receipts
}

// kinds waits for the receipts and lists what became of them.
func kinds(t *testing.T, receipts []*receipt) []Kind {
	t.Helper()
	list := make([]Kind, len(receipts))
	for i, p := range receipts {
		list[i] = p.outcome(t).Kind
	}
	return list
}

// plug keeps the table's slots busy with rows 901, 902... whose texts the endpoint sits on, so that what is submitted meanwhile makes
// one batch. It returns what lets go.
func (r *rig) plug() (release func()) {
	r.t.Helper()
	gate := make(chan struct{})
	entered := make(chan struct{}, r.batch.InFlight)
	before := r.embedder.fault
	r.embedder.fault = func(ctx context.Context, texts []string) error {
		if strings.HasPrefix(texts[0], "plug ") {
			select {
			case entered <- struct{}{}:
			default: // asked for again, to vouch
			}
			<-gate
		}
		if before != nil {
			return before(ctx, texts)
		}
		return nil
	}
	for i := range r.batch.InFlight {
		r.plugs++
		r.submit(upserted(900+r.plugs, 1, fmt.Sprintf("plug %d", i)))
		<-entered
	}
	return sync.OnceFunc(func() { close(gate) })
}
