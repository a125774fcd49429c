package admin_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/admin"
)

func TestReadDecodesAnAnswerAndTellsWhatIsNone(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status          int
		body            string
		code            int // of a *StatusError; 0: none
		missing, denied bool
		says            string // empty: no error
	}{
		"an answer":       {status: 200, body: `{"n":7}`},
		"not there":       {status: 404, body: `{"reason":"x"}`, code: 404, missing: true, says: "it answered 404 Not Found"},
		"no token":        {status: 401, code: 401, denied: true, says: "it answered 401 Unauthorized"},
		"no right":        {status: 403, code: 403, denied: true, says: "it answered 403 Forbidden"},
		"a broken broker": {status: 500, code: 500, says: "it answered 500 Internal Server Error"},
		"nothing":         {status: 204, code: 204, says: "it answered 204 No Content"},
		"a page":          {status: 200, body: "<html>", says: "read its answer: invalid character"},
		"another form":    {status: 200, body: `{"n":"seven"}`, says: "read its answer: json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := serve(t, admin.Config{}, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			})
			var into struct {
				N int `json:"n"`
			}
			err := c.Read(t.Context(), &into, "admin", "v2", "x")
			if test.says == "" {
				require.NoError(t, err)
				require.Equal(t, 7, into.N)
				return
			}
			require.ErrorContains(t, err, test.says)
			var status *admin.StatusError
			if test.code == 0 {
				require.NotErrorAs(t, err, &status)
				return
			}
			require.ErrorAs(t, err, &status)
			require.Equal(t, test.code, status.Code)
			require.Equal(t, []bool{test.missing, test.denied}, []bool{status.Missing(), status.Denied()})
		})
	}
}

func TestReadOfHalfAnAnswerFails(t *testing.T) {
	t.Parallel()
	c := serve(t, admin.Config{}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, `{"n":7}`)
	})
	require.ErrorIs(t, c.Read(t.Context(), new(any)), io.ErrUnexpectedEOF)
}
