package chroma_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/chroma/chromatest"
)

// wantOf is the table of the package's documentation, written down a second time.
func wantOf(op string, status int) (class, reason string) {
	in := func(codes ...int) bool { return slices.Contains(codes, status) }
	carriesRecord := op == "upsert" || op == "update" || op == "query"
	switch {
	case status == 404:
		return "retry", "collection_missing"
	case in(400, 422) && carriesRecord:
		return "poison", "invalid_request"
	case in(413) && carriesRecord:
		return "poison", "record_too_large"
	case in(413):
		return "halt", "record_too_large"
	case in(401, 407):
		return "halt", "unauthorized"
	case in(402, 403):
		return "halt", "forbidden"
	case in(408):
		return "retry", "timeout"
	case in(409):
		return "retry", "conflict"
	case in(421, 423, 424, 425):
		return "retry", "unavailable"
	case in(429):
		return "retry", "rate_limited"
	case status >= 500:
		return "retry", "unavailable"
	case status >= 400:
		return "halt", "refused"
	case status >= 300:
		return "halt", "redirect"
	}
	return "retry", "bad_response"
}

func TestEveryStatusOfEveryOperation(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	col := newCollection(t, server, nil)
	for op, call := range operations(t, col) {
		for status := 201; status < 600; status++ {
			server.Control(only(op, &chromatest.Response{Status: status, Body: `{"error":"Kind","message":"what happened"}`}))
			err := call()
			class, reason := wantOf(op, status)
			failed := failureOf(t, err, class, reason)
			require.Equal(t, status, failed.Status())
			require.Equal(t, op, failed.Op)
			require.Contains(t, failed.Error(), fmt.Sprintf(`chroma %s "articles": HTTP %d %s`, op, status, reason))
			if reason == "invalid_request" || reason == "unavailable" {
				require.Contains(t, failed.Error(), "what happened")
			}
		}
	}
	for _, call := range operations(t, col) {
		server.Control(nil)
		require.NoError(t, call(), "nothing of it sticks")
	}
}

func TestEveryStatusOfEnsureAndPing(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	client := newClient(t, server, nil)
	for status := 201; status < 600; status++ {
		class, reason := wantOf("collection", status)
		switch status {
		case 400, 422, 404: // tenant and database exist, so it is the collection that the server does not take or have
			class, reason = "halt", chroma.ReasonInvalidSetting
			if status == 404 {
				class, reason = "retry", chroma.ReasonCollectionMissing
			}
		}
		server.Control(only("create", &chromatest.Response{Status: status}))
		_, err := client.Ensure(t.Context(), chroma.CollectionSpec{Name: "articles"})
		require.Equal(t, status, failureOf(t, err, class, reason).Status())

		class, reason = wantOf("preflight", status)
		if status == 404 {
			class, reason = "halt", chroma.ReasonNotFound
		}
		server.Control(only("preflight", &chromatest.Response{Status: status}))
		requireError(t, client.Ping(t.Context()), class, reason)
	}
	server.Control(nil)
	require.NoError(t, client.Ping(t.Context()))
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	col := newCollection(t, server, nil)
	for _, c := range []struct {
		status    int
		header    string
		from, end time.Duration
	}{
		{429, "7", 7 * time.Second, 7 * time.Second},
		{503, " 120 ", 2 * time.Minute, 2 * time.Minute},
		{503, time.Now().Add(time.Hour).UTC().Format(http.TimeFormat), 59 * time.Minute, time.Hour},
		{503, time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat), 0, 0},
		{503, "-3", 0, 0},
		{503, "86400", time.Hour, time.Hour},
		{503, "soon", 0, 0},
		{503, "1.5", 0, 0},
		{503, "99999999999999999999", 0, 0},
		{503, "", 0, 0},
		{400, "7", 0, 0},
		{403, "7", 0, 0},
	} {
		server.Control(only("count", &chromatest.Response{Status: c.status, Header: http.Header{"Retry-After": {c.header}}}))
		_, err := col.Count(t.Context())
		var failed *chroma.Error
		require.ErrorAs(t, err, &failed)
		require.GreaterOrEqual(t, failed.RetryAfter(), c.from, c.header)
		require.LessOrEqual(t, failed.RetryAfter(), c.end, c.header)
	}
}

func TestAnAnswerThatIsNotChromas(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	col := newCollection(t, server, nil)
	for op, call := range operations(t, col) {
		for _, body := range []string{"", "<html>hello</html>", "null and void", `"text"`, "[1]", `{"ids":[["a"]],"distances":[[]]}`, "{"} {
			if op == "upsert" || op == "update" || op == "delete" || op == "annotate" {
				if body[:min(1, len(body))] == "{" && body != "{" {
					continue // any object confirms a write
				}
			}
			server.Control(only(op, &chromatest.Response{Status: 200, Body: body}))
			failed := failureOf(t, call(), "retry", chroma.ReasonBadResponse)
			require.NotContains(t, failed.Error(), "hello")
		}
	}
	for _, body := range []string{"", "<html>", "{}", `{"name":"articles"}`} {
		server.Control(only("create", &chromatest.Response{Status: 200, Body: body}))
		_, err := newClient(t, server, nil).Ensure(t.Context(), chroma.CollectionSpec{Name: "articles"})
		requireError(t, err, "retry", chroma.ReasonBadResponse)
	}
	server.Control(only("preflight", &chromatest.Response{Status: 200, Body: "<html>"}))
	requireError(t, newClient(t, server, nil).Ping(t.Context()), "retry", chroma.ReasonBadResponse)
}

func TestErrorsUnwrapToTheNetwork(t *testing.T) {
	t.Parallel()
	broken := errors.New("the wire is cut")
	server := chromatest.New(t)
	client := newClient(t, server, func(cfg *chroma.Config) {
		cfg.Transport = roundTripper(func(*http.Request) (*http.Response, error) { return nil, broken })
	})
	err := client.Ping(t.Context())
	requireError(t, err, "retry", chroma.ReasonNetwork)
	require.ErrorIs(t, err, broken)
	require.ErrorContains(t, err, "chroma preflight: network: the wire is cut")
}
