package function

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/chroma/chromatest"
	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/function/instance"
)

// refusing answers the writes that match as Chroma does.
func refusing(status int, matches func(chromatest.Request) bool) func(chromatest.Request) *chromatest.Response {
	return func(r chromatest.Request) *chromatest.Response {
		if (r.Op == "add" || r.Op == "upsert" || r.Op == "update") && matches(r) {
			return &chromatest.Response{Status: status, Body: `{"error":"ChromaError","message":"quota exceeded: 1000 records"}`}
		}
		return nil
	}
}

// A Chroma that refuses every write is no fault of a row: the status says what it answers, and nothing is lost.
func TestAnIndexThatRefusesEveryWriteHalts(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge} {
		b := newBench(t)
		b.index.Control(refusing(status, func(chromatest.Request) bool { return true }))
		settled := b.handle(t, t.Context(), change(1, "articles"))
		require.Eventually(t, func() bool { return strings.Contains(b.spoken.of("table app.articles"), "halted") }, 5*time.Second, time.Millisecond)
		said := b.spoken.of("table app.articles")
		require.Contains(t, said, "quota exceeded: 1000 records")
		require.Contains(t, said, "the index refuses every write")
		require.InDelta(t, 1, b.metrics.user()["rowvec_state{state=halted,table=app.articles}"], 0)
		require.Empty(t, settled)
		require.Equal(t, 3, b.index.Counts()["add"], "the row twice, and the probe")
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		b.Drain(ctx)
		cancel()
		require.Equal(t, instance.Abandon, within(t, settled).Verdict)
	}
}

func TestARowThatTheIndexRefusesIsADeadLetter(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge} {
		b := newBench(t)
		b.index.Control(refusing(status, func(r chromatest.Request) bool { return slices.Contains(r.IDs, "2") }))
		good, bad, other := b.handle(t, t.Context(), change(1, "articles")), b.handle(t, t.Context(), change(2, "articles")), b.handle(t, t.Context(), change(3, "articles"))
		require.Equal(t, instance.Ack, within(t, good).Verdict)
		require.Equal(t, instance.Ack, within(t, other).Verdict)
		letter := within(t, bad)
		require.Equal(t, instance.DeadLetter, letter.Verdict)
		require.Contains(t, letter.Message, "quota exceeded")
		require.Len(t, b.index.Records("articles"), 2, "the probe is gone")
	}
}

// What a process left that died over a probe goes with the next start, if it can.
func TestAProbeThatWasLeftIsRemoved(t *testing.T) {
	t.Parallel()
	for _, refused := range []bool{false, true} {
		b := newBench(t)
		client, err := chroma.New(chroma.Config{URL: b.index.URL})
		require.NoError(t, err)
		t.Cleanup(func() { _ = client.Close() })
		col, err := client.Ensure(t.Context(), chroma.CollectionSpec{Name: "articles"})
		require.NoError(t, err)
		require.NoError(t, col.Upsert(t.Context(), []string{document.ProbeID}, [][]float32{make([]float32, 8)}, []string{""}, []map[string]any{{document.KeyProbe: int64(1)}}))
		b.index.Control(func(r chromatest.Request) *chromatest.Response {
			if r.Op == "delete" && refused {
				return &chromatest.Response{Status: http.StatusForbidden}
			}
			return nil
		})
		require.Equal(t, instance.Ack, within(t, b.handle(t, t.Context(), change(1, "articles"))).Verdict)
		_, left := b.index.Records("articles")[document.ProbeID]
		require.Equal(t, refused, left)
	}
}
