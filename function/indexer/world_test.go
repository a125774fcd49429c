package indexer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing/synctest"
	"time"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// world plays a history on the whole indexer over a fake store. It runs inside a synctest bubble.
type world struct {
	h        *history
	builder  *document.Builder
	store    *fakeStore
	stones   *fakeStones
	embedder *fakeEmbedder
	truth    map[string]connector.Row // the table at the end, by id; nil: no such row
	past     past
	fresh    bool         // the table answers what it is in the end
	lost     bool         // a value is not known any more; the change that had it, sent again, brings it
	open     map[int]bool // changes that are not acknowledged
	dead     map[int]bool // those of them that went to the dead-letter topic

	away  atomic.Int64 // reads from the table that fail
	tally tally

	calls  int // of the store, in this life
	crash  int
	effect bool
	dies   bool // with the next mark of a truncate

	seen  map[string]sight
	swept connector.Version // of the newest truncate that is over
	mark  connector.Version // of the newest truncate
	known time.Time         // when everybody knows of it
	err   error
}

// sight is the newest that an observer saw of a row.
type sight struct{ row, text connector.Version }

var errWrong = errors.New("wrong")

// tally are what a history came to: texts that were embedded, and rows that were seen set aside.
type tally struct{ texts, blocked, lacking int }

// play returns what is wrong with how the index followed the history.
func play(h *history, rng *rand.Rand) (tally, error) {
	builder, err := document.NewBuilder(h.spec())
	if err != nil {
		return tally{}, err
	}
	w := &world{
		h: h, builder: builder, store: newFakeStore(), stones: &fakeStones{newFakeStore()}, embedder: &fakeEmbedder{size: 8},
		truth: map[string]connector.Row{}, open: map[int]bool{}, dead: map[int]bool{}, seen: map[string]sight{},
	}
	w.stones.mu = w.store.mu
	w.store.before, w.store.after, w.store.watch = w.before, w.after, w.watchRow
	w.stones.before, w.stones.after, w.stones.watch = w.before, w.after, w.watchStone
	w.learn()
	for _, l := range h.lives {
		w.live(l)
	}
	w.settle(rng)
	if w.err == nil {
		w.compare()
	}
	if w.err == nil {
		w.replay(rng)
	}
	w.tally.texts = w.texts()
	return w.tally, w.err
}

// learn finds out what the table holds in the end.
func (w *world) learn() {
	w.past = past{}
	for i, c := range w.h.changes {
		w.open[i] = true
		if c.Op == connector.Truncate {
			w.truncate(c)
			continue
		}
		id := rowID(c)
		w.past[id] = append(w.past[id], moment{Change: c, row: w.h.rows[c]})
		if w.truth[id] = w.h.rows[c]; c.Op == connector.Delete {
			delete(w.truth, id)
		}
	}
}

// truncate ends all rows.
func (w *world) truncate(c *connector.Change) {
	clear(w.truth)
	for id, p := range w.past {
		w.past[id] = append(p, moment{Change: c})
	}
}

// rowID is the row that a change is about; "" for a truncate.
func rowID(c *connector.Change) string {
	if c.Op == connector.Truncate {
		return ""
	}
	return strconv.FormatInt(c.Key[0].Value.(int64), 10)
}

// live is one process, from its start to its end.
func (w *world) live(l life) {
	w.calls, w.crash, w.effect = 0, l.crash, l.effect
	w.away.Store(int64(l.away))
	w.dies = l.mark
	writer := NewWriter(func(context.Context) (Store, error) { return w.store, nil },
		WithTombstones(func(context.Context) (Tombstones, error) { return w.stones, nil }, week, nil))
	var running sync.WaitGroup
	running.Go(func() { writer.Run(context.Background()) })
	cfg := TableConfig{Table: "app.articles", Builder: w.builder, Batch: Batch{MaxRecords: l.batch, InFlight: 2}}
	if w.h.fetches {
		cfg.Columns = w
	}
	table := newTable(cfg, w.builder, NewEmbedPool(w.embedder, 2), writer, Options{})
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	outcomes := make([]Outcome, len(l.deliver))
	var open atomic.Int64 // truncates that are not settled
	for i, at := range l.deliver {
		c := w.h.changes[at]
		if c.Op == connector.Truncate {
			open.Add(1)
		}
		_ = table.Submit(ctx, Record{Change: c, Bytes: 1, Received: time.Now(), Settle: func(o Outcome) {
			if outcomes[i] = o; c.Op == connector.Truncate {
				open.Add(-1)
			}
		}})
	}
	synctest.Wait()
	w.wait(table)
	for range 8 { // sweeps take their time, and more after one that died
		if open.Load() == 0 {
			break
		}
		<-time.After(sweepGrace + time.Second)
		synctest.Wait()
	}
	cancel()
	table.Drain(ctx)
	writer.Stop(ctx)
	running.Wait()
	for i, at := range l.deliver {
		w.acknowledge(at, outcomes[i])
	}
}

func (w *world) acknowledge(at int, o Outcome) {
	switch o.Kind {
	case Interrupted:
	case Poison:
		w.dead[at] = true
		if o.Reason != document.ReasonUnavailableColumn && o.Reason != reasonOutdatedText && o.Reason != reasonRowGone {
			w.fail("change %d is poison: %v", at, o.Err)
		}
	case "":
		w.fail("change %d was not settled", at)
	default:
		delete(w.open, at)
		delete(w.dead, at)
	}
}

// settle delivers what is not acknowledged, in any order, dead letters too, until nothing is left or nothing gets better.
func (w *world) settle(rng *rand.Rand) {
	w.fresh = true
	for range 2 * historyChanges {
		var rest []int
		for at := range w.h.changes {
			if w.open[at] {
				rest = append(rest, at)
			}
		}
		if len(rest) == 0 || w.err != nil {
			return
		}
		rng.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
		w.live(life{deliver: rest, batch: 1 + rng.IntN(4)})
	}
	for at := range w.open {
		if c := w.h.changes[at]; w.truth[rowID(c)] != nil && w.h.fetches || w.h.told() {
			w.fail("change %d never gets through", at)
		}
	}
}

// compare holds the index against the table.
func (w *world) compare() {
	want := make(map[string]entry)
	unsure := make(map[string]bool)
	for at := range w.open {
		unsure[rowID(w.h.changes[at])] = true
	}
	for id, row := range w.truth {
		n, _ := strconv.ParseInt(id, 10, 64)
		doc, err := w.builder.Build(&connector.Change{Op: connector.Read, Key: []connector.Column{{Name: "id", Value: n}}, After: row})
		if err != nil {
			w.fail("%v", err)
			return
		}
		for _, rec := range doc.Records(connector.Version{}, nil) {
			want[rec.ID] = entry{vector: vectorOf(rec.Document), document: rec.Document, meta: document.UserMetadata(rec.Metadata)}
		}
	}
	for id, e := range want {
		got, has := w.store.entries[id]
		got.meta = document.UserMetadata(got.meta)
		for _, key := range w.past[id[:1]].untold(w.builder, w.h) {
			if _, known := got.meta[key]; !known && e.meta[key] != nil {
				delete(e.meta, key)
				w.lost = true
			}
		}
		if row := id[:1]; !unsure[row] && (!has || !reflect.DeepEqual(got, e)) {
			w.fail("record %s: want %+v, got %+v (%v)", id, e, got, has)
		}
	}
	for id := range w.store.entries {
		if _, has := want[id]; !has && !unsure[id[:1]] {
			w.fail("record %s is a ghost", id)
		}
	}
}

// replay delivers any part of the history again: nothing changes, and nothing is embedded.
func (w *world) replay(rng *rand.Rand) {
	embedded, writes := w.texts(), len(w.store.calls)-len(w.store.of("get"))
	again := rng.Perm(len(w.h.changes))[:1+rng.IntN(len(w.h.changes))]
	again = slices.DeleteFunc(again, func(at int) bool { return w.open[at] })
	w.live(life{deliver: again, batch: 1 + rng.IntN(4)})
	if n := w.texts() - embedded; n > 0 && len(w.open) == 0 {
		w.fail("a replay of %v embedded %d texts", again, n)
	}
	if n := len(w.store.calls) - len(w.store.of("get")) - writes; n > 0 && len(w.open) == 0 && !w.lost {
		w.fail("a replay of %v made %d writes: %v", again, n, w.store.calls[len(w.store.calls)-n:])
	}
}

func (w *world) texts() int {
	n := 0
	for _, c := range w.embedder.seen() {
		n += len(c.ids)
	}
	return n
}

func (w *world) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf("%w: %s", errWrong, fmt.Sprintf(format, args...))
	}
}

// before and after have the process lose the store at the call of its death: everything after is lost, too.
func (w *world) before(op string, ids []string) error {
	w.calls++
	if w.dies && op == "upsert" && ids[0] == document.TruncateID("app.articles") {
		w.crash, w.effect = w.calls, true
	}
	if w.crash > 0 && (w.calls > w.crash || w.calls == w.crash && !w.effect) {
		return errOutage
	}
	return nil
}

func (w *world) after(string, []string) error {
	if w.crash > 0 && w.calls >= w.crash {
		return errOutage
	}
	return nil
}
