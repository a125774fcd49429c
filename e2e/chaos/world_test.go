//go:build e2e

package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/deploy/local/admin"
	"github.com/rowvec/rowvec/deploy/local/stack"
	"github.com/rowvec/rowvec/e2e/await"
	"github.com/rowvec/rowvec/e2e/chaos/proxy"
)

// world is a stack of this run's own, with the network that is cut, and what the run itself reaches the stack by: past the proxies.
type world struct {
	stack    *stack.Stack
	env      stack.Env
	pulsar   admin.Pulsar
	db       *pgxpool.Pool
	chroma   *chroma.Client
	endpoint *endpoint

	toChroma, toEndpoint *proxy.Proxy

	root string // of the project
	out  string // where reports and settings go
}

// newWorld starts everything, on no data.
func newWorld(t *testing.T) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	w := &world{root: root, out: filepath.Join(root, "e2e", "out")}
	dir := filepath.Join(w.out, "chaos-stack")
	require.NoError(t, sweep(ctx, dir))
	w.stack, err = stack.Start(ctx, stack.Options{Dir: dir, Out: os.Stderr})
	require.NoError(t, err)
	t.Cleanup(func() {
		stop, done := context.WithTimeout(context.Background(), 2*time.Minute)
		defer done()
		require.NoError(t, w.stack.Stop(stop))
	})
	require.NoError(t, w.stack.Embedding.Stop(ctx), "the model has no part in this")
	w.env = w.stack.Env()
	w.pulsar = admin.Pulsar{Program: w.env.PulsarAdmin, URL: w.env.PulsarAdminURL}
	w.db, err = pgxpool.New(ctx, w.env.PostgresURL)
	require.NoError(t, err)
	t.Cleanup(w.db.Close)
	w.chroma, err = chroma.New(chroma.Config{URL: w.env.ChromaURL, Timeout: 10 * time.Second})
	require.NoError(t, err)
	w.endpoint = newEndpoint()
	t.Cleanup(w.endpoint.Close)
	w.toChroma = w.through(t, w.env.ChromaURL)
	w.toEndpoint = w.through(t, w.endpoint.URL())
	return w
}

// sweep removes what an earlier run has left.
func sweep(ctx context.Context, dir string) error {
	old, err := stack.Attach(dir)
	if errors.Is(err, stack.ErrNotUp) {
		return nil
	}
	if err == nil {
		err = old.Wipe(ctx)
	}
	return err
}

// through puts a proxy before a server.
func (w *world) through(t *testing.T, server string) *proxy.Proxy {
	t.Helper()
	at, err := url.Parse(server)
	require.NoError(t, err)
	p, err := proxy.Start(t.Context(), at.Host)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p
}

// prepareDatabase makes the table, and sets up the source with the script that the README tells a user to run.
func (w *world) prepareDatabase(t *testing.T) {
	t.Helper()
	_, err := w.db.Exec(t.Context(), `CREATE SCHEMA app; CREATE TABLE app.chaos (
		id bigint PRIMARY KEY, title text NOT NULL, body text, price numeric(10,2), tags text[], created_at timestamptz NOT NULL DEFAULT now())`)
	require.NoError(t, err)
	out, err := exec.CommandContext(t.Context(), "psql", w.env.PostgresURL, "-f", filepath.Join(w.root, "connector", "setup.sql"),
		"-v", "password=secret", "-v", "tables=app."+table).CombinedOutput()
	require.NoError(t, err, "run setup.sql: %s", out)
}

// call asks Pulsar's REST interface for what its program would take seconds to do.
func (w *world) call(ctx context.Context, method, path string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, method, w.env.PulsarAdminURL+path, http.NoBody)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err == nil && resp.StatusCode/100 != 2 {
		err = errors.New(resp.Status)
	}
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", method, path, err, body)
	}
	return string(body), nil
}

// until polls until check returns nil. Its last error tells what was missing.
func until(ctx context.Context, within time.Duration, check func(ctx context.Context) error) error {
	return await.Until(ctx, within, check)
}

// rest waits, and reports whether the run goes on.
func rest(ctx context.Context, d time.Duration) bool { return await.Rest(ctx, d) }
