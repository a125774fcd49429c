package function

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/chroma/chromatest"
	"github.com/rowvec/rowvec/embed/embedtest"
	"github.com/rowvec/rowvec/function/indexer"
)

// TestAnotherModelBehindTheEndpoint: without embedding.dimensions the collection says that the endpoint serves a wrong model, at the start of
// the process or later; when the right one is back the function goes on by itself.
func TestAnotherModelBehindTheEndpoint(t *testing.T) {
	t.Parallel()
	for name, started := range map[string]bool{"at the start": false, "later": true} {
		h := &halting{any: true, endpoint: embedtest.New(embedtest.Options{Dimensions: 8}), index: chromatest.New(t)}
		t.Cleanup(h.endpoint.Close)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h.t = t
				h.collection(chroma.Cosine, 8)
				defer h.start(t)()
				if started {
					require.Equal(t, indexer.Indexed, (<-h.submit(t, 1, 1)).Kind)
				}
				h.endpoint.Control(embedtest.Longer)
				first, later := h.submit(t, 2, 2), make(chan chan indexer.Outcome, 1)
				go func() { later <- h.submit(t, 3, 3) }() // who comes after the halt waits outside
				const says = "vectors have 9 dimensions, the collection has 8: set embedding.model"
				<-time.After(time.Second)
				h.requireHalted(t, says)
				asked := h.endpoint.Stats().Requests
				<-time.After(10 * time.Minute)
				h.requireHalted(t, says)
				require.Empty(t, first, "neither acknowledged nor a dead letter")
				require.LessOrEqual(t, h.endpoint.Stats().Requests-asked, 20, "one in each step of 30 s")

				h.endpoint.Control(nil)
				at := time.Now()
				require.Equal(t, indexer.Indexed, (<-first).Kind)
				require.Equal(t, indexer.Indexed, (<-<-later).Kind)
				require.LessOrEqual(t, time.Since(at), 31*time.Second)
				require.Empty(t, h.spoken.of("table app.articles"))
				for id, record := range h.index.Records("articles") {
					require.Len(t, record.Vector, 8, id)
				}
			})
		})
	}
}

// TestACollectionThatWasPutRight: it is the collection that changes, not the endpoint.
func TestACollectionThatWasPutRight(t *testing.T) {
	t.Parallel()
	h := &halting{any: true, endpoint: embedtest.New(embedtest.Options{Dimensions: 8}), index: chromatest.New(t)}
	t.Cleanup(h.endpoint.Close)
	synctest.Test(t, func(t *testing.T) {
		h.t = t
		h.collection(chroma.Cosine, 3)
		defer h.start(t)()
		settled := h.submit(t, 1, 1)
		<-time.After(5 * time.Minute)
		h.requireHalted(t, "vectors have 8 dimensions, the collection has 3")
		h.index.DropCollection("articles")
		require.Equal(t, indexer.Indexed, (<-settled).Kind)
		require.Equal(t, 1, h.endpoint.Seen("x"), "the vector is used again")
	})
}
