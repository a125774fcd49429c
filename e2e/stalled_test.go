//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/embed/embedtest"
)

// TestATextThatTheEndpointFailsOn has an endpoint answer 500 to certain texts, more of them than batches are in work, as llama.cpp's server does to
// those over its physical batch. The other rows go on, the status names one of those that wait, a change of the row ends its wait, and all
// of them are indexed once the endpoint takes them.
func TestATextThatTheEndpointFailsOn(t *testing.T) {
	const marker = "over the physical batch"
	endpoint := embedtest.New(embedtest.Options{})
	t.Cleanup(endpoint.Close)
	var mended atomic.Bool
	endpoint.Control(func(r *embedtest.Request) *embedtest.Response {
		if mended.Load() || !slices.ContainsFunc(r.Texts, func(text string) bool { return strings.Contains(text, marker) }) {
			return nil
		}
		return embedtest.Fail(http.StatusInternalServerError, "server_error", "input is too large to process")
	})
	d := deploy(t, "stalled", map[string]any{"userConfig/embedding/baseURL": endpoint.URL()})
	startSource(t)
	d.subscribed(t, 1)

	const bad = 8
	require.NoError(t, insertMany(t.Context(), "stalled", 1, 100))
	for id := range int64(bad) {
		insert(t, "stalled", row{ID: 101 + id, Title: "Long", Body: fmt.Sprint(marker, " ", id), Price: "1.00", Tags: []string{}})
	}
	require.NoError(t, insertMany(t.Context(), "stalled", 201, 300))
	indexed := func(n int) func(context.Context) error {
		return func(ctx context.Context) error { return counted(ctx, d.collection, n) }
	}
	eventually(t, 30*time.Second, indexed(200))
	d.says(t, 5*time.Second, "retrying", "the embedding endpoint takes other texts and fails on those of", "row 10", "input is too large to process")

	for id := range int64(20) { // each by itself, while the others wait
		insert(t, "stalled", makeRow(301+id))
		eventually(t, 5*time.Second, indexed(201+int(id)))
	}
	execute(t, "UPDATE app.stalled SET body = 'Short.' WHERE id = 104")
	execute(t, "DELETE FROM app.stalled WHERE id = 106")
	execute(t, "UPDATE app.stalled SET price = 2 WHERE id = 107")
	eventually(t, 5*time.Second, indexed(221))

	mended.Store(true)
	requireEqual(t, "stalled", d.collection, 90*time.Second)
	d.requireNoDeadLetters(t)
	d.isWell(t, 10*time.Second, 1)
}
