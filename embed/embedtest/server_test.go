package embedtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/embed/embedtest"
)

// post sends a body as it is; the connection is not kept.
func post(ctx context.Context, server *embedtest.Server, body string) (*http.Response, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL()+"/embeddings", bytes.NewBufferString(body))
	if err != nil {
		return nil, nil, err
	}
	request.Close = true
	request.Header.Set("Authorization", "Bearer key-1")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	return response, answer, err
}

func start(t *testing.T, options embedtest.Options) *embedtest.Server {
	t.Helper()
	server := embedtest.New(options)
	t.Cleanup(server.Close)
	return server
}

func TestServerAnswers(t *testing.T) {
	t.Parallel()
	server := start(t, embedtest.Options{APIKey: "key-1", Model: "m", MaxTexts: 2, Dimensions: 3})
	for body, want := range map[string]int{
		`{"model":"m","input":["a","b"]}`:     200,
		`{"model":"m","input":"a"}`:           200,
		`{"model":"m","input":["a","b","c"]}`: 413,
		`{"model":"other","input":["a"]}`:     404,
		`{"model":"m","input":[]}`:            400,
		`{"model":"m","input":[1]}`:           400,
		`{"model":"m"}`:                       400,
		`[`:                                   400,
	} {
		response, _, err := post(t.Context(), server, body)
		require.NoError(t, err)
		require.Equal(t, want, response.StatusCode, body)
	}
	locked := start(t, embedtest.Options{APIKey: "key-2"})
	response, _, err := post(t.Context(), locked, `{"input":"a"}`)
	require.NoError(t, err)
	require.Equal(t, http.StatusUnauthorized, response.StatusCode)
}

func TestServerEncodings(t *testing.T) {
	t.Parallel()
	server := start(t, embedtest.Options{Dimensions: 3})
	_, body, err := post(t.Context(), server, `{"input":["a"],"dimensions":5}`)
	require.NoError(t, err)
	var numbers struct {
		Data []struct {
			Index     int
			Embedding []float32
		}
		Usage map[string]int
	}
	require.NoError(t, json.Unmarshal(body, &numbers))
	require.Equal(t, embedtest.Vector("a", 5), numbers.Data[0].Embedding)
	require.Equal(t, 1, numbers.Usage["total_tokens"])
	_, body, err = post(t.Context(), server, `{"input":["a"],"encoding_format":"base64"}`)
	require.NoError(t, err)
	require.Regexp(t, `"embedding":"[A-Za-z0-9+/]{16}"`, string(body), "three float32 are 12 bytes")
}

func TestVector(t *testing.T) {
	t.Parallel()
	a, b := embedtest.Vector("a", 384), embedtest.Vector("b", 384)
	require.Equal(t, a, embedtest.Vector("a", 384))
	require.InDelta(t, 1, embedtest.Cosine(a, a), 1e-6)
	require.Less(t, embedtest.Cosine(a, b), 0.5)
	var length float64
	for _, x := range a {
		length += float64(x) * float64(x)
	}
	require.InDelta(t, 1, length, 1e-5)
}

func TestStats(t *testing.T) {
	t.Parallel()
	server := start(t, embedtest.Options{})
	both := make(chan struct{})
	var arrived sync.WaitGroup
	arrived.Add(2)
	server.Control(func(*embedtest.Request) *embedtest.Response {
		arrived.Done()
		return embedtest.Hold(both)
	})
	var calls sync.WaitGroup
	for range 2 {
		calls.Go(func() {
			if _, _, err := post(t.Context(), server, `{"input":["a","b","a"]}`); err != nil {
				t.Error(err)
			}
		})
	}
	arrived.Wait()
	close(both)
	calls.Wait()
	require.Equal(t, embedtest.Stats{Requests: 2, Texts: 6, Distinct: 2, MaxConcurrent: 2}, server.Stats())
	require.Equal(t, 4, server.Seen("a"))
}

func TestControls(t *testing.T) {
	t.Parallel()
	server := start(t, embedtest.Options{})
	server.Control(embedtest.First(
		embedtest.Poison("bad"),
		embedtest.Times(1, embedtest.Always(embedtest.Fail(429, "insufficient_quota", "slow down").RetryAfter(2*time.Second))),
		embedtest.Times(1, embedtest.Always(embedtest.Page(502, "<html>"))),
		embedtest.Times(1, func(r *embedtest.Request) *embedtest.Response { return embedtest.Fewer(r) }),
	))
	var statuses []int
	for _, text := range []string{"bad", "a", "b", "c", "d"} {
		response, body, err := post(t.Context(), server, `{"input":["`+text+`","x"]}`)
		require.NoError(t, err)
		statuses = append(statuses, response.StatusCode)
		switch text {
		case "a":
			require.Equal(t, "2", response.Header.Get("Retry-After"))
			require.Contains(t, string(body), `"code":"insufficient_quota"`)
		case "c":
			require.NotContains(t, string(body), `"index":1`)
		case "d":
			require.Contains(t, string(body), `"index":1`)
		}
	}
	require.Equal(t, []int{400, 429, 502, 200, 200}, statuses)
}

func TestBadVector(t *testing.T) {
	t.Parallel()
	server := start(t, embedtest.Options{Dimensions: 2})
	server.Control(embedtest.BadVector("bad"))
	_, good, err := post(t.Context(), server, `{"input":["a","b"]}`)
	require.NoError(t, err)
	require.NotContains(t, string(good), "null")
	_, mixed, err := post(t.Context(), server, `{"input":["a","a bad one","b"]}`)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(mixed), `"embedding":[null,null],"index":1`), string(mixed))
	require.Equal(t, 2, strings.Count(string(mixed), "null"))
}

func TestBrokenConnections(t *testing.T) {
	t.Parallel()
	server := start(t, embedtest.Options{})
	server.Control(embedtest.Always(embedtest.Drop()))
	_, _, err := post(t.Context(), server, `{"input":"a"}`)
	require.ErrorIs(t, err, io.EOF)
	server.Control(embedtest.Cut)
	_, half, err := post(t.Context(), server, `{"input":"a"}`)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.NotEmpty(t, half)
}

// Close does not wait for requests that a test holds for ever.
func TestCloseReleasesHeldRequests(t *testing.T) {
	t.Parallel()
	server := embedtest.New(embedtest.Options{})
	held := make(chan struct{})
	server.Control(func(*embedtest.Request) *embedtest.Response {
		close(held)
		return embedtest.Hold(make(chan struct{}))
	})
	done := make(chan error, 1)
	go func() {
		_, _, err := post(context.WithoutCancel(t.Context()), server, `{"input":"a"}`)
		done <- err
	}()
	<-held
	server.Close()
	require.Error(t, <-done)
}
