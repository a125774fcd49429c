package cli

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma/chromatest"
	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/deploy/local/stack"
	"github.com/rowvec/rowvec/embed/embedtest"
	"github.com/rowvec/rowvec/function"
	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/gateway/access"
)

const (
	loadTable     = "app.articles"
	endpointTakes = 20 * time.Millisecond
	fakeTakes     = 4 * time.Millisecond // the simulated Chroma, for a query
)

// stand is a gateway as `rowvec serve` makes it, with its server in this process, so that tests can play the function's part.
type stand struct {
	url    string
	server *server
	client *http.Client
	fake   bool // Chroma is simulated

	mu   sync.Mutex
	held map[string]time.Duration // how long the endpoint held a question
}

func newStand(t *testing.T, p loadPlan) *stand {
	t.Helper()
	s := &stand{held: map[string]time.Duration{}, fake: !p.chroma, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1_000}}}
	endpoint := embedtest.New(embedtest.Options{Dimensions: p.dimensions})
	t.Cleanup(endpoint.Close)
	endpoint.Control(s.hold)
	f := loadFunction(t, p, endpoint.URL(), s.chroma(t, p))
	fill(t, f.Config, p)
	keeper, err := access.New(f.Config.Gateway, f.Secret)
	require.NoError(t, err)
	t.Cleanup(collectLess())
	s.server, err = newServer(f, keeper, "load", slog.New(slog.DiscardHandler))
	require.NoError(t, err)

	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.url = "http://" + l.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	var ended error
	running.Go(func() { ended = s.server.run(ctx, &tightListener{l}) })
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		stop()
		running.Wait()
		s.server.close()
		require.NoError(t, ended)
	})
	return s
}

// chroma is the address of a real or a simulated one.
func (s *stand) chroma(t *testing.T, p loadPlan) string {
	t.Helper()
	if !p.chroma {
		server := chromatest.New(t)
		server.Control(func(r chromatest.Request) *chromatest.Response {
			if r.Op == "query" {
				<-time.After(fakeTakes)
			}
			return nil
		})
		return server.URL
	}
	parts, err := stack.Open(stack.Options{Dir: t.TempDir(), Out: os.Stderr})
	require.NoError(t, err)
	require.NoError(t, parts.Chroma.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		require.NoError(t, parts.Chroma.Stop(ctx))
	})
	return parts.Chroma.URL()
}

// hold is the endpoint's own time for a request.
func (s *stand) hold(r *embedtest.Request) *embedtest.Response {
	begun := time.Now()
	<-time.After(endpointTakes)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range r.Texts {
		s.held[text] = time.Since(begun)
	}
	return nil
}

// heldFor is what endpoint and Chroma took by themselves for a question; 0 where that is not known, of the real Chroma.
func (s *stand) heldFor(question string, cached bool) time.Duration {
	switch {
	case !s.fake:
		return 0
	case cached:
		return fakeTakes
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held[question] + fakeTakes
}

func loadFunction(t *testing.T, p loadPlan, embedding, chroma string) *config.Function {
	t.Helper()
	path := filepath.Join(t.TempDir(), "function.yaml")
	require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, `
name: f
inputs: [persistent://public/default/store.app.articles]
subscriptionPosition: Earliest
cleanupSubscription: false
userConfig:
  embedding: {baseURL: %q, model: m, dimensions: %d}
  chroma: {url: %q}
  gateway: {listen: "127.0.0.1:0", cache: {entries: 1000}}
  tables:
    app.articles: {collection: articles, text: "{{.title}}: {{.body}}", metadata: [title, price, tags]}
`, embedding, p.dimensions, chroma), 0o600))
	f, err := config.Load(path)
	require.NoError(t, err)
	return f
}

// fill writes rows as the function does.
func fill(t *testing.T, c *config.Config, p loadPlan) {
	t.Helper()
	builders, err := function.Builders(c)
	require.NoError(t, err)
	client, err := function.NewChroma(c.Chroma, nil, nil, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, client.Close()) }()
	collection, err := client.Ensure(t.Context(), function.CollectionSpec(c, "articles"))
	require.NoError(t, err)
	const group = 1_000
	for first := 0; first < p.rows; first += group {
		var ids, texts []string
		var vectors [][]float32
		var metadatas []map[string]any
		for n := first; n < min(first+group, p.rows); n++ {
			doc, err := builders[loadTable].Build(loadChange(n))
			require.NoError(t, err)
			r := doc.Records(connector.Version{LSN: uint64(n + 1), CommitTime: time.UnixMilli(1_700_000_000_000 + int64(n)).UTC()}, nil)[0]
			ids, texts, metadatas = append(ids, r.ID), append(texts, r.Document), append(metadatas, r.Metadata)
			vectors = append(vectors, embedtest.Vector(r.Document, p.dimensions))
		}
		require.NoError(t, collection.Upsert(t.Context(), ids, vectors, texts, metadatas))
	}
}

func loadChange(n int) *connector.Change {
	return &connector.Change{
		Table: connector.Table{Schema: "app", Name: "articles"}, Op: connector.Insert, Key: []connector.Column{{Name: "id", Value: int64(n)}},
		After: connector.Row{
			"id": int64(n), "title": "Article " + strconv.Itoa(n), "price": float64(n) / 2, "tags": []any{"new", "shoes"},
			"body": "Grippy lugs and a rock plate keep you upright on wet roots and muddy descents, says number " + strconv.Itoa(n) + ".",
		},
	}
}

// tightListener gives connections small buffers, so that a client that does not read is felt within seconds.
type tightListener struct{ net.Listener }

func (l *tightListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	tcp, isTCP := conn.(*net.TCPConn)
	if !isTCP {
		return nil, fmt.Errorf("not a TCP connection: %T", conn)
	}
	return conn, tcp.SetWriteBuffer(16 << 10)
}
