//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deadletter"
)

// refusal is which writes a proxy before Chroma refuses.
type refusal struct {
	status   int
	carrying string // in the request; empty: all of them
}

// refusingChroma is the real Chroma behind a proxy that refuses writes as told; nil: none.
func refusingChroma(t *testing.T) (address string, refuse *atomic.Pointer[refusal]) {
	t.Helper()
	target, err := url.Parse(world.env.ChromaURL)
	require.NoError(t, err)
	refuse = new(atomic.Pointer[refusal])
	pass := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		writes := strings.HasSuffix(r.URL.Path, "/add") || strings.HasSuffix(r.URL.Path, "/upsert") || strings.HasSuffix(r.URL.Path, "/update")
		if now := refuse.Load(); now != nil && writes && bytes.Contains(body, []byte(now.carrying)) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(now.status)
			_, _ = io.WriteString(w, `{"error":"ChromaError","message":"Quota exceeded: the tenant has its 50 records"}`)
			return
		}
		pass.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, refuse
}

// TestAChromaThatRefusesEveryWrite is taken for what it is: the function halts, says why, dead-letters nothing, and goes on by itself. A
// row that is refused while others are taken is a dead letter, and so is one that Chroma takes and does not survive.
func TestAChromaThatRefusesEveryWrite(t *testing.T) {
	address, refuse := refusingChroma(t)
	d := deploy(t, "quota", map[string]any{"userConfig/chroma/url": address})
	startSource(t)
	d.subscribed(t, 1)
	require.NoError(t, insertMany(t.Context(), "quota", 1, 50))
	requireEqual(t, "quota", d.collection, time.Minute)

	for i, status := range []int{http.StatusUnprocessableEntity, http.StatusBadRequest} {
		refuse.Store(&refusal{status: status})
		at := time.Now()
		require.NoError(t, insertMany(t.Context(), "quota", int64(100+10*i), int64(104+10*i)))
		execute(t, "UPDATE app.quota SET title = title || '!' WHERE id < 20")
		execute(t, "UPDATE app.quota SET price = price + 1 WHERE id BETWEEN 20 AND 30")
		execute(t, "DELETE FROM app.quota WHERE id = $1", 40+i)
		d.says(t, 10*time.Second, "halted", "the index refuses every write", fmt.Sprint("HTTP ", status), "Quota exceeded")
		t.Logf("HTTP %d: said after %.1f s", status, time.Since(at).Seconds())
		d.requireNoDeadLetters(t)
		refuse.Store(nil)
		at = time.Now()
		requireEqual(t, "quota", d.collection, time.Minute)
		t.Logf("equal %.1f s after writes were taken again", time.Since(at).Seconds())
		d.isWell(t, 10*time.Second, 1)
	}
	d.requireNoDeadLetters(t)

	refuse.Store(&refusal{status: http.StatusUnprocessableEntity, carrying: "cannot-be-stored"})
	refused, listed := makeRow(201), makeRow(202)
	refused.Title, listed.Tags = "cannot-be-stored", make([]string, 6000)
	insert(t, "quota", makeRow(200), refused, listed, makeRow(203))
	client := newClient(t)
	reasons := make(map[string]string)
	for _, m := range d.letters(t, client, 2) {
		require.Equal(t, "write", m.Properties()[deadletter.PropStage])
		reasons[m.Properties()[deadletter.PropRow]] = m.Properties()[deadletter.PropReason] + " " + m.Properties()[deadletter.PropMessage]
	}
	require.Contains(t, reasons["201"], "invalid_request")
	require.Contains(t, reasons["201"], "Quota exceeded")
	require.Contains(t, reasons["202"], "invalid_metadata")
	require.Contains(t, reasons["202"], "more than 5461 elements")
	execute(t, "DELETE FROM app.quota WHERE id IN (201, 202)")
	requireEqual(t, "quota", d.collection, time.Minute)
	d.isWell(t, 10*time.Second, 1)
	n, err := d.deadLetters(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 2, n)
}
