package embed_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/embed"
)

// want is the expected meaning of every status, written apart from the table in the code.
func want(status int) (class, reason string) {
	is := func(list ...int) bool { return slices.Contains(list, status) }
	switch {
	case is(400, 422):
		return "poison", "bad_request"
	case is(413):
		return "poison", "too_large"
	case is(401, 403, 407):
		return "halt", "auth"
	case is(402):
		return "halt", "billing"
	case is(404, 410):
		return "halt", "not_found"
	case is(408, 504):
		return "retry", "timeout"
	case is(429):
		return "retry", "rate_limited"
	case is(409, 421, 423, 424, 425, 499):
		return "retry", "server_error"
	case is(501, 505, 506, 510):
		return "halt", "unsupported"
	case status < 200, status >= 400 && status < 500:
		return "halt", "unsupported"
	case status < 400:
		return "halt", "redirect"
	case status < 600:
		return "retry", "server_error"
	default:
		return "retry", "malformed_answer"
	}
}

func TestEveryStatus(t *testing.T) {
	t.Parallel()
	for status := 100; status <= 699; status++ {
		if status >= 200 && status < 300 {
			continue
		}
		calls := 0
		client := newClient(t, over(takesProbe(t, func(r *http.Request) (*http.Response, error) {
			calls++
			return reply(r, status, `{"error":{"message":"because"}}`, http.Header{"Retry-After": {"7"}}), nil
		})))
		_, err := client.Embed(t.Context(), []string{"a", "b"})
		e := failure(t, err)
		class, reason := want(status)
		require.Equal(t, class, e.Class(), status)
		require.Equal(t, reason, e.Reason(), status)
		require.Equal(t, status, e.Status())
		require.ErrorContains(t, e, "because")
		require.ErrorContains(t, e, "http://endpoint.test/v1/embeddings")
		if class == "retry" {
			require.Equal(t, 7*time.Second, e.RetryAfter(), status)
			require.Equal(t, 1, calls, "one attempt at status %d", status)
		} else {
			require.Zero(t, e.RetryAfter(), status)
		}
	}
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
