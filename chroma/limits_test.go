package chroma_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/chroma/chromatest"
)

// batches are the ids of the kept requests of one operation.
func batches(server *chromatest.Server, op string) [][]string {
	var ids [][]string
	for _, r := range server.Requests(op) {
		ids = append(ids, r.IDs)
	}
	return ids
}

func rows(n, chars int) (ids []string, vectors [][]float32, documents []string) {
	for i := range n {
		ids = append(ids, fmt.Sprintf("row-%04d", i))
		vectors = append(vectors, []float32{float32(i), 1})
		documents = append(documents, strings.Repeat("x", chars))
	}
	return ids, vectors, documents
}

func TestRequestsRespectTheBatchLimitInOrder(t *testing.T) {
	t.Parallel()
	server := chromatest.Start(chromatest.Options{MaxBatch: 10})
	t.Cleanup(server.Close)
	col := newCollection(t, server, nil)
	ids, vectors, documents := rows(25, 5)
	want := [][]string{ids[:10], ids[10:20], ids[20:]}
	for op, call := range map[string]func() error{
		"upsert": func() error { return col.Upsert(t.Context(), ids, vectors, documents, nil) },
		"update": func() error { return col.Update(t.Context(), ids, make([]map[string]any, len(ids))) },
		"get": func() error {
			_, err := col.Get(t.Context(), append(ids, ids...))
			return err
		},
		"delete": func() error { return col.Delete(t.Context(), append(ids, ids[:5]...)) },
	} {
		server.Keep()
		require.NoError(t, call(), op)
		require.Equal(t, want, batches(server, op), op)
	}
}

func TestAFailureLeavesWhatWasWrittenBefore(t *testing.T) {
	t.Parallel()
	server := chromatest.Start(chromatest.Options{MaxBatch: 10})
	t.Cleanup(server.Close)
	col := newCollection(t, server, nil)
	ids, vectors, documents := rows(25, 5)
	server.Control(func(r chromatest.Request) *chromatest.Response {
		if r.Op == "upsert" && r.N == 2 {
			return &chromatest.Response{Status: 503}
		}
		return nil
	})
	requireError(t, col.Upsert(t.Context(), ids, vectors, documents, nil), "retry", chroma.ReasonUnavailable)
	require.Len(t, server.Records("articles"), 10)
	require.Equal(t, 2, server.Counts()["upsert"], "nothing is sent after a failure")
}

func TestRequestsRespectTheBodyLimit(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	var bytes []int64
	col := newCollection(t, server, func(cfg *chroma.Config) {
		inner := http.DefaultTransport.(*http.Transport).Clone()
		t.Cleanup(inner.CloseIdleConnections)
		cfg.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			if !strings.HasSuffix(r.URL.Path, "/upsert") {
				return inner.RoundTrip(r)
			}
			bytes = append(bytes, r.ContentLength)
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("{}"))}, nil
		})
	})
	ids, vectors, documents := rows(2, 17<<20)
	documents[1] = strings.Repeat("\x01<&\"", 800<<10) // 3 MB, and 16 MB once it is JSON
	require.NoError(t, col.Upsert(t.Context(), ids, vectors, documents, nil))
	require.Len(t, bytes, 2)
	for _, n := range bytes {
		require.LessOrEqual(t, n, int64(32<<20))
	}
}

func TestARecordThatFitsNoRequestIsPoison(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	col := newCollection(t, server, nil)
	ids, vectors, documents := rows(3, 10)
	documents[1] = strings.Repeat("y", 33<<20)
	failed := failureOf(t, col.Upsert(t.Context(), ids, vectors, documents, nil), "poison", chroma.ReasonTooLarge)
	require.Equal(t, ids[1], failed.RecordID)
	require.Zero(t, failed.Status())
}

func TestAProxyThatTakesLessGetsSmallerRequests(t *testing.T) {
	t.Parallel()
	server := chromatest.Start(chromatest.Options{MaxBody: 256 << 10})
	t.Cleanup(server.Close)
	col := newCollection(t, server, nil)
	ids, vectors, documents := rows(40, 20<<10) // 800 KB
	require.NoError(t, col.Upsert(t.Context(), ids, vectors, documents, nil))
	require.Len(t, server.Records("articles"), 40)
	refused := server.Counts()["upsert"]
	require.Less(t, refused, 15)

	server.Keep()
	require.NoError(t, col.Upsert(t.Context(), ids, vectors, documents, nil))
	require.Less(t, len(batches(server, "upsert")), refused, "the smaller limit is remembered")

	documents[0] = strings.Repeat("z", 512<<10)
	failed := failureOf(t, col.Upsert(t.Context(), ids[:1], vectors[:1], documents[:1], nil), "poison", chroma.ReasonTooLarge)
	require.Equal(t, 413, failed.Status())
}

func TestAServerThatRefusesEverySizeEnds(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	col := newCollection(t, server, nil)
	ids, vectors, documents := rows(64, 10<<10)
	server.Control(only("upsert", &chromatest.Response{Status: 413}))
	requireError(t, col.Upsert(t.Context(), ids, vectors, documents, nil), "poison", chroma.ReasonTooLarge)
	require.Less(t, server.Counts()["upsert"], 10)
}
