package chromatest_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/chroma/chromatest"
)

func open(t *testing.T, server *chromatest.Server) *chroma.Collection {
	t.Helper()
	client, err := chroma.New(chroma.Config{URL: server.URL, Timeout: time.Minute})
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	require.NoError(t, client.Ping(t.Context()))
	col, err := client.Ensure(t.Context(), chroma.CollectionSpec{Name: "articles"})
	require.NoError(t, err)
	return col
}

func TestControlDecidesAboutOneRequest(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	col := open(t, server)
	ctx := t.Context()
	upsert := func(id string) error { return col.Upsert(ctx, []string{id}, [][]float32{{1}}, nil, nil) }
	planned := map[string]*chromatest.Response{
		"refused": {Status: 503}, "dropped": {Drop: true}, "cut": {Truncate: true},
		"lost-refused": {Status: 503, Apply: true}, "lost-dropped": {Drop: true, Apply: true}, "lost-cut": {Truncate: true, Apply: true},
	}
	server.Control(func(r chromatest.Request) *chromatest.Response { return planned[r.IDs[0]] })
	server.Keep()
	require.NoError(t, upsert("normal"))
	for id := range planned {
		require.Error(t, upsert(id), id)
		_, stored := server.Records("articles")[id]
		require.Equal(t, strings.HasPrefix(id, "lost"), stored, id)
	}
	require.Len(t, server.Requests("upsert"), 7)
	require.Empty(t, server.Requests("get"))
	first := server.Requests("")[0]
	require.Equal(t, "upsert articles normal 1", fmt.Sprint(first.Op, " ", first.Collection, " ", first.IDs[0], " ", first.N))
	require.Equal(t, 7, server.Counts()["upsert"])
}

func TestHoldBeforeAndAfter(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	col := open(t, server)
	gate := make(chan struct{})
	arrived := make(chan struct{}, 2)
	server.Control(func(r chromatest.Request) *chromatest.Response {
		arrived <- struct{}{}
		if r.IDs[0] == "before" {
			return &chromatest.Response{Before: gate}
		}
		return &chromatest.Response{After: gate}
	})
	applied := make(chan string, 2)
	server.OnApplied(func(m chromatest.Mutation) { applied <- m.IDs[0] })
	var group errgroup.Group
	for _, id := range []string{"before", "after"} {
		group.Go(func() error { return col.Upsert(t.Context(), []string{id}, [][]float32{{1}}, nil, nil) })
		<-arrived
	}
	require.Equal(t, "after", <-applied)
	require.NotContains(t, server.Records("articles"), "before")
	require.Equal(t, 2, server.Peak("upsert"))
	close(gate)
	require.NoError(t, group.Wait())
	require.Equal(t, "before", <-applied)
}

func TestAHeldRequestEndsWithItsClient(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	col := open(t, server)
	ctx, cancel := context.WithCancel(t.Context())
	server.Control(func(chromatest.Request) *chromatest.Response {
		cancel()
		return &chromatest.Response{Before: make(chan struct{})}
	})
	require.ErrorIs(t, col.Upsert(ctx, []string{"a"}, [][]float32{{1}}, nil, nil), context.Canceled)
	server.Control(nil)
	require.NoError(t, col.Upsert(t.Context(), []string{"b"}, [][]float32{{1}}, nil, nil))
	require.NotContains(t, server.Records("articles"), "a")
}

func TestObserversSeeEveryStateInOrder(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	col := open(t, server)
	var mu sync.Mutex
	var states []int
	var mutations []chromatest.Mutation
	server.OnApplied(func(m chromatest.Mutation) {
		mu.Lock()
		defer mu.Unlock()
		states, mutations = append(states, len(server.Records("articles"))), append(mutations, m)
	})
	ctx := t.Context()
	var group errgroup.Group
	for _, id := range strings.Split("abcdefghij", "") {
		group.Go(func() error { return col.Upsert(ctx, []string{id}, [][]float32{{1}}, nil, nil) })
	}
	require.NoError(t, group.Wait())
	require.NoError(t, col.Update(ctx, []string{"a"}, []map[string]any{{"k": "v"}}))
	require.NoError(t, col.Delete(ctx, []string{"a", "b"}))
	require.Error(t, col.Upsert(ctx, []string{"z"}, [][]float32{{1, 2}}, nil, nil))
	require.True(t, server.DropCollection("articles"))
	require.False(t, server.DropCollection("articles"))
	mu.Lock()
	defer mu.Unlock()
	require.Equal(t, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 8, 0}, states, "a refused write is no state")
	require.Equal(t, chromatest.Mutation{Op: "delete", Collection: "articles", IDs: []string{"a", "b"}}, mutations[11])
	require.Nil(t, server.Records("articles"))
	require.Empty(t, server.Collections())
}

func TestRecordsAreCopies(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	col := open(t, server)
	require.NoError(t, col.Upsert(t.Context(), []string{"a"}, [][]float32{{1, 2}}, []string{"d"}, []map[string]any{{"k": "v"}}))
	got := server.Records("articles")["a"]
	require.Equal(t, "d", *got.Document)
	got.Vector[0], got.Metadata["k"] = 9, "changed"
	require.Equal(t, []float32{1, 2}, server.Records("articles")["a"].Vector)
	require.Equal(t, map[string]any{"k": "v"}, server.Records("articles")["a"].Metadata)
}
