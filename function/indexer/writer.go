package indexer

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// groupRecords is how many records are written together. Chroma is at its fastest there, with one writer (design §1, decision 5).
const groupRecords = 1000

// Writer writes the rows of one collection, in groups: what comes while a group is being written makes the next. Its tables must be
// drained before it is stopped, or what they have in work is interrupted.
type Writer struct {
	*opener[Store]
	tombstones *tombstones // nil: deleted rows are not remembered
	backoff    backoff
	proof      proof // whose fault it is when a record is refused
	gate       gate  // before the look-ups, which many batches make; writing is one goroutine's

	mu      sync.Mutex
	jobs    []*job
	started bool
	closed  bool                    // takes no more jobs
	wakeup  chan struct{}           // jobs came, or a table drains
	stop    chan struct{}           // closed by Stop: no more retries
	ended   chan struct{}           // closed when Run is over
	giveUp  context.CancelCauseFunc // of the context that Run works under
}

// NewWriter returns a writer whose collection is opened when it is first needed; open makes one attempt and is called again, with
// back-off, until it succeeds, and whenever the store says by an error's Reason that the collection is missing.
func NewWriter(open func(ctx context.Context) (Store, error), options ...WriterOption) *Writer {
	w := &Writer{
		opener: newOpener(open), backoff: defaultBackoff(),
		wakeup: make(chan struct{}, 1), stop: make(chan struct{}), ended: make(chan struct{}),
	}
	for _, option := range options {
		option(w)
	}
	return w
}

var errStopped = errors.New("the writer was stopped")

// Run writes until Stop is called or ctx ends; whoever calls it waits for it. ctx bounds every call to the store, so it should outlive
// the drain of the tables. A second Run, or one after Stop, returns at once.
func (w *Writer) Run(ctx context.Context) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w.mu.Lock()
	if w.started || w.closed {
		w.mu.Unlock()
		return
	}
	w.started, w.giveUp = true, cancel
	w.mu.Unlock()
	defer close(w.ended)
	defer w.refuse()
	defer w.sweeping(ctx)()
	for ctx.Err() == nil {
		if jobs := w.take(); len(jobs) > 0 {
			w.commit(ctx, jobs)
			continue
		}
		select {
		case <-w.wakeup:
		case <-ctx.Done():
		case <-w.stop:
			return
		}
	}
}

// sweeping keeps the tombstones beside the writing and returns what ends that.
func (w *Writer) sweeping(ctx context.Context) (end func()) {
	if w.tombstones == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var sweeps sync.WaitGroup
	sweeps.Go(func() { w.tombstones.keep(ctx) })
	return func() {
		cancel()
		sweeps.Wait()
	}
}

// Stop ends Run after what it has at hand, without retries; when ctx ends before, the store's calls are cancelled. It returns when Run
// has, at once if it never ran. Stop may be called twice, from several goroutines, and before Run.
func (w *Writer) Stop(ctx context.Context) {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.stop)
	}
	started, giveUp := w.started, w.giveUp
	w.mu.Unlock()
	if !started {
		w.refuse()
		return
	}
	select {
	case <-w.ended:
	case <-ctx.Done():
		giveUp(errStopped)
		<-w.ended
	}
}

// submit puts a job in line.
func (w *Writer) submit(j *job) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		j.reply(false, interrupted(errStopped))
		return
	}
	w.jobs = append(w.jobs, j)
	w.nudge()
}

// nudge has the writer look at its line again.
func (w *Writer) nudge() {
	select {
	case w.wakeup <- struct{}{}:
	default:
	}
}

// take removes the next group: everything that waits, up to groupRecords.
func (w *Writer) take() []*job {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, size := 0, 0
	for n < len(w.jobs) {
		size += len(w.jobs[n].writes)
		if n > 0 && size > groupRecords {
			break
		}
		n++
	}
	jobs := slices.Clone(w.jobs[:n])
	w.jobs = slices.Delete(w.jobs, 0, n)
	return jobs
}

// commit writes a group. What the store refuses is bisected down to the rows at fault.
func (w *Writer) commit(ctx context.Context, jobs []*job) {
	bisect(jobs, func(part []*job) error {
		g := &group{writer: w, jobs: slices.Clone(part), taken: jobs}
		_, err := w.backoff.do(ctx, g, w.waiter(ctx, g), func(ctx context.Context) error {
			if len(g.open()) == 0 {
				return nil
			}
			return g.attempt(ctx)
		})
		if err == nil {
			for _, j := range g.open() {
				j.reply(false, nil)
			}
		}
		return err
	}, func(part []*job, err error) {
		for _, j := range part {
			j.reply(false, err)
		}
	})
}

// waiter returns the sleep between attempts. Rows of a table that drains do not sit it out.
func (w *Writer) waiter(ctx context.Context, g *group) func(time.Duration) bool {
	return func(d time.Duration) bool {
		timer := time.NewTimer(d)
		defer timer.Stop()
		for {
			g.involve(w.release(g))
			select {
			case <-w.stop:
				return false
			default:
			}
			if len(g.open()) == 0 {
				return true
			}
			select {
			case <-timer.C:
				return true
			case <-ctx.Done():
				return false
			case <-w.stop:
				return false
			case <-w.wakeup:
			}
		}
	}
}

// release interrupts the jobs of draining tables, in the group and behind it, and returns those that stay behind it.
func (w *Writer) release(g *group) []*job {
	w.mu.Lock()
	defer w.mu.Unlock()
	draining := func(j *job) bool {
		if !j.table.isDraining() {
			return false
		}
		j.reply(false, interrupted(ErrDraining))
		return true
	}
	w.jobs = slices.DeleteFunc(w.jobs, draining)
	g.jobs = slices.DeleteFunc(g.jobs, draining)
	behind := slices.DeleteFunc(slices.Clone(g.taken), func(j *job) bool { return j.answered || draining(j) })
	return append(behind, w.jobs...)
}

// refuse interrupts what is still in line.
func (w *Writer) refuse() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for _, j := range w.jobs {
		j.reply(false, interrupted(errStopped))
	}
	w.jobs = nil
}
