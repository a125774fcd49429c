package cli_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/chroma/chromatest"
	"github.com/rowvec/rowvec/embed/embedtest"
)

// record is one that the function has stored; metadata is added to its marks.
type record struct {
	id, text string
	metadata map[string]any
}

// place says which chunk a record is.
func place(row string, chunk, start, end int64) map[string]any {
	return map[string]any{"_rv_row": row, "_rv_chunk": chunk, "_rv_start": start, "_rv_end": end}
}

// index fills a collection as the function does and returns a function.yaml for it.
func index(t *testing.T, model string, records ...record) string {
	t.Helper()
	endpoint := embedtest.New(embedtest.Options{Dimensions: 8})
	t.Cleanup(endpoint.Close)
	server := chromatest.New(t)
	client, err := chroma.New(chroma.Config{URL: server.URL})
	require.NoError(t, err)
	collection, err := client.Ensure(t.Context(), chroma.CollectionSpec{
		Name: "articles", Distance: "cosine", Metadata: map[string]any{"_rv_model": model},
	})
	require.NoError(t, err)
	for _, r := range records {
		metadata := map[string]any{"cost": 1.5}
		if !strings.Contains(r.id, "#") {
			for key, value := range map[string]any{"_rv_lsn": int64(7), "_rv_ts": int64(1700000000123), "_rv_em": int64(0), "_rv_fp": "x", "_rv_chunks": int64(1)} {
				metadata[key] = value
			}
		}
		for key, value := range r.metadata {
			metadata[key] = value
		}
		require.NoError(t, collection.Upsert(t.Context(), []string{r.id}, [][]float32{embedtest.Vector(r.text, 8)}, []string{r.text}, []map[string]any{metadata}))
	}
	return function(t, endpoint.URL(), server.URL)
}

func TestSearchFindsTheNearestRow(t *testing.T) {
	t.Setenv("ROWVEC_CLI_TEST_KEY", "k")
	file := index(t, "m", record{"1", "boots", nil}, record{"2", "tent\x1b[31m\nred", map[string]any{"cost": int64(9)}}, record{"3", "lamp", nil})

	got := run(t, "search", "-f", file, "--table", "app.articles", "-k", "2", "--json", "boots")
	require.Equal(t, 0, got.code, got.stderr)
	var found map[string]any
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &found))
	results, ok := found["results"].([]any)
	require.True(t, ok)
	require.Len(t, results, 2)
	best, ok := results[0].(map[string]any)
	require.True(t, ok)
	require.InDelta(t, 1, best["score"], 1e-4)
	require.InDelta(t, 0, best["distance"], 1e-4)
	delete(best, "score")
	delete(best, "distance")
	require.Equal(t, map[string]any{
		"id": "1", "key": []any{map[string]any{"value": "1"}}, "record": "1", "chunk": 0.0, "chunks": 1.0, "start": 0.0, "end": 5.0,
		"text": "boots", "metadata": map[string]any{"cost": 1.5}, "lsn": 7.0, "commitTime": "2023-11-14T22:13:20.123Z",
	}, best, "the contract; what rowvec keeps for itself is not shown")
	delete(found, "results")
	require.Equal(t, map[string]any{
		"table": "app.articles", "collection": "articles", "distance": "cosine", "query": "boots", "partial": false,
	}, found)

	got = run(t, "search", "-f", file, "tent")
	require.Equal(t, 0, got.code, got.stderr)
	require.Contains(t, got.stdout, "tent [31m red", "a row's text cannot steer the terminal")
	require.NotContains(t, got.stdout, "\x1b")
	require.Equal(t, 4, strings.Count(got.stdout, "\n"))
}

func TestSearchShowsTheBestChunkOfARowOrAllOfThem(t *testing.T) {
	t.Setenv("ROWVEC_CLI_TEST_KEY", "k")
	first := place("1", 0, 0, 10)
	first["_rv_chunks"] = int64(2)
	file := index(t, "m", record{"1", "boots grip", first}, record{"1#1", "grip mud", place("1", 1, 6, 14)})

	got := run(t, "search", "-f", file, "grip mud")
	require.Equal(t, 0, got.code, got.stderr)
	lines := strings.Split(got.stdout, "\n")
	require.Equal(t, []string{"SCORE", "ROW", "CHUNK", "OFFSETS", "TEXT"}, strings.Fields(lines[0]))
	require.Equal(t, []string{"1.000", "1", "2/2", "6-14", "grip", "mud"}, strings.Fields(lines[1]))
	require.Len(t, lines, 3)

	got = run(t, "search", "-f", file, "--chunks", "grip mud")
	require.Equal(t, 0, got.code, got.stderr)
	require.Len(t, strings.Split(got.stdout, "\n"), 4)
	require.Contains(t, got.stdout, "1/2    0-10")
}

func TestSearchFilters(t *testing.T) {
	t.Setenv("ROWVEC_CLI_TEST_KEY", "k")
	file := index(t, "m", record{"1", "boots", nil}, record{"2", "tent", map[string]any{"cost": int64(9)}}, record{"3", "red tent", map[string]any{"cost": int64(10)}})
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"--where", `{"cost": {"$gt": 1.5}}`}, []string{"2", "3"}},
		{[]string{"--where", `{"cost": {"$gt": 1.5, "$lt": 10}}`}, []string{"2"}},
		{[]string{"--contains", "tent"}, []string{"2", "3"}},
		{[]string{"--contains", "tent", "--where", `{"cost": 10}`}, []string{"3"}},
		{[]string{"--min-score", "0.99"}, []string{"2"}},
		{[]string{"--min-score", "-1"}, []string{"1", "2", "3"}},
	} {
		got := run(t, append(append([]string{"search", "-f", file, "--json"}, c.args...), "tent")...)
		require.Equal(t, 0, got.code, got.stderr)
		var found struct{ Results []struct{ ID string } }
		require.NoError(t, json.Unmarshal([]byte(got.stdout), &found))
		ids := []string{}
		for _, r := range found.Results {
			ids = append(ids, r.ID)
		}
		require.ElementsMatch(t, c.want, ids, c.args)
	}
	for _, wrong := range [][]string{
		{"--where", "{"}, {"--where", "null"}, {"--where", "[]"}, {"--where", "{} {}"}, {"--min-score", "NaN"}, {"--min-score", "+Inf"}, {"--top", "101"},
	} {
		got := run(t, append(append([]string{"search", "-f", file}, wrong...), "tent")...)
		require.Equal(t, 2, got.code, wrong)
		require.Contains(t, got.stderr, wrong[0]+": expected")
	}
	got := run(t, "search", "-f", file, "--where", `{"cots": 1}`, "tent")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.stderr, "where.cots: unknown column; did you mean cost?")
}

func TestSearchSaysWhatIsMissing(t *testing.T) {
	t.Setenv("ROWVEC_CLI_TEST_KEY", "k")
	file := index(t, "another")
	got := run(t, "search", "-f", file, "--table", "app.other", "x")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.stderr, "--table: app.other is not in the configuration, which has app.articles")

	got = run(t, "search", "-f", file, "x")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.stderr, `was made with the embedding model "another", and questions with "m" do not compare with it`)

	require.NoError(t, os.WriteFile(file, bytes.ReplaceAll(read(t, file), []byte("collection: articles"), []byte("collection: nothing")), 0o600))
	got = run(t, "search", "-f", file, "x")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.stderr, "table app.articles has no index yet")
	require.Contains(t, got.stderr, "collection nothing")

	t.Setenv("ROWVEC_CLI_TEST_KEY", "")
	got = run(t, "search", "-f", file, "x")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.stderr, "userConfig.embedding.apiKey: secret ROWVEC_CLI_TEST_KEY")
}
