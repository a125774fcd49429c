package chroma_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/chroma/chromatest"
)

// statuses is what every status means, each of them once, beside 200. A refusal of what carries no record of anybody's (carries) is
// nobody's fault, and 404 to a call on a collection says that it is gone.
var statuses = []struct{ class, reason, list string }{
	{"poison", "invalid_request", "400 422"},
	{"poison", "record_too_large", "413"},
	{"halt", "unauthorized", "401 407"},
	{"halt", "forbidden", "402 403"},
	{"halt", "not_found", "404"},
	{"halt", "redirect", "300 301 302 303 304 305 306 307 308 309-399"},
	{"halt", "refused", "501 505 506 510"},
	{"halt", "refused", "405 406 410 411 412 414 415 416 417 418 426 428 431 451"},
	{"halt", "refused", "419 420 427 430 432-450 452-498"}, // nobody's, and those of some vendors
	{"retry", "timeout", "408"},
	{"retry", "conflict", "409"},
	{"retry", "rate_limited", "429"},
	{"retry", "unavailable", "421 423 424 425 499"},
	{"retry", "unavailable", "500 502 503 504 507 508 511"},
	{"retry", "unavailable", "520-530 598 599"}, // of proxies on the way
	{"retry", "unavailable", "509 512-519 531-597 600-699"},
	{"retry", "bad_response", "100-199 201-299"}, // Chroma answers 200 to all that succeeded, but 201 to an add
}

// each calls f with every number of a list such as "1 3-5".
func each(t *testing.T, list string, f func(int)) {
	t.Helper()
	for part := range strings.FieldsSeq(list) {
		first, last, isRange := strings.Cut(part, "-")
		from, err := strconv.Atoi(first)
		require.NoError(t, err)
		to := from
		if isRange {
			to, err = strconv.Atoi(last)
			require.NoError(t, err)
		}
		for n := from; n <= to; n++ {
			f(n)
		}
	}
}

// eachStatus goes through the table as it is for an operation: on a known collection, or before there is one.
func eachStatus(t *testing.T, op string, f func(status int, class, reason string)) {
	t.Helper()
	seen := map[int]bool{}
	for _, row := range statuses {
		each(t, row.list, func(status int) {
			require.False(t, seen[status], "%d twice", status)
			seen[status] = true
			class, reason := row.class, row.reason
			carries, opens := op == "add" || op == "upsert" || op == "update" || op == "query", op == "create" || op == "preflight"
			switch {
			case status == 404 && !opens:
				class, reason = "retry", "collection_missing"
			case class == "poison" && !carries && status == 413:
				class = "halt"
			case class == "poison" && !carries:
				class, reason = "halt", "refused"
			}
			f(status, class, reason)
		})
	}
	require.Len(t, seen, 599, "of 100 to 699, without 200")
}

// answering is a client of a server that answers everything with a status, without a network, which would not carry some of them.
func answering(t *testing.T, server *chromatest.Server, status *atomic.Int64) *chroma.Client {
	t.Helper()
	return newClient(t, server, func(cfg *chroma.Config) {
		next := http.DefaultTransport.(*http.Transport).Clone()
		t.Cleanup(next.CloseIdleConnections)
		cfg.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			now := int(status.Load())
			if now == 0 || r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/collections/articles") {
				return next.RoundTrip(r)
			}
			body := io.NopCloser(strings.NewReader(`{"error":"Kind","message":"what happened"}`))
			return &http.Response{StatusCode: now, Header: http.Header{}, Body: body, Request: r}, nil
		})
	})
}

func TestEveryStatusOfEveryOperation(t *testing.T) {
	t.Parallel()
	var answered atomic.Int64
	server := chromatest.New(t)
	col, err := answering(t, server, &answered).Ensure(t.Context(), chroma.CollectionSpec{Name: "articles"})
	require.NoError(t, err)
	for _, call := range operations(t, col) {
		require.NoError(t, call())
	}
	for op, call := range operations(t, col) {
		eachStatus(t, op, func(status int, class, reason string) {
			if op == "add" && status == http.StatusCreated {
				return // it succeeded
			}
			answered.Store(int64(status))
			failed := failureOf(t, call(), class, reason)
			require.Equal(t, status, failed.Status())
			require.Equal(t, op, failed.Op)
			require.Contains(t, failed.Error(), fmt.Sprintf(`chroma %s "articles": HTTP %d %s`, op, status, reason))
			if reason == "invalid_request" || reason == "unavailable" {
				require.Contains(t, failed.Error(), "what happened")
			}
		})
	}
	answered.Store(0)
	for _, call := range operations(t, col) {
		require.NoError(t, call(), "nothing of it sticks")
	}
}

func TestEveryStatusOfEnsureAndPing(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	client := newClient(t, server, nil)
	from201 := func(op string, check func(status int, class, reason string)) {
		eachStatus(t, op, func(status int, class, reason string) {
			if status > 200 && status < 600 { // the others the network does not carry
				server.Control(only(op, &chromatest.Response{Status: status}))
				check(status, class, reason)
			}
		})
	}
	from201("create", func(status int, class, reason string) {
		switch status { // tenant and database exist, so it is the collection that the server does not take or have
		case 400, 422:
			reason = chroma.ReasonInvalidSetting
		case 404:
			class, reason = "retry", chroma.ReasonCollectionMissing
		}
		_, err := client.Ensure(t.Context(), chroma.CollectionSpec{Name: "articles"})
		require.Equal(t, status, failureOf(t, err, class, reason).Status())
	})
	from201("preflight", func(_ int, class, reason string) { requireError(t, client.Ping(t.Context()), class, reason) })
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
			if op == "annotate" && strings.HasPrefix(body, "{") && body != "{" {
				continue // any object confirms it
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
