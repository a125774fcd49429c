package chromatest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma/chromatest"
)

// TestAnswersAsChroma compares raw answers with those that Chroma 1.5.9 gave.
func TestAnswersAsChroma(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	col := open(t, server)
	require.NoError(t, col.Upsert(t.Context(), []string{"a"}, [][]float32{{1, 2, 3}}, nil, nil))
	const base = "/api/v2/tenants/default_tenant/databases/default_database/collections"
	require.NoError(t, col.Delete(t.Context(), []string{"unknown"}))
	id := collectionID(t, server, base+"/articles")
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", base, `{"name":"articles"}`, 409},
		{"POST", base, `{"name":"x"}`, 400},
		{"POST", base, `{"name":"dist","configuration":{"hnsw":{"space":"euclid"}}}`, 422},
		{"POST", "/api/v2/tenants/nope/databases/default_database/collections", `{"name":"yyy"}`, 400},
		{"GET", base + "/nosuch", "", 404},
		{"GET", "/api/v2/tenants/nope", "", 404},
		{"GET", "/api/v2/tenants/default_tenant", "", 200},
		{"GET", "/api/v2/tenants/default_tenant/databases/nodb", "", 404},
		{"GET", "/api/v2/nosuch", "", 404},
		{"PUT", "/api/v2/pre-flight-checks", "", 405},
		{"DELETE", base + "/nosuch", "", 404},
		{"POST", base + "/notauuid/get", `{"ids":["a"]}`, 400},
		{"POST", base + "/00000000-0000-0000-0000-000000000000/get", `{"ids":["a"]}`, 404},
		{"GET", base + "/00000000-0000-0000-0000-000000000000/count", "", 404},
		{"POST", base + "/ID/upsert", `{"ids":["b"],"embeddings":[[1,0]]}`, 400},
		{"POST", base + "/ID/upsert", `{"ids":["b"],"embeddings":[[1,0,0],[1,0,0]]}`, 400},
		{"POST", base + "/ID/upsert", `{"ids":[""],"embeddings":[[1,0,0]]}`, 400},
		{"POST", base + "/ID/upsert", `{"ids":["b"],"embeddings":[[1,0,0]],"metadatas":[{"a":{"x":1}}]}`, 422},
		{"POST", base + "/ID/upsert", `{"ids":["b"],"embeddings":[[1,0,0]],"metadatas":[{"a":[1,"x"]}]}`, 422},
		{"POST", base + "/ID/upsert", `{"ids":["b"],"embeddings":[[1,0,0]],"metadatas":[{"":1}]}`, 400},
		{"POST", base + "/ID/upsert", `{"ids":["b"],"embeddings":[[1,0,0]],"metadatas":[{"#x":1}]}`, 400},
		{"POST", base + "/ID/upsert", `{"ids":["b"],"embeddings":[null]}`, 422},
		{"POST", base + "/ID/upsert", `{"ids":["b"],"embeddings":[[]]}`, 400},
		{"POST", base + "/ID/upsert", `{"ids":["b"]}`, 422},
		{"POST", base + "/ID/upsert", `{"ids":["b"`, 400},
		{"POST", base + "/ID/upsert", `{"ids":["b"],"embeddings":[[NaN,0,0]]}`, 400},
		{"POST", base + "/ID/upsert", `{"ids":["b"],"embeddings":["AADAfwAAgD8AAIA/"]}`, 400},
		{"POST", base + "/ID/upsert", `{"ids":["b"],"embeddings":["!!!"]}`, 400},
		{"POST", base + "/ID/upsert", `{"ids":["b"],"embeddings":[[1,0,0]],"documents":["` + strings.Repeat("x", 41<<20) + `"]}`, 413},
		{"POST", base + "/ID/upsert", `{"ids":[],"embeddings":[]}`, 200},
		{"POST", base + "/ID/update", `{"ids":["a"],"embeddings":[],"metadatas":[{"x":1}]}`, 400},
		{"POST", base + "/ID/update", `{"ids":["a","zz"],"embeddings":null,"metadatas":[{"x":1},{"y":1}]}`, 200},
		{"POST", base + "/ID/update", `{"ids":["a"],"embeddings":[[1]]}`, 400},
		{"POST", base + "/ID/delete", `{"ids":[]}`, 400},
		{"POST", base + "/ID/delete", `{}`, 200},
		{"POST", base + "/ID/query", `{"query_embeddings":[[1,0]]}`, 400},
		{"POST", base + "/ID/query", `{"query_embeddings":[[1,0,0]],"where":{}}`, 400},
		{"POST", base + "/ID/query", `{"query_embeddings":[[1,0,0]],"where":{"k":5,"x":1}}`, 400},
		{"POST", base + "/ID/query", `{"query_embeddings":[[1,0,0]],"where":{"k":{"$bad":1}}}`, 400},
		{"POST", base + "/ID/query", `{"query_embeddings":[[1,0,0]]}`, 200},
		{"POST", base + "/ID/query", `{"query_embeddings":[[1,0,0]],"n_results":0}`, 0},
		{"POST", base + "/ID/get", `{"limit":0}`, 200},
	} {
		require.Equal(t, c.status, status(t, server, c.method, strings.Replace(c.path, "ID", id, 1), c.body), "%s %s %.90s", c.method, c.path, c.body)
	}
	require.Len(t, server.Records("articles"), 1, "nothing of a refused write is applied")
}

func send(t *testing.T, server *chromatest.Server, method, path, body string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Close = true
	return http.DefaultClient.Do(req)
}

// status is 0 where the connection was closed without an answer.
func status(t *testing.T, server *chromatest.Server, method, path, body string) int {
	t.Helper()
	resp, err := send(t, server, method, path, body)
	if err != nil {
		return 0
	}
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode
}

func collectionID(t *testing.T, server *chromatest.Server, path string) string {
	t.Helper()
	resp, err := send(t, server, "GET", path, "")
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	var about struct {
		ID        string `json:"id"`
		Dimension int    `json:"dimension"`
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&about))
	require.Equal(t, 3, about.Dimension)
	return about.ID
}
