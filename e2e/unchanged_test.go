//go:build e2e

package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/embed/embedtest"
)

// TestAnUnchangedTextIsNotEmbeddedAgain: 1,000 updates of columns outside the text, and 1,000 that leave the text equal, cost no call of
// the endpoint, and the index has the new values.
func TestAnUnchangedTextIsNotEmbeddedAgain(t *testing.T) {
	const updates = 1000
	execute(t, "ALTER TABLE app.unchanged ADD note text")
	endpoint := embedtest.New(embedtest.Options{Model: "fake", Dimensions: 32})
	t.Cleanup(endpoint.Close)
	d := deploy(t, "unchanged", verifySettings("unchanged", endpoint.URL()))
	startSource(t)
	d.subscribed(t, 1)
	fillVerify(t, "unchanged", updates) // most rows have several chunks
	require.Equal(t, map[string]int{"indexed": updates}, d.settles(t, updates))
	v := newVerifying(t, d)
	require.NoError(t, v.equal(t.Context()))
	embedded, saved := endpoint.Stats(), d.metric(t, "rowvec_texts_saved_total")
	require.InDelta(t, embedded.Texts, d.metric(t, "rowvec_embed_texts_total"), 0.1)

	settled := updates
	for name, statement := range map[string]string{
		"a metadata column":              "UPDATE app.unchanged SET price = price + 0.01",
		"a column that nothing is of":    "UPDATE app.unchanged SET note = 'seen ' || id",
		"an equal text":                  "UPDATE app.unchanged SET title = title, body = body || ''",
		"an equal text and new metadata": "UPDATE app.unchanged SET body = body, tags = tags || ARRAY['more']",
	} {
		t.Run(name, func(t *testing.T) {
			execute(t, statement)
			settled += updates
			require.Equal(t, map[string]int{"indexed": updates, "metadata_only": settled - updates}, d.settles(t, settled))
			require.Equal(t, embedded, endpoint.Stats(), "what the endpoint was asked")
			require.NoError(t, v.equal(t.Context()))
		})
	}
	require.GreaterOrEqual(t, d.metric(t, "rowvec_texts_saved_total")-saved, float64(settled-updates))

	t.Run("the same rows again and again", func(t *testing.T) {
		before := settled - updates
		batch := &pgx.Batch{}
		for i := range updates {
			batch.Queue("UPDATE app.unchanged SET price = $2 WHERE id = $1", 1+i%10, i)
		}
		require.NoError(t, world.db.SendBatch(t.Context(), batch).Close())
		settled += updates
		counts := d.settles(t, settled)
		require.Equal(t, updates, counts["metadata_only"]-before+counts["superseded"], "%v", counts)
		require.Equal(t, embedded, endpoint.Stats(), "what the endpoint was asked")
		eventually(t, 30*time.Second, func(ctx context.Context) error { return v.equal(ctx) })
	})
	require.InDelta(t, embedded.Texts, d.metric(t, "rowvec_embed_texts_total"), 0.1)
	d.requireNoDeadLetters(t)
}
