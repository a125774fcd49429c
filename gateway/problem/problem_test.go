package problem_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/gateway/problem"
)

func TestAProblemIsWrittenWithItsHeaders(t *testing.T) {
	t.Parallel()
	p := problem.New(http.StatusTooManyRequests, "slow down")
	p.RetryAfter = 1100 * time.Millisecond
	p.Errors = []problem.Detail{{Location: "body.topK", Message: "expected 1 to 100"}}
	w := httptest.NewRecorder()
	p.Write(w)
	require.Equal(t, http.StatusTooManyRequests, w.Code)
	require.Equal(t, "2", w.Header().Get("Retry-After"))
	require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	require.JSONEq(t, `{"title":"Too Many Requests","status":429,"detail":"slow down","errors":[{"location":"body.topK","message":"expected 1 to 100"}]}`, w.Body.String())
	require.EqualError(t, p, "429: slow down")
}

func TestNoRetryAfterWithoutAWait(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	problem.New(http.StatusNotFound, "").Write(w)
	require.Empty(t, w.Header().Values("Retry-After"))
	require.JSONEq(t, `{"title":"Not Found","status":404}`, w.Body.String())
}
