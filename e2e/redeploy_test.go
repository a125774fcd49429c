//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/e2e/footprint"
)

// TestRedeployAndKillLoseNothing streams 5,000 rows into a function of two instances that is redeployed meanwhile and loses one
// instance to kill -9. The collection equals the table afterwards.
func TestRedeployAndKillLoseNothing(t *testing.T) {
	const total, step = 5000, 100
	d := deploy(t, "bulk", map[string]any{"parallelism": 2})
	startSource(t)
	d.subscribed(t, 2)

	stream := make(chan error, 1)
	half := make(chan struct{})
	go func() {
		defer close(stream)
		for from := int64(1); from <= total; from += step {
			if err := insertMany(context.WithoutCancel(t.Context()), "bulk", from, from+step-1); err != nil {
				stream <- err
				return
			}
			if from == total/2+1 {
				close(half)
			}
		}
	}()
	t.Cleanup(func() {
		for range stream { // ends when the writer has
		}
	})
	<-half
	old := d.instancePID(t, 0)
	d.update(t, map[string]any{"parallelism": 2})
	updated := d.instancePID(t, old) // the update is carried out after the command has returned
	d.subscribed(t, 2)
	require.NoError(t, syscall.Kill(updated, syscall.SIGKILL))
	require.NoError(t, <-stream)

	requireEqual(t, "bulk", d.collection, 8*time.Minute)
	d.requireNoDeadLetters(t)
	requireDrained(t, d, time.Minute)

	// What was in flight comes again to other instances: more records than rows, never fewer.
	d.isWell(t, 2*time.Minute, 2)
	status, err := world.pulsar.FunctionStatus(t.Context(), d.name)
	require.NoError(t, err)
	var restarts int64
	for _, i := range status.Instances {
		restarts += i.Status.Restarts
	}
	require.EqualValues(t, 1, restarts, "the killed instance was started again, and nothing else died")
	require.NoError(t, equal(t.Context(), "bulk", d.collection), "still")
	t.Run("both instances work", func(t *testing.T) {
		execute(t, "UPDATE app.bulk SET title = 'Changed ' || id WHERE id <= 400")
		requireEqual(t, "bulk", d.collection, 2*time.Minute)
		s, err := world.pulsar.FunctionStats(t.Context(), d.name)
		require.NoError(t, err)
		require.Len(t, s.Instances, 2)
		for _, i := range s.Instances {
			require.Positive(t, i.Metrics.Processed, "Key_Shared gives instance %d its share", i.ID)
		}
	})
}

// requireDrained waits until the subscription has nothing left.
func requireDrained(t *testing.T, d *deployment, within time.Duration) {
	t.Helper()
	eventually(t, within, func(ctx context.Context) error {
		s, err := world.pulsar.TopicStats(ctx, "public/default/store.app."+d.table)
		if err != nil {
			return err
		}
		if n := s.Subscriptions[d.name].Backlog; n != 0 {
			return fmt.Errorf("backlog is %d", n)
		}
		return nil
	})
}

// instancePID finds the process of the function's second instance by its command line, as an operator would with ps, waiting until it
// is another than the one named.
func (d *deployment) instancePID(t *testing.T, other int) int {
	t.Helper()
	var pid int
	eventually(t, time.Minute, func(context.Context) error {
		found, err := footprint.Find(stackDir(), footprint.Instance, `"name":"`+d.name+`"`, `"instanceID":1`)
		if err != nil {
			return err
		}
		for _, pid = range found {
			if pid != other {
				return nil
			}
		}
		return errors.New("the function's second instance is still the old one")
	})
	return pid
}
