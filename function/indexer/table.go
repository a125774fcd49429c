package indexer

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// Batch bounds what a table works on at a time. A zero field takes its default.
type Batch struct {
	MaxRecords int // records in a batch, default 512
	MaxBytes   int // payload bytes in a batch and waiting for one, default 8 MiB
	InFlight   int // batches in work at a time, default 4
}

func (b Batch) withDefaults() Batch {
	if b.MaxRecords <= 0 {
		b.MaxRecords = 512
	}
	if b.MaxBytes <= 0 {
		b.MaxBytes = 8 << 20
	}
	if b.InFlight <= 0 {
		b.InFlight = 4
	}
	return b
}

// TableConfig is what a table needs to know of its settings.
type TableConfig struct {
	Table   string // schema.table: in logs and for the observer
	Builder *document.Builder
	Batch   Batch
	Columns Columns // reads what changes lack from the table; nil: such changes are dead letters
}

// Options are what tables and writers report to; the zero value reports nothing.
type Options struct {
	Log      *slog.Logger
	Observer Observer
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Observer == nil {
		o.Observer = nobody{}
	}
	return o
}

// Table brings the changes of one Postgres table into the index. Records go in by Submit and come out through their Settle, each
// exactly once. A Table is safe for concurrent use and must be ended with Drain.
type Table struct {
	name     string
	mark     string // id of the mark of its newest truncate
	log      *slog.Logger
	builder  builder
	pool     *EmbedPool
	writer   *Writer
	columns  Columns
	observer Observer
	lost     sync.Map // metadata keys that the log was told of (lost.go)
	backoff  backoff
	cond     *conditions
	inFlight int // batches at a time

	ctx      context.Context // ends when a drain runs out of time: everything is given up
	giveUp   context.CancelFunc
	draining chan struct{} // closed when a drain begins: no new work, no more retries
	drained  chan struct{} // closed when it is over
	work     sync.WaitGroup

	mu        sync.Mutex // guards the rest; taken before conditions.mu
	queue     queue
	aside     aside
	batches   int
	truncates []*item // that wait for a sweep
	sweeping  bool    // sweepAll runs
	closed    bool
	room      chan struct{} // closed and replaced when a blocked Submit should look again
	blocked   int           // Submits that wait for room
}

// NewTable returns a table whose texts go through pool and whose records go to writer. Several tables may share both; tables that
// share a writer need ids that do not meet (document.Spec.PrefixIDs).
func NewTable(cfg TableConfig, pool *EmbedPool, writer *Writer, opts Options) *Table {
	return newTable(cfg, cfg.Builder, pool, writer, opts)
}

func newTable(cfg TableConfig, b builder, pool *EmbedPool, writer *Writer, opts Options) *Table {
	opts = opts.withDefaults()
	limits := cfg.Batch.withDefaults()
	t := &Table{
		name: cfg.Table, mark: document.TruncateID(cfg.Table), log: opts.Log, builder: b, pool: pool, writer: writer,
		columns: cfg.Columns, observer: opts.Observer, backoff: defaultBackoff(), inFlight: limits.InFlight, queue: newQueue(limits),
		draining: make(chan struct{}), drained: make(chan struct{}), room: make(chan struct{}),
	}
	t.ctx, t.giveUp = context.WithCancel(context.Background())
	t.cond = newConditions(cfg.Table, opts.Log, func(c Condition) {
		opts.Observer.Condition(cfg.Table, c)
		t.look()
	})
	return t
}

// Condition returns how the table is doing.
func (t *Table) Condition() Condition { return t.cond.current() }

// Submit takes over one record and settles it later. It blocks while as much waits as the table may hold, and while the table is
// halted (but see prove): that is the back-pressure. When ctx ends before there is room the record is settled as Interrupted and the context's error
// is returned; once Drain has begun, ErrDraining. In every case the record is settled exactly once, and not by the caller.
func (t *Table) Submit(ctx context.Context, r Record) error {
	it := &item{Record: r}
	if t.isDraining() {
		t.settle(it, Outcome{Kind: Interrupted})
		return ErrDraining
	}
	if r.Change.Op == connector.Truncate {
		return t.submitTruncate(ctx, it)
	}
	oldID, err := t.identify(ctx, it)
	if Classify(err) == ClassPoison {
		t.settle(it, Outcome{Kind: Poison, Stage: "plan", Reason: Reason(err), Err: err, Attempts: 1})
		return nil
	}
	t.prove(it)
	if err == nil && oldID != "" {
		both := split(it, oldID)
		if err = t.admit(ctx, both[0]); err != nil {
			t.settle(both[0], Outcome{Kind: Interrupted})
		}
	}
	if err == nil {
		err = t.admit(ctx, it)
	}
	if err != nil {
		t.settle(it, Outcome{Kind: Interrupted})
	}
	return err
}

// identify finds the row's id, and the one that it had before if the change moved it. A missing setting halts the table here.
func (t *Table) identify(ctx context.Context, it *item) (oldID string, err error) {
	find := func(context.Context) (err error) {
		defer contain(&err)
		if it.id, err = t.builder.ID(it.Change); err == nil {
			oldID, err = t.builder.OldID(it.Change)
		}
		return err
	}
	_, err = t.backoff.do(ctx, t.cond.operation(), t.waiter(ctx), find)
	return oldID, err
}

// prove tries a template that has failed on every row so far on one more. A table that is halted for it takes records until its queue
// is full: one of them may render, and the table goes on.
func (t *Table) prove(it *item) {
	if it.Change.After == nil || !t.builder.Unproven() {
		return
	}
	var err error
	defer contain(&err)
	_, _ = t.builder.DraftRow(it.Change, it.Change.After)
}

// admit puts the item in line, waiting for room.
func (t *Table) admit(ctx context.Context, it *item) error {
	t.mu.Lock()
	for !t.closed && (t.full(it) || t.halted() && !t.builder.Unproven()) {
		room := t.room
		t.blocked++
		t.mu.Unlock()
		err := t.await(ctx, room)
		t.mu.Lock()
		t.blocked--
		if err != nil {
			t.mu.Unlock()
			return err
		}
	}
	defer t.mu.Unlock()
	if t.closed {
		return ErrDraining
	}
	it.counted = true
	t.observer.InFlight(t.name, 1)
	if it.Change.Op == connector.Truncate {
		t.putTruncate(it)
		return nil
	}
	if t.queue.put(it) || t.recall(it.id) {
		t.dispatch()
	}
	return nil
}

func (t *Table) await(ctx context.Context, room <-chan struct{}) error {
	select {
	case <-room:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *Table) halted() bool { return t.cond.current().State == Halted }

// settle ends a record, and those that end with it. Figures first, so that whoever sees the record settled sees them right.
func (t *Table) settle(it *item, o Outcome) {
	for _, twin := range it.twins {
		same := o
		if same.Texts = 0; o.Kind.Durable() {
			same.Kind = Superseded
		}
		t.settle(twin, same)
	}
	o.RowID = it.id
	if it.counted {
		t.observer.InFlight(t.name, -1)
	}
	if it.pair != nil {
		var whole bool
		if o, whole = it.pair.join(o); !whole {
			return
		}
		if o.RowID != it.pair.oldID {
			o.OldRowID = it.pair.oldID
		}
	}
	now := time.Now()
	o.At = now
	var freshness time.Duration
	if o.Kind.Durable() {
		freshness = max(0, now.Sub(it.Change.Version.CommitTime))
	}
	t.observer.Settled(t.name, o.Kind, freshness, now.Sub(it.Received))
	it.Settle(o)
}
