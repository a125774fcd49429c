package gateway_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryRowHasAPath: what a search gives as id finds the row again, put into a path as any client does.
func TestEveryRowHasAPath(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("%D0%BA", 1300) // of 2,600 bytes, about the most that a primary key of Postgres holds
	for name, id := range map[string]string{
		"42": "42", "a/b é": "a/b é", "de/K%C3%B6ln": "de/K%C3%B6ln", long: long, "h:ABC234": "h:ABC234", ".": "%2E", "..": "%2E%2E", "...": "...", "../a": "../a",
	} {
		x := filled()
		x.row.ID, x.result.Hits[0].Row = name, name
		address, _, _ := serve(t, newGateway(t, x, open))
		for _, path := range []string{"/v1/tables/app.articles/rows/", "/v1/features/article/"} {
			for _, more := range []string{"", "/similar"} {
				answer := dialGet(t, address, path+url.PathEscape(id)+more)
				require.Equal(t, http.StatusOK, answer, "%s %.40s", path, id)
				require.Equal(t, name, x.asked[len(x.asked)-1].Text)
			}
		}
		_, found := do(t, newGateway(t, x, open), get("/v1/search?table=app.articles&q=x"))
		require.Equal(t, id, found["rows"].([]any)[0].(map[string]any)["id"])
		_, row := do(t, newGateway(t, x, open), get("/v1/tables/app.articles/rows/"+url.PathEscape(id)))
		require.Equal(t, id, row["id"])
	}
	w, _ := do(t, newGateway(t, filled(), open), get("/v1/tables/app.articles/rows/"+strings.Repeat("x", 8193)))
	require.Equal(t, http.StatusUnprocessableEntity, w.Code)
}

// dialGet asks a server, whose own limits of headers count, and returns the status.
func dialGet(t *testing.T, address, path string) int {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Get("http://" + address + path)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return answer.StatusCode
}
