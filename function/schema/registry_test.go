package schema

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/admin"
)

const topic = "persistent://public/default/store.app.types"

func version(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// answers serves what Pulsar 4.0.8's admin interface was seen to answer.
func answers(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/types.json")
	require.NoError(t, err)
	return text
}

func newRegistry(t *testing.T, c admin.Config, handler http.HandlerFunc) *Registry {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	if c.URL == "" {
		c.URL = server.URL
	}
	r, err := New(c)
	require.NoError(t, err)
	t.Cleanup(r.Close)
	return r
}

func TestSchemaIsAskedForOnceAndUnderstood(t *testing.T) {
	t.Parallel()
	asked := atomic.Int32{}
	r := newRegistry(t, admin.Config{Token: "planted-token"}, func(w http.ResponseWriter, q *http.Request) {
		asked.Add(1)
		if q.URL.Path != "/admin/v2/schemas/public/default/store.app.types/schema/3" || q.Header.Get("Authorization") != "Bearer planted-token" {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		_, _ = w.Write(answers(t))
	})
	for range 3 {
		s, err := r.Schema(t.Context(), topic, version(3))
		require.NoError(t, err)
		c, err := connector.Decode(connector.Record{
			Key:     `{"id":1}`,
			Payload: []byte(`{"op":"c","after":{"id":1,"price":"Ix4=","d":20455},"source":{"schema":"app","table":"types","lsn":1,"ts_ms":1}}`),
			Schema:  func() (*connector.Schema, error) { return s, nil },
		})
		require.NoError(t, err)
		require.Equal(t, connector.Row{"id": int64(1), "price": "89.90", "d": "2026-01-02"}, c.After)
	}
	require.Equal(t, int32(1), asked.Load())
}

func TestSchemaOfNoRowIsKeptToo(t *testing.T) {
	t.Parallel()
	asked := atomic.Int32{}
	r := newRegistry(t, admin.Config{}, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = w.Write([]byte(`{"version":0,"type":"STRING","timestamp":1,"data":"","properties":{}}`))
	})
	for range 2 {
		s, err := r.Schema(t.Context(), topic, version(0))
		require.NoError(t, err)
		require.Nil(t, s)
	}
	require.Equal(t, int32(1), asked.Load())
}

func TestAnswersAreClassified(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status        int
		body          string
		class, reason string
		says          string
	}{
		"unauthorized": {401, "", "halt", ReasonUnauthorized, "userConfig.pulsar.token"},
		"forbidden":    {403, "", "halt", ReasonUnauthorized, "userConfig.pulsar.token"},
		"missing":      {404, `{"reason":"Schema not found"}`, "halt", ReasonMissing, "decimal.handling.mode: string"},
		"teapot":       {418, "", "halt", ReasonRefused, "userConfig.pulsar.adminURL"},
		"too many":     {429, "", "retry", ReasonUnavailable, "429"},
		"broken":       {500, "planted-token", "retry", ReasonUnavailable, "500"},
		"starting":     {503, "", "retry", ReasonUnavailable, "503"},
		"a web page":   {200, "<html>", "halt", ReasonBadAnswer, "not that of a Pulsar broker"},
		"no type":      {200, "{}", "halt", ReasonBadAnswer, "not that of a Pulsar broker"},
		"odd schema":   {200, `{"type":"KEY_VALUE","data":"{}"}`, "halt", ReasonBadAnswer, "decimal.handling.mode: string"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := atomic.Int32{}
			r := newRegistry(t, admin.Config{Token: "planted-token"}, func(w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			})
			for n := range 2 {
				_, err := r.Schema(t.Context(), topic, version(0))
				e := asError(t, err)
				require.Equal(t, c.class, e.Class())
				require.Equal(t, c.reason, e.Reason())
				require.ErrorContains(t, err, c.says)
				require.ErrorContains(t, err, "schema version 0 of topic public/default/store.app.types")
				require.NotContains(t, err.Error(), "planted-token")
				require.Equal(t, int32(n+1), asked.Load(), "one attempt for each call, and no failure is kept")
				if c.class == classRetry {
					require.Equal(t, 7*time.Second, e.RetryAfter())
				}
			}
		})
	}
}

func asError(t *testing.T, err error) *Error {
	t.Helper()
	var e *Error
	require.ErrorAs(t, err, &e)
	return e
}

func TestNoAnswer(t *testing.T) {
	t.Parallel()
	held := make(chan struct{})
	slow := newRegistry(t, admin.Config{Timeout: 20 * time.Millisecond}, func(http.ResponseWriter, *http.Request) { <-held })
	t.Cleanup(func() { close(held) })
	_, err := slow.Schema(t.Context(), topic, version(0))
	require.Equal(t, ReasonTimeout, asError(t, err).Reason())

	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	r := newRegistry(t, admin.Config{URL: closed.URL}, nil)
	_, err = r.Schema(t.Context(), topic, version(0))
	require.Equal(t, ReasonNetwork, asError(t, err).Reason())
	require.Equal(t, classRetry, asError(t, err).Class())

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = r.Schema(ctx, topic, version(0))
	require.ErrorIs(t, err, context.Canceled)
	require.False(t, errors.As(err, new(*Error)), "a context's error is not classified")
}

func TestOddTopicsAndVersions(t *testing.T) {
	t.Parallel()
	r := newRegistry(t, admin.Config{}, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	for _, odd := range []struct {
		topic   string
		version []byte
	}{{topic, nil}, {topic, []byte{1}}, {topic, make([]byte, 9)}, {"store", version(0)}} {
		_, err := r.Schema(t.Context(), odd.topic, odd.version)
		require.Equal(t, classPoison, asError(t, err).Class())
		require.Equal(t, ReasonBadVersion, asError(t, err).Reason())
	}
	require.Equal(t, []string{"admin", "v2", "schemas", "public", "default", "a b/c", "schema", "18446744073709551615"}, key{"public/default/a b/c", 1<<64 - 1}.path())
}

// Many at once are one question; when it fails, the next of them asks.
func TestSingleFlight(t *testing.T) {
	t.Parallel()
	asked, answer := make(chan struct{}, 100), make(chan int)
	r := newRegistry(t, admin.Config{}, func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		if status := <-answer; status != http.StatusOK {
			w.WriteHeader(status)
			return
		}
		_, _ = w.Write(answers(t))
	})
	results := make(chan error, 8)
	var all sync.WaitGroup
	for range cap(results) {
		all.Go(func() {
			_, err := r.Schema(t.Context(), topic, version(0))
			results <- err
		})
	}
	<-asked
	answer <- http.StatusServiceUnavailable
	<-asked
	require.Empty(t, asked, "one at a time")
	answer <- http.StatusOK
	all.Wait()
	close(results)
	failed := 0
	for err := range results {
		if err != nil {
			failed++
		}
	}
	require.Equal(t, 1, failed)
	require.Empty(t, asked)
}

// One who waits for another's question gives up with its own context.
func TestWaitingEndsWithTheContext(t *testing.T) {
	t.Parallel()
	asked, answer := make(chan struct{}, 1), make(chan struct{})
	r := newRegistry(t, admin.Config{}, func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		<-answer
		_, _ = w.Write(answers(t))
	})
	first := make(chan error, 1)
	go func() { _, err := r.Schema(t.Context(), topic, version(0)); first <- err }()
	<-asked
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := r.Schema(ctx, topic, version(0))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	close(answer)
	require.NoError(t, <-first)
}

func TestTheCacheIsBounded(t *testing.T) {
	t.Parallel()
	asked := map[string]int{}
	r := newRegistry(t, admin.Config{}, func(w http.ResponseWriter, q *http.Request) {
		asked[q.URL.Path]++
		_, _ = w.Write([]byte(`{"type":"STRING"}`))
	})
	get := func(n uint64) {
		_, err := r.Schema(t.Context(), topic, version(n))
		require.NoError(t, err)
	}
	for n := range uint64(maxKnown + 1) {
		get(n)
	}
	require.Len(t, r.known, maxKnown)
	get(maxKnown)
	get(1)
	get(0) // the oldest has gone
	path := func(n uint64) string {
		return fmt.Sprintf("/admin/v2/schemas/public/default/store.app.types/schema/%d", n)
	}
	require.Equal(t, 1, asked[path(maxKnown)])
	require.Equal(t, 1, asked[path(1)])
	require.Equal(t, 2, asked[path(0)])
	require.Len(t, r.known, maxKnown)
}
