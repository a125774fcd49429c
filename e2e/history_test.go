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

	"github.com/rowvec/rowvec/e2e/observer"
	"github.com/rowvec/rowvec/embed/embedtest"
	"github.com/rowvec/rowvec/function/document"
)

const (
	historyRows    = 2_000
	historyChanges = 20_000
	historySeed    = 7
	historyKills   = 3
)

// TestHistory runs 20,000 random changes over 2,000 rows through two instances, one of which is killed three times meanwhile: inserts,
// new texts, metadata alone, large texts, deletes, resurrections, key changes, several of a row in one transaction. An observer that
// polls Chroma all the while sees no row go back, and `rowvec verify` says equal afterwards. No more is embedded than the texts that
// changed and what was delivered again.
func TestHistory(t *testing.T) {
	endpoint := embedtest.New(embedtest.Options{Model: "fake", Dimensions: 32})
	t.Cleanup(endpoint.Close)
	settings := verifySettings("history", endpoint.URL())
	chunk := document.ChunkSpec{Tokens: 128, Overlap: 8}
	settings["userConfig/tables"].(map[string]any)["app.history"].(map[string]any)["chunk"] = map[string]any{"tokens": chunk.Tokens, "overlap": chunk.Overlap}
	settings["parallelism"] = 2
	d := deploy(t, "history", settings)
	startSource(t)

	begun := time.Now()
	watch := observer.New(world.chroma, d.collection, historyRows)
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() { watch.Run(ctx) })
	stopWatching := func() { cancel(); watching.Wait() }
	t.Cleanup(stopWatching)
	h := newHistory(chunk)
	victim := 0
	for range historyKills {
		victim = d.instancePID(t, victim) // the worker looks for dead instances every half minute
		d.subscribed(t, 2)
		h.run(t, historyChanges/(historyKills+1))
		require.NoError(t, syscall.Kill(victim, syscall.SIGKILL))
	}
	h.run(t, historyChanges/(historyKills+1))
	made := time.Since(begun)
	requireDrained(t, d, 4*time.Minute)
	drained := time.Since(begun)
	v := newVerifying(t, d)
	eventually(t, 2*time.Minute, func(ctx context.Context) error { return v.equal(ctx) })
	stopWatching()
	back, looks := watch.Result()
	require.Empty(t, back, "rows that were seen to go back")
	require.Greater(t, looks, 50, "the observer must have looked while rows changed")
	d.requireNoDeadLetters(t)

	topic, err := world.pulsar.TopicStats(t.Context(), d.topic())
	require.NoError(t, err)
	again := int(topic.Subscriptions[d.name].Delivered - topic.MessagesIn)
	require.Positive(t, again, "messages that were delivered again: the killed instances must have had some")
	used := endpoint.Stats()
	t.Logf("seed %d: %d changes, %d of them of a text, %d texts with their chunks; %d embedded in %d requests; %d messages, %d delivered again; %d looks",
		historySeed, historyChanges, h.changed, h.chunks, used.Texts, used.Requests, topic.MessagesIn, again, looks)
	t.Logf("changes were made after %v, through after %v, equal after %v", made, drained, time.Since(begun))
	require.LessOrEqual(t, used.Texts, h.chunks+again*h.chunks/historyChanges, "texts embedded")
}

// history makes random changes of app.history, and knows what its rows are.
type history struct {
	rng     *rand.Rand
	chunker *document.Chunker
	rows    map[int][2]string // title and body
	changed int               // changes that gave a row another text, or a text to a row
	chunks  int               // those texts' chunks
}

func newHistory(chunk document.ChunkSpec) *history {
	return &history{rng: rand.New(rand.NewPCG(historySeed, historySeed)), chunker: document.NewChunker(chunk, nil), rows: map[int][2]string{}}
}

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
	was, exists := h.rows[id]
	switch kind := h.rng.IntN(100); {
	case kind < 45: // a new row, or a new text
		title, body := fmt.Sprintf("Title %d", n), h.body(n)
		batch.Queue(`INSERT INTO app.history (id, title, body, price) VALUES ($1, $2, $3, $4)
			ON CONFLICT (id) DO UPDATE SET title = excluded.title, body = excluded.body`, id, title, body, n%1000)
		h.set(id, title, body)
	case kind < 70:
		batch.Queue(`UPDATE app.history SET price = $2, tags = $3 WHERE id = $1`, id, n%1000, []string{strconv.Itoa(n % 7)})
	case kind < 75: // the large body stays where it is, out of line
		title := fmt.Sprintf("Renamed %d", n)
		batch.Queue(`UPDATE app.history SET title = $2 WHERE id = $1`, id, title)
		if exists {
			h.set(id, title, was[1])
		}
	case kind < 90:
		batch.Queue(`DELETE FROM app.history WHERE id = $1`, id)
		delete(h.rows, id)
	default:
		to := 1 + h.rng.IntN(historyRows)
		batch.Queue(`UPDATE app.history SET id = $2 WHERE id = $1 AND NOT EXISTS (SELECT FROM app.history WHERE id = $2)`, id, to)
		if _, taken := h.rows[to]; exists && !taken {
			delete(h.rows, id)
			h.set(to, was[0], was[1])
		}
	}
}

// set gives a row its text.
func (h *history) set(id int, title, body string) {
	if text := [2]string{title, body}; h.rows[id] != text {
		h.rows[id] = text
		h.changed++
		h.chunks += len(h.chunker.Split(row{Title: title, Body: body}.text()))
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
		return strings.Repeat(sentence, 15)
	default:
		return sentence
	}
}
