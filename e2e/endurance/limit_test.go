//go:build e2e

package endurance

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/e2e/await"
	"github.com/rowvec/rowvec/embed/embedtest"
)

// window is a provider's limit of so many requests in each minute. It tells it as OpenAI does, and answers 429 above it.
type window struct {
	grants int

	mu      sync.Mutex
	begun   time.Time // of the first window
	minute  int       // of the current window
	used    int       // in it
	refused int
	granted []int // requests granted, by window
	texts   int   // embedded
}

func (w *window) control(r *embedtest.Request) *embedtest.Response {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	if w.begun.IsZero() {
		w.begun = now
	}
	if minute := int(now.Sub(w.begun) / time.Minute); minute != w.minute {
		w.minute, w.used = minute, 0
	}
	for len(w.granted) <= w.minute {
		w.granted = append(w.granted, 0)
	}
	reset := w.begun.Add(time.Duration(w.minute+1) * time.Minute).Sub(now)
	if w.used == w.grants {
		w.refused++
		return w.tell(embedtest.Fail(http.StatusTooManyRequests, "rate_limit_exceeded", "rate limit reached"), reset)
	}
	w.used++
	w.granted[w.minute]++
	w.texts += len(r.Texts)
	return w.tell(embedtest.Answer(r, r.Vectors()), reset)
}

// tell adds the headers. mu is held.
func (w *window) tell(response *embedtest.Response, reset time.Duration) *embedtest.Response {
	return response.With("x-ratelimit-limit-requests", strconv.Itoa(w.grants)).
		With("x-ratelimit-remaining-requests", strconv.Itoa(w.grants-w.used)).
		With("x-ratelimit-reset-requests", reset.Round(time.Millisecond).String())
}

// TestProviderLimit: two instances that know nothing of a provider's limit of 60 requests a minute, and nothing of each other, use nine tenths of it at least
// while there is work, and no record suffers from what the provider refuses.
func TestProviderLimit(t *testing.T) {
	t.Parallel()
	const grants = 60
	f := world.limit
	minutes := int(lengths.limit / time.Minute)
	rows := grants * f.maxTexts * (minutes + 1)
	provider := &window{grants: grants}
	f.endpoint.becomes(200*time.Millisecond, provider.control)
	_, err := world.db.Exec(t.Context(), "INSERT INTO app.limited SELECT i, 'Number ' || i || ' is limited.' FROM generate_series(1, $1) AS i", rows)
	require.NoError(t, err)
	require.NoError(t, await.Until(t.Context(), patience, provider.began))
	require.True(t, await.Rest(t.Context(), time.Until(provider.begun.Add(lengths.limit))))
	provider.mu.Lock()
	granted, refused, texts := provider.granted[:minutes], provider.refused, provider.texts
	provider.mu.Unlock()
	total := 0
	for _, n := range granted {
		total += n
	}
	t.Logf("\nprovider's limit: %d requests a minute, %v, %d instances\n"+
		"  granted      %d of %d (%.1f %%), by minute %v\n  refused      %d (429)\n  texts        %.2f of %d in a request",
		grants, lengths.limit, instances, total, grants*minutes, 100*float64(total)/float64(grants*minutes), granted, refused, float64(texts)/float64(total), f.maxTexts)

	f.endpoint.becomes(0, nil)
	f.drained(t, "limited", rows, patience)
	f.requireNoLetters(t)
	f.requireEqual(t, rows)
	require.GreaterOrEqual(t, total*10, grants*minutes*9, "requests granted")
	require.Less(t, texts, rows, "there must have been work to the end")
	require.GreaterOrEqual(t, texts*4, total*f.maxTexts*3, "requests must be full, but for the first few")
}

// began tells whether there was a request.
func (w *window) began(context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.begun.IsZero() {
		return errors.New("the provider was not asked yet")
	}
	return nil
}
