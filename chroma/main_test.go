package chroma_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/chroma/chromatest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newClient talks to server with a timeout that no test waits for.
func newClient(tb testing.TB, server *chromatest.Server, change func(*chroma.Config)) *chroma.Client {
	tb.Helper()
	cfg := chroma.Config{URL: server.URL, Timeout: time.Minute}
	if change != nil {
		change(&cfg)
	}
	client, err := chroma.New(cfg)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, client.Close()) })
	return client
}

// newCollection is an empty collection "articles", with limits known, so that every further request is the test's own.
func newCollection(tb testing.TB, server *chromatest.Server, change func(*chroma.Config)) *chroma.Collection {
	tb.Helper()
	client := newClient(tb, server, change)
	require.NoError(tb, client.Ping(tb.Context()))
	col, err := client.Ensure(tb.Context(), chroma.CollectionSpec{Name: "articles"})
	require.NoError(tb, err)
	return col
}

// only answers requests of one operation with r.
func only(op string, r *chromatest.Response) func(chromatest.Request) *chromatest.Response {
	return func(req chromatest.Request) *chromatest.Response {
		if req.Op == op {
			return r
		}
		return nil
	}
}

func requireError(t *testing.T, err error, class, reason string) {
	t.Helper()
	require.Error(t, failureOf(t, err, class, reason))
}

// failureOf requires an Error of that class and reason, and returns it.
func failureOf(t *testing.T, err error, class, reason string) *chroma.Error {
	t.Helper()
	var failed *chroma.Error
	require.ErrorAs(t, err, &failed)
	require.Equal(t, [2]string{class, reason}, [2]string{failed.Class(), failed.Reason()}, failed.Error())
	return failed
}

// operations are all calls on a collection, by the Op of their request.
func operations(t *testing.T, col *chroma.Collection) map[string]func() error {
	t.Helper()
	ctx := t.Context()
	return map[string]func() error{
		"add":    func() error { return col.Add(ctx, []string{"a"}, [][]float32{{1, 2}}, []string{"text"}, nil) },
		"upsert": func() error { return col.Upsert(ctx, []string{"a"}, [][]float32{{1, 2}}, []string{"text"}, nil) },
		"update": func() error { return col.Update(ctx, []string{"a"}, []map[string]any{{"k": "v"}}) },
		"delete": func() error { return col.Delete(ctx, []string{"a"}) },
		"get": func() error {
			_, err := col.Get(ctx, []string{"a"})
			return err
		},
		"query": func() error {
			_, err := col.Query(ctx, []float32{1, 2}, 1, nil)
			return err
		},
		"count": func() error {
			_, err := col.Count(ctx)
			return err
		},
		"annotate": func() error { return col.Annotate(ctx, map[string]any{"k": "v"}) },
	}
}

// roundTripper is a function as a transport.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
