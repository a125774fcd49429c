package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/search"
)

// mute is a collection and an endpoint that give no answer.
type mute struct{ search.Collection }

func (mute) Distance() string         { return chroma.Cosine }
func (mute) Dimensions() int          { return 0 }
func (mute) Metadata() map[string]any { return nil }

func (mute) Nearest(ctx context.Context, _ chroma.Question) ([]chroma.Match, error) {
	<-ctx.Done()
	return nil, fmt.Errorf("chroma query: %w", ctx.Err())
}

func (mute) EmbedQuery(ctx context.Context, text string) ([]float32, error) {
	if text != "at hand" {
		<-ctx.Done()
	}
	return []float32{1}, ctx.Err()
}

// searched is the index that the gateway has at work, over what does not answer.
func searched(t *testing.T) *search.Index {
	t.Helper()
	c := settings(open)
	articles := c.Tables["app.articles"]
	articles.Metadata = []config.Field{{Column: "price", As: "price"}}
	c.Tables["app.articles"] = articles
	x := search.New(c, mute{}, func(context.Context, string) (search.Collection, error) { return mute{}, nil },
		search.Options{Timeout: 20 * time.Millisecond})
	t.Cleanup(x.Close)
	return x
}

// TestTheLogSaysWhoWasSlow: and the answer does not.
func TestTheLogSaysWhoWasSlow(t *testing.T) {
	t.Parallel()
	for query, want := range map[string][]string{
		"at%20hand": {"service=chroma", "search in collection articles: chroma query: context deadline exceeded"},
		"not":       {"service=embedding", "context deadline exceeded"},
	} {
		var log bytes.Buffer
		g, _ := watched(t, searched(t), open, slog.New(slog.NewTextHandler(&log, nil)))
		w, answer := do(t, g, get("/v1/search?table=app.articles&q="+query))
		require.Equal(t, http.StatusGatewayTimeout, w.Code)
		require.Contains(t, log.String(), "reason=timeout")
		for _, said := range want {
			require.Contains(t, log.String(), said)
			require.NotContains(t, w.Body.String(), said)
		}
		require.Contains(t, answer["detail"], "in time; ask again")
	}
}

// TestNo504IsUnheard: whatever the error is that has no class.
func TestNo504IsUnheard(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	x := filled()
	x.err = fmt.Errorf("somebody: %w", context.DeadlineExceeded)
	g, _ := watched(t, x, open, slog.New(slog.NewTextHandler(&log, nil)))
	w, _ := do(t, g, get("/v1/tables/app.articles/rows/1"))
	require.Equal(t, http.StatusGatewayTimeout, w.Code)
	require.Contains(t, log.String(), "somebody: context deadline exceeded")

	log.Reset()
	x.err = errors.Join(errors.New("gone"), context.Canceled)
	w, _ = do(t, g, get("/v1/tables/app.articles/rows/1"))
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Empty(t, log.String(), "who leaves is no fault")
}
