//go:build e2e

package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestEndpointOutage takes the embedding endpoint away for 60 s during a stream of changes: nothing is dead-lettered or lost, and
// `functions status` says what is wrong meanwhile.
func TestEndpointOutage(t *testing.T) {
	const outage = 60 * time.Second
	d := deploy(t, "outage", nil)
	startSource(t)
	d.subscribed(t, 1)
	require.NoError(t, insertMany(t.Context(), "outage", 1, 50))
	requireEqual(t, "outage", d.collection, time.Minute)

	require.NoError(t, world.stack.Embedding.Stop(t.Context()))
	over := time.After(outage)
	restarted := false
	restart := func(ctx context.Context) {
		if !restarted {
			restarted = true
			require.NoError(t, world.stack.Embedding.Start(ctx))
		}
	}
	t.Cleanup(func() { restart(context.Background()) })

	changes := time.NewTicker(500 * time.Millisecond)
	defer changes.Stop()
	said := false
	for id, down := int64(51), true; down; id++ {
		select {
		case <-changes.C:
			insert(t, "outage", makeRow(id))
			execute(t, "UPDATE app.outage SET title = title || '!' WHERE id = $1", id-40)
			if !said {
				d.says(t, 10*time.Second, "retrying", "embedding")
				said = true
			}
		case <-over:
			down = false
		}
	}
	d.says(t, 10*time.Second, "retrying", "embedding")
	execute(t, "DELETE FROM app.outage WHERE id IN (2, 60)")
	restart(t.Context())
	requireEqual(t, "outage", d.collection, 2*time.Minute)
	d.requireNoDeadLetters(t)
	d.isWell(t, 30*time.Second, 1)
	status, err := world.pulsar.FunctionStatus(t.Context(), d.name)
	require.NoError(t, err)
	require.Zero(t, status.Instances[0].Status.Restarts, "an outage is no reason to exit")
	require.Zero(t, status.Instances[0].Status.UserExceptions)
}
