package indexer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A flood of bad texts is bisected one request at a time, while good ones of another table have the other slot to themselves.
func TestBisectionLeavesTheEndpointToOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(r *rig) {
			r.embedder.size = 8
			r.embedder.fault = func(ctx context.Context, texts []string) error {
				if err := sleep(ctx, time.Second); err != nil {
					return err
				}
				if slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, "bad") }) {
					return errRefuse
				}
				return nil
			}
		})
		twin := NewTable(TableConfig{Table: "app.twin", Builder: newBuilder(t, articles())}, r.pool, r.writer, Options{})
		defer twin.Drain(t.Context())
		release := r.plug()
		var bad []*receipt
		for i := range 16 {
			bad = append(bad, r.submit(upserted(i, 1, fmt.Sprint("bad ", i)))...)
		}
		release()
		<-time.After(5 * time.Second) // both requests were refused; one is bisected
		began := time.Now()
		for i := range 8 {
			rec, p := record(upserted(100+i, 1, fmt.Sprint("good ", i)), 1)
			require.NoError(t, twin.Submit(t.Context(), rec))
			require.Equal(t, Indexed, p.outcome(t).Kind)
		}
		require.LessOrEqual(t, time.Since(began), 9*time.Second, "a second each")
		for _, p := range bad {
			require.Equal(t, Poison, p.outcome(t).Kind)
		}
	})
}
