package indexer

import (
	"context"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// lives is how many random lives of a table the property test goes through.
const lives = 600

// TestTheIndexEndsAtTheTable is the guarantee (design §4) on the whole indexer: random histories of a few rows, any batching, faults
// with and without effect at every call, processes that die at any moment, what was not settled delivered again in order and some of
// the rest as well. At the end the index is the newest state of each row, no row went back on the way, and each record was settled once
// by each process that had it.
func TestTheIndexEndsAtTheTable(t *testing.T) {
	t.Parallel()
	for seed := range uint64(lives) {
		synctest.Test(t, func(t *testing.T) { live(t, seed) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

const liveRows = 4

// live is one random life of an index.
func live(t *testing.T, seed uint64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 2))
	chaos := &chaos{rng: rand.New(rand.NewPCG(seed, 3)), rate: 0.3 * float64(seed%3) / 2}
	r := newRig(t, func(r *rig) {
		if seed%4 == 0 {
			r.spec.Chunk = &document.ChunkSpec{Tokens: 4}
		}
		r.batch = Batch{MaxRecords: 1 + rng.IntN(6), MaxBytes: 1 << 10, InFlight: 1 + rng.IntN(3)}
		r.embedder.size = 1 + rng.IntN(3)
		r.embedder.fault = func(ctx context.Context, _ []string) error { return chaos.call(ctx) }
		r.store.hold = func(ctx context.Context, _ string) { chaos.nap(ctx) }
		r.store.before = func(string, []string) error { return chaos.fault() }
		r.store.after = func(string, []string) error { return chaos.fault() }
		r.store.watch = func(id string, before, after *entry) { forward(t, seed, id, before, after) }
	})
	history := rowsHistory(rng, 10+rng.IntN(30))
	pending := history
	for len(pending) > 0 {
		pending = r.deliver(rng, pending)
		r.stop()
		if len(pending) > 0 && rng.IntN(2) == 0 { // the broker sends more again than was lost
			pending = history[rng.IntN(len(history)-len(pending)+1):]
		}
		chaos.calm(rng.IntN(4) == 0)
		r.start()
	}
	requireIndexIs(t, r, history)
}

// deliver submits changes and, at a random moment, drains. It returns what a broker would deliver again: everything from the first
// record on that was not settled for good, which keeps each row's order.
func (r *rig) deliver(rng *rand.Rand, changes []*connector.Change) []*connector.Change {
	var receipts []*receipt
	stopAfter := rng.IntN(2 * len(changes))
	for i, c := range changes {
		if i == stopAfter {
			break
		}
		rec, p := record(c, 50+rng.IntN(100))
		receipts = append(receipts, p)
		require.NoError(r.t, r.table.Submit(context.Background(), rec))
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rng.IntN(20))*time.Second)
	defer cancel()
	if stopAfter > len(changes) {
		<-time.After(time.Hour) // long enough for any outage here: nothing may be left then
		for _, p := range receipts {
			require.True(r.t, p.settled())
		}
	}
	r.table.Drain(ctx)
	for i, p := range receipts {
		o := p.outcome(r.t)
		require.NotEqual(r.t, Poison, o.Kind, o.Err)
		if o.Kind == Interrupted {
			return changes[i:]
		}
	}
	return changes[len(receipts):]
}

// forward checks, at every write of a first record, that the row does not go back (TestTheGuarantee watches deleted rows as well).
func forward(t *testing.T, seed uint64, id string, before, after *entry) {
	t.Helper()
	if before == nil || after == nil || before.meta[document.KeyLSN] == nil {
		return
	}
	if before.meta[document.KeyLSN].(int64) > after.meta[document.KeyLSN].(int64) {
		t.Errorf("seed %d: row %s went back from %v to %v", seed, id, before.meta[document.KeyLSN], after.meta[document.KeyLSN])
	}
}

// rowsHistory is what happened to a few rows, in order.
func rowsHistory(rng *rand.Rand, n int) []*connector.Change {
	texts := []string{"a", "b", long, long + " " + long, ""}
	history := make([]*connector.Change, n)
	for i := range history {
		if id := rng.IntN(liveRows); rng.IntN(5) == 0 {
			history[i] = deleted(id, i+1)
		} else {
			history[i] = upserted(id, i+1, texts[rng.IntN(len(texts))])
		}
	}
	return history
}

// requireIndexIs compares the whole index with the newest change of each row.
func requireIndexIs(t *testing.T, r *rig, history []*connector.Change) {
	t.Helper()
	newest := make(map[string]*connector.Change)
	for _, c := range history {
		newest[strconv.FormatInt(c.Key[0].Value.(int64), 10)] = c
	}
	want := make(map[string]entry)
	builder := newBuilder(t, r.spec)
	for _, c := range newest {
		if c.Op == connector.Delete {
			continue
		}
		doc, err := builder.Build(c)
		require.NoError(t, err)
		for _, rec := range doc.Records(c.Version, nil) {
			want[rec.ID] = entry{vector: vectorOf(rec.Document), document: rec.Document, meta: rec.Metadata}
		}
	}
	for id, e := range want {
		for key, value := range e.meta {
			if value == nil {
				delete(e.meta, key)
			}
		}
		got, has := r.store.get(id)
		require.True(t, has, "row %s is missing", id)
		require.Equal(t, e, got, "row %s", id)
	}
	for _, id := range r.store.ids() {
		require.Contains(t, want, id, "a ghost")
	}
}

// chaos makes calls slow and fail at random.
type chaos struct {
	mu   sync.Mutex
	rng  *rand.Rand
	rate float64
}

func (c *chaos) calm(yes bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if yes {
		c.rate = 0
	}
}

func (c *chaos) fault() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rng.Float64() >= c.rate {
		return nil
	}
	return []error{errOutage, errKey, faulty{class: ClassRetry, after: time.Second}, context.DeadlineExceeded}[c.rng.IntN(4)]
}

func (c *chaos) nap(ctx context.Context) {
	c.mu.Lock()
	d := time.Duration(c.rng.IntN(9)) * time.Second * time.Duration(c.rng.IntN(2))
	c.mu.Unlock()
	_ = sleep(ctx, d)
}

func (c *chaos) call(ctx context.Context) error {
	c.nap(ctx)
	if err := ctx.Err(); err != nil {
		return err
	}
	return c.fault()
}
