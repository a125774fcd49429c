//go:build e2e

package chaos

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowvec/rowvec/function/document"
)

// rows are the ids 1 to rows, of which the workload chooses. Beyond begin plants and canaries.
const (
	rows         = 1_000
	firstPlant   = 100_000
	firstCanary  = 200_000
	transaction  = 10 // changes in a transaction, at most
	largeBody    = 6_000
	crowdedEvery = 60 // one transaction in so many has ten times as many changes
)

// workload changes app.chaos at random, and knows what its rows are.
type workload struct {
	db      *pgxpool.Pool
	rng     *rand.Rand
	chunker *document.Chunker
	rate    int // changes a second
	rows    map[int][2]string

	mu     sync.Mutex
	counts counts
}

// counts are of what was committed.
type counts struct {
	changes      int // rows inserted, updated, deleted, moved
	texts        int // changes that gave a row another text, or a text to a row
	chunks       int // those texts' chunks: what must be embedded, if each change is, once
	transactions int
	failed       int // transactions that Postgres did not take
}

func newWorkload(db *pgxpool.Pool, seed uint64, rate int) *workload {
	return &workload{db: db, rng: rand.New(rand.NewPCG(seed, 1)), chunker: document.NewChunker(chunks, nil), rate: rate, rows: map[int][2]string{}}
}

// run makes changes until ctx ends. A database that is away holds it up.
func (w *workload) run(ctx context.Context) {
	due := time.Now()
	for ctx.Err() == nil {
		n := 1 + w.rng.IntN(transaction)
		if w.rng.IntN(crowdedEvery) == 0 {
			n *= 10
		}
		if !w.commit(ctx, n) {
			due = time.Now() // nothing is made up for
		}
		due = due.Add(time.Duration(n) * time.Second / time.Duration(w.rate))
		if wait := time.Until(due); wait > 0 && !rest(ctx, wait) {
			return
		}
	}
}

// commit makes n changes in one transaction. Where it fails nobody knows whether it was committed, so the table is asked.
func (w *workload) commit(ctx context.Context, n int) bool {
	before := w.counted()
	made, batch := before, &pgx.Batch{}
	for range n {
		made.changes += w.change(batch, &made)
	}
	made.transactions++
	err := pgx.BeginFunc(ctx, w.db, func(tx pgx.Tx) error { return tx.SendBatch(ctx, batch).Close() })
	if err != nil {
		is, readErr := w.read(ctx)
		for ; readErr != nil && rest(ctx, 200*time.Millisecond); is, readErr = w.read(ctx) {
		}
		if readErr != nil {
			return false // the end
		}
		if !maps.Equal(is, w.rows) {
			made = before
		}
		made.failed++
		w.rows = is
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts = made
	return err == nil
}

// read returns the rows as they are.
func (w *workload) read(ctx context.Context) (map[int][2]string, error) {
	found, err := w.db.Query(ctx, "SELECT id, title, body FROM app.chaos WHERE id <= $1", rows)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	is := map[int][2]string{}
	for found.Next() {
		var id int
		var text [2]string
		if err := found.Scan(&id, &text[0], &text[1]); err != nil {
			return nil, err
		}
		is[id] = text
	}
	return is, found.Err()
}

func (w *workload) counted() counts {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.counts
}

// change queues one change, and returns how many rows it touches.
func (w *workload) change(batch *pgx.Batch, made *counts) int {
	id, n := 1+w.rng.IntN(rows), w.rng.IntN(1_000_000_000)
	was, exists := w.rows[id]
	switch kind := w.rng.IntN(100); {
	case kind < 45: // a new row, or a new text
		title, body := fmt.Sprintf("Title %d", n), w.body(n)
		batch.Queue(`INSERT INTO app.chaos (id, title, body, price) VALUES ($1, $2, $3, $4)
			ON CONFLICT (id) DO UPDATE SET title = excluded.title, body = excluded.body`, id, title, body, n%1000)
		w.set(id, [2]string{title, body}, made)
	case !exists:
		return w.change(batch, made)
	case kind < 70:
		batch.Queue(`UPDATE app.chaos SET price = $2, tags = $3 WHERE id = $1`, id, n%1000, []string{strconv.Itoa(n % 7)})
	case kind < 75: // the large body stays where it is, out of line
		title := fmt.Sprintf("Renamed %d", n)
		batch.Queue(`UPDATE app.chaos SET title = $2 WHERE id = $1`, id, title)
		w.set(id, [2]string{title, was[1]}, made)
	case kind < 90:
		batch.Queue(`DELETE FROM app.chaos WHERE id = $1`, id)
		delete(w.rows, id)
	default:
		to := 1 + w.rng.IntN(rows)
		if _, taken := w.rows[to]; taken {
			return w.change(batch, made)
		}
		batch.Queue(`UPDATE app.chaos SET id = $2 WHERE id = $1`, id, to)
		delete(w.rows, id)
		w.set(to, was, made)
	}
	return 1
}

// set gives a row its text.
func (w *workload) set(id int, text [2]string, made *counts) {
	if w.rows[id] != text {
		w.rows[id] = text
		made.texts++
		made.chunks += len(w.chunker.Split(strings.TrimSpace(text[0] + ": " + text[1])))
	}
}

// body is short, of several chunks, or too large to be kept in line.
func (w *workload) body(n int) string {
	sentence := fmt.Sprintf("What is to be said of number %d. ", n)
	switch w.rng.IntN(20) {
	case 0:
		var b strings.Builder
		for b.Len() < largeBody {
			fmt.Fprintf(&b, "%x ", w.rng.Uint64()) // does not compress
		}
		return b.String()
	case 1, 2, 3:
		return strings.Repeat(sentence, 15)
	default:
		return sentence
	}
}
