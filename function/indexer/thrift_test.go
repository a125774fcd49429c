package indexer

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

// thrifty is how many histories the count of embeddings is held against.
const thrifty = 3000

// TestOnlyChangedTextsAreEmbedded delivers histories in order, each change once: one by one, as many texts are embedded as rows got
// another text, and none for what else changed; in batches, no more.
func TestOnlyChangedTextsAreEmbedded(t *testing.T) {
	t.Parallel()
	for seed := range uint64(thrifty) {
		rng := rand.New(rand.NewPCG(seed, 9))
		h := randomHistory(rng)
		h.two, h.both, h.fetches, h.chunked = false, false, false, false
		all := make([]int, len(h.changes))
		for i := range all {
			all[i] = i
		}
		needed := changedTexts(h)
		for _, batch := range []int{1, 4} {
			h.lives = []life{{deliver: all, batch: batch}}
			got, err := played(t, h, seed)
			require.NoError(t, err, "seed %d\n%v", seed, h)
			require.LessOrEqual(t, got.texts, needed, "seed %d\n%v", seed, h)
		}
		synctest.Test(t, func(t *testing.T) { require.Equal(t, needed, oneByOne(t, h), "seed %d\n%v", seed, h) })
	}
}

// changedTexts counts the changes that gave a row another text.
func changedTexts(h *history) int {
	n := 0
	texts := make(map[string]any)
	for _, c := range h.changes {
		body, carried := c.After["body"].(string)
		switch id := rowID(c); {
		case c.Op == connector.Truncate:
			clear(texts)
		case c.Op == connector.Delete, c.Op == connector.Insert && !carried:
			delete(texts, id)
		case carried && body == "":
			delete(texts, id)
		case carried && texts[id] != body:
			texts[id] = body
			n++
		}
	}
	return n
}

// oneByOne waits for each change before it delivers the next, and returns how many texts were embedded.
func oneByOne(t *testing.T, h *history) int {
	t.Helper()
	r := newRig(t, func(r *rig) { r.spec = h.spec() })
	told := 0
	for _, c := range h.changes {
		told += r.submit(c)[0].outcome(t).Texts
		synctest.Wait()
	}
	n := 0
	for _, call := range r.embedder.seen() {
		n += len(call.ids)
	}
	require.Equal(t, n, told, "the outcomes tell every text")
	return n
}

// TestUpdatesThatLeaveTheTextCostNothing is the promise in numbers: 1,000 updates of other columns, and 1,000 updates to equal text.
func TestUpdatesThatLeaveTheTextCostNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		kinds(t, r.submit(upserted(1, 1, "same")))
		for i := range 1000 {
			other := upserted(1, 2+2*i, "same")
			equal := upserted(1, 3+2*i, "same")
			equal.After["price"] = other.After["price"]
			kinds(t, r.submit(other, equal))
		}
		require.Len(t, r.embedder.seen(), 1)
		require.Equal(t, 1, r.ledger.kinds[Indexed])
		require.Equal(t, 2000, r.ledger.kinds[MetadataOnly]+r.ledger.kinds[Superseded])
		require.GreaterOrEqual(t, r.ledger.saved, 1000)
	})
}
