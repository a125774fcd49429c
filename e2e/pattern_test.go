//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestTopicsPattern: one function follows several tables through a pattern. Topics that appear later are found, tables that nobody
// configured are ignored.
func TestTopicsPattern(t *testing.T) {
	settings := func(collection string) map[string]any {
		return map[string]any{"collection": collection, "text": "{{.title}}: {{.body}}", "metadata": []string{"title", "price", "tags"}}
	}
	d := deploy(t, "pattern_a", map[string]any{
		"inputs": nil, "topicsPattern": "persistent://public/default/store.app.pattern_.*",
		"userConfig/tables": map[string]any{"app.pattern_a": settings("e2e-pattern_a"), "app.pattern_b": settings("e2e-pattern_b")},
	})
	startSource(t)
	d.isWell(t, time.Minute, 1)
	for id := range int64(10) {
		insert(t, "pattern_a", makeRow(id))
		insert(t, "pattern_b", makeRow(100+id))
		insert(t, "pattern_c", makeRow(id))
	}
	requireEqual(t, "pattern_a", "e2e-pattern_a", 2*time.Minute)
	requireEqual(t, "pattern_b", "e2e-pattern_b", 2*time.Minute)
	d.isWell(t, time.Minute, 1)
	d.requireNoDeadLetters(t)
	// The table that nobody configured is read past and leaves nothing behind.
	eventually(t, time.Minute, func(ctx context.Context) error {
		s, err := world.pulsar.TopicStats(ctx, "public/default/store.app.pattern_c")
		if err == nil && s.Subscriptions[d.name].Backlog != 0 {
			err = fmt.Errorf("backlog of pattern_c is %d", s.Subscriptions[d.name].Backlog)
		}
		return err
	})
	require.InDelta(t, 10, d.metric(t, "rowvec_records_total{outcome=ignored,table=app.pattern_c}"), 0.1)
}
