//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/embed/embedtest"
	"github.com/rowvec/rowvec/function/document"
)

const (
	historyRows    = 2_000
	historyChanges = 20_000
	historySeed    = 7
)

// TestHistory runs 20,000 random changes over 2,000 rows through two instances, one of which is killed three times meanwhile: inserts,
// new texts, metadata alone, large texts, deletes, resurrections, key changes, several of a row in one transaction. An observer that
// polls Chroma all the while sees no row go back, and `rowvec verify` says equal afterwards.
func TestHistory(t *testing.T) {
	endpoint := embedtest.New(embedtest.Options{Model: "fake", Dimensions: 32})
	t.Cleanup(endpoint.Close)
	settings := verifySettings("history", endpoint.URL())
	settings["parallelism"] = 2
	d := deploy(t, "history", settings)
	startSource(t)
	d.subscribed(t, 2)

	watch := observe(t, d.collection)
	h := &history{rng: rand.New(rand.NewPCG(historySeed, historySeed))}
	for quarter := range 4 {
		h.run(t, historyChanges/4)
		if quarter < 3 {
			require.NoError(t, syscall.Kill(d.instancePID(t, 0), syscall.SIGKILL))
		}
	}
	v := newVerifying(t, d)
	eventually(t, 5*time.Minute, func(ctx context.Context) error { return v.equal(ctx) })
	back, looks := watch()
	require.Empty(t, back, "rows that were seen to go back")
	require.Greater(t, looks, 10, "the observer must have looked while rows changed")
	d.requireNoDeadLetters(t)
	t.Logf("seed %d, %d looks, %d changes, %d texts embedded in %d requests", historySeed, looks, historyChanges, endpoint.Stats().Texts, endpoint.Stats().Requests)
}

// history makes random changes of app.history.
type history struct{ rng *rand.Rand }

// run makes n changes in transactions of up to 50.
func (h *history) run(t *testing.T, n int) {
	t.Helper()
	for n > 0 {
		size := min(n, 1+h.rng.IntN(50))
		batch := &pgx.Batch{}
		for range size {
			h.change(batch)
		}
		tx, err := world.db.Begin(t.Context())
		require.NoError(t, err)
		require.NoError(t, tx.SendBatch(t.Context(), batch).Close())
		require.NoError(t, tx.Commit(t.Context()))
		n -= size
	}
}

func (h *history) change(batch *pgx.Batch) {
	id, n := 1+h.rng.IntN(historyRows), h.rng.IntN(1_000_000)
	switch kind := h.rng.IntN(100); {
	case kind < 45: // a new row, or a new text
		batch.Queue(`INSERT INTO app.history (id, title, body, price) VALUES ($1, $2, $3, $4)
			ON CONFLICT (id) DO UPDATE SET title = excluded.title, body = excluded.body`, id, fmt.Sprintf("Title %d", n), h.body(n), n%1000)
	case kind < 70:
		batch.Queue(`UPDATE app.history SET price = $2, tags = $3 WHERE id = $1`, id, n%1000, []string{strconv.Itoa(n % 7)})
	case kind < 75: // the large body stays where it is, out of line
		batch.Queue(`UPDATE app.history SET title = $2 WHERE id = $1`, id, fmt.Sprintf("Renamed %d", n))
	case kind < 90:
		batch.Queue(`DELETE FROM app.history WHERE id = $1`, id)
	default:
		batch.Queue(`UPDATE app.history SET id = $2 WHERE id = $1 AND NOT EXISTS (SELECT FROM app.history WHERE id = $2)`, id, 1+h.rng.IntN(historyRows))
	}
}

// body is short, of several chunks, or too large to be kept in line.
func (h *history) body(n int) string {
	sentence := fmt.Sprintf("What is to be said of number %d. ", n)
	switch h.rng.IntN(20) {
	case 0:
		var b strings.Builder
		for b.Len() < 6_000 {
			fmt.Fprintf(&b, "%x ", h.rng.Uint64()) // does not compress
		}
		return b.String()
	case 1, 2, 3:
		return strings.Repeat(sentence, 6)
	default:
		return sentence
	}
}

// observe polls a collection until the returned function is called, which returns what was seen to go back, and how often the whole
// collection was looked at while it held rows.
func observe(t *testing.T, collection string) (stop func() (back []string, looks int)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var back []string
	looks := 0
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		newest := make(map[string]int64)
		for ctx.Err() == nil {
			seen, err := marks(ctx, collection)
			if err != nil {
				continue // it is not there yet, or we are done
			}
			if len(seen) > 0 {
				looks++
			}
			for id, lsn := range seen {
				if lsn < newest[id] {
					back = append(back, fmt.Sprintf("row %s from %d to %d", id, newest[id], lsn))
				}
				newest[id] = max(newest[id], lsn)
			}
		}
	}()
	stop = sync.OnceValues(func() ([]string, int) { cancel(); <-ended; return back, looks })
	t.Cleanup(func() { stop() })
	return stop
}

// marks returns the version of every row that the index holds.
func marks(ctx context.Context, collection string) (map[string]int64, error) {
	c, err := world.chroma.Collection(ctx, collection)
	if err != nil {
		return nil, err
	}
	const page = 1000
	found := make(map[string]int64)
	for offset := 0; ; offset += page {
		some, err := c.List(ctx, offset, page, false)
		if err != nil {
			return nil, err
		}
		for _, m := range some {
			if lsn, ok := m.Metadata[document.KeyLSN].(int64); ok && lsn > 0 { // 0: announced, not yet written
				found[m.ID] = lsn
			}
		}
		if len(some) < page {
			return found, nil
		}
	}
}
