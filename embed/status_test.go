package embed_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/embed"
)

// statuses is what every status means, each of them once. 200 to 299 are answers.
var statuses = []struct{ class, reason, list string }{
	{"poison", "bad_request", "400 422"},
	{"poison", "too_large", "413"},
	{"halt", "auth", "401 403 407"},
	{"halt", "billing", "402"},
	{"halt", "not_found", "404 410"},
	{"halt", "redirect", "300 301 302 303 304 305 306 307 308 309-399"},
	{"halt", "unsupported", "501 505 506 510"},
	{"halt", "unsupported", "405 406 411 412 414 415 416 417 418 426 428 431 451"},
	{"halt", "unsupported", "100-199 419 420 427 430 432-450 452-498"}, // nobody's, and those of some vendors
	{"retry", "timeout", "408 504"},
	{"retry", "rate_limited", "429"},
	{"retry", "server_error", "409 421 423 424 425 499"},
	{"retry", "server_error", "500 502 503 507 508 511"},
	{"retry", "server_error", "520-530 598 599"}, // of proxies on the way; 529 means overloaded
	{"retry", "server_error", "509 512-519 531-597"},
	{"retry", "malformed_answer", "600-699"},
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

func TestEveryStatus(t *testing.T) {
	t.Parallel()
	seen := map[int]bool{}
	for _, row := range statuses {
		each(t, row.list, func(status int) {
			require.False(t, seen[status], "%d twice", status)
			seen[status] = true
			calls := 0
			client := newClient(t, over(takesProbe(t, func(r *http.Request) (*http.Response, error) {
				calls++
				return reply(r, status, `{"error":{"message":"because"}}`, http.Header{"Retry-After": {"7"}}), nil
			})))
			_, err := client.Embed(t.Context(), []string{"a", "b"})
			require.Equal(t, []string{row.class, row.reason}, classAndReason(t, err), status)
			e := failure(t, err)
			require.Equal(t, status, e.Status())
			require.ErrorContains(t, e, "because")
			require.ErrorContains(t, e, "http://endpoint.test/v1/embeddings")
			if row.class == "retry" {
				require.Equal(t, 7*time.Second, e.RetryAfter(), status)
				require.Equal(t, 1, calls, "one attempt at status %d", status)
			} else {
				require.Zero(t, e.RetryAfter(), status)
			}
		})
	}
	require.Len(t, seen, 500, "of 100 to 699, without 200 to 299")
}

// A 2xx is a success whatever its number, if it holds vectors.
func TestEverySuccess(t *testing.T) {
	t.Parallel()
	for status := 200; status < 300; status++ {
		client := newClient(t, over(func(r *http.Request) (*http.Response, error) {
			return reply(r, status, answer(1), nil), nil
		}))
		vectors, err := client.Embed(t.Context(), []string{"a"})
		require.NoError(t, err)
		require.Equal(t, [][]float32{{1}}, vectors)
	}
}

// Endpoints report a wrong model or key as 400 too; no record may be dead-lettered for it.
func TestErrorCodes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status        int
		body          string
		class, reason string
	}{
		"openai model":      {400, `{"error":{"message":"no","code":"model_not_found"}}`, "halt", "not_found"},
		"openai key":        {400, `{"error":{"message":"no","code":"invalid_api_key"}}`, "halt", "auth"},
		"vllm model":        {400, `{"object":"error","message":"no","type":"NotFoundError","code":404}`, "halt", "not_found"},
		"google key":        {400, `[{"error":{"code":400,"message":"no","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}]`, "halt", "auth"},
		"type":              {422, `{"error":{"message":"no","type":"permission_error"}}`, "halt", "auth"},
		"billing":           {400, `{"error":{"message":"no","code":"billing_hard_limit_reached"}}`, "halt", "billing"},
		"too long":          {400, `{"error":{"message":"no","code":"context_length_exceeded"}}`, "poison", "bad_request"},
		"number":            {400, `{"error":{"message":"no","code":400}}`, "poison", "bad_request"},
		"quota":             {429, `{"error":{"message":"no","code":"insufficient_quota"}}`, "retry", "rate_limited"},
		"model while down":  {503, `{"error":{"message":"no","code":"model_not_found"}}`, "retry", "server_error"},
		"tei":               {413, `{"error":"no","error_type":"Validation"}`, "poison", "too_large"},
		"fastapi":           {422, `{"detail":[{"loc":["body"],"msg":"no","type":"value_error"}]}`, "poison", "bad_request"},
		"a proxy's page":    {502, `<html><body>no</body></html>`, "retry", "server_error"},
		"an empty body":     {403, ``, "halt", "auth"},
		"a body of another": {401, `{"error":[[[[[[[[]]]]]]]],"message":7}`, "halt", "auth"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, over(takesProbe(t, func(r *http.Request) (*http.Response, error) {
				return reply(r, test.status, test.body, nil), nil
			})))
			_, err := client.Embed(t.Context(), []string{"a", "b"})
			require.Equal(t, test.class, failure(t, err).Class())
			require.Equal(t, test.reason, failure(t, err).Reason())
		})
	}
}

func TestHaltNamesTheSetting(t *testing.T) {
	t.Parallel()
	for status, setting := range map[int]string{
		401: "embedding.apiKey", 402: "embedding.apiKey", 404: "embedding.model", 308: "embedding.baseURL", 501: "embedding.baseURL",
	} {
		client := newClient(t, over(func(r *http.Request) (*http.Response, error) { return reply(r, status, "", nil), nil }))
		_, err := client.Embed(t.Context(), []string{"a"})
		require.ErrorContains(t, err, setting)
		require.ErrorContains(t, err, http.StatusText(status))
		require.ErrorContains(t, err, `model "m"`)
		require.Equal(t, embed.ClassHalt, failure(t, err).Class())
	}
}
