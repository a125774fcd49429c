package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/chroma/chromatest"
	"github.com/rowvec/rowvec/cli"
	"github.com/rowvec/rowvec/embed/embedtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type result struct {
	code           int
	stdout, stderr string
}

func run(t *testing.T, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := cli.Run(t.Context(), args, "v1.2.3", &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

// function writes a function.yaml and returns its path.
func function(t *testing.T, embeddingURL, chromaURL string, edits ...string) string {
	t.Helper()
	text := fmt.Sprintf(`
name: f
inputs: [persistent://public/default/store.app.articles]
output: public/default/f-events
subscriptionPosition: Earliest
cleanupSubscription: false
userConfig:
  embedding: {baseURL: %q, model: m, dimensions: 8, apiKey: {secret: ROWVEC_CLI_TEST_KEY}}
  chroma: {url: %q}
  tables:
    app.articles: {collection: articles, text: "{{.title}}: {{.body}}", metadata: [title, {column: price, as: cost}], chunk: {tokens: 256, overlap: 32}}
`, embeddingURL, chromaURL)
	text = strings.NewReplacer(edits...).Replace(text)
	path := filepath.Join(t.TempDir(), "function.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestVersion(t *testing.T) {
	t.Parallel()
	got := run(t, "version")
	require.Equal(t, 0, got.code)
	require.Contains(t, got.stdout, "rowvec v1.2.3 (go")
}

func TestWrongUsageExitsWithTwo(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"search"}, {"search", "a", "b"}, {"check", "--nope"}, {"search", "-k", "0", "x"}, {"version", "extra"}} {
		got := run(t, args...)
		require.Equal(t, 2, got.code, args)
		require.Contains(t, got.stderr, "--help")
		require.Empty(t, got.stdout)
	}
}

func TestCheckPrintsTheEffectiveConfiguration(t *testing.T) {
	t.Parallel()
	got := run(t, "check", "-f", function(t, "http://e/v1", "http://c"))
	require.Equal(t, 0, got.code, got.stderr)
	for _, want := range []string{
		"name: public/default/f", "output: public/default/f-events", "deadLetterTopic: persistent://public/default/f-dlq", "maxRecords: 512", "timeout: 30s", "tombstoneTTL: 168h0m0s", "adminURL:", "serviceURL:", "listen: 127.0.0.1:8090",
		"apiKey: '{secret: ROWVEC_CLI_TEST_KEY}'", "textColumns: [body, title]", "metadata: [title, price as cost]", "overlap: 32",
	} {
		require.Contains(t, got.stdout, want)
	}
	require.Contains(t, got.stderr, "note: {secret: ROWVEC_CLI_TEST_KEY} is not here")
}

func TestCheckNamesEveryFault(t *testing.T) {
	t.Parallel()
	got := run(t, "check", "-f", function(t, "http://e/v1", "ftp://c", "metadata:", "metdata:"))
	require.Equal(t, 1, got.code)
	require.Contains(t, got.stderr, "userConfig.chroma.url: expected an address")
	require.Contains(t, got.stderr, "userConfig.tables.app.articles.metdata: unknown setting; did you mean metadata?")
	require.Empty(t, got.stdout)
}

func TestCheckNamesAFaultyTemplate(t *testing.T) {
	t.Parallel()
	got := run(t, "check", "-f", function(t, "http://e/v1", "http://c", "{{.body}}", "{{.body"))
	require.Equal(t, 1, got.code)
	require.Contains(t, got.stderr, "userConfig.tables.app.articles.text")
}

// index fills a collection as the function does and returns a function.yaml for it.
func index(t *testing.T, texts map[string]string) string {
	t.Helper()
	endpoint := embedtest.New(embedtest.Options{Dimensions: 8})
	t.Cleanup(endpoint.Close)
	server := chromatest.New(t)
	client, err := chroma.New(chroma.Config{URL: server.URL})
	require.NoError(t, err)
	collection, err := client.Ensure(t.Context(), chroma.CollectionSpec{Name: "articles", Distance: "cosine"})
	require.NoError(t, err)
	for id, text := range texts {
		require.NoError(t, collection.Upsert(t.Context(), []string{id}, [][]float32{embedtest.Vector(text, 8)}, []string{text},
			[]map[string]any{{"cost": 1.5, "_rv_lsn": int64(7)}}))
	}
	return function(t, endpoint.URL(), server.URL)
}

func TestSearchFindsTheNearestRow(t *testing.T) {
	t.Setenv("ROWVEC_CLI_TEST_KEY", "k")
	file := index(t, map[string]string{"1": "boots", "2": "tent\x1b[31m\nred", "3": "lamp"})

	got := run(t, "search", "-f", file, "--table", "app.articles", "-k", "2", "--json", "boots")
	require.Equal(t, 0, got.code, got.stderr)
	var found struct {
		Table, Collection, Query string
		Results                  []struct {
			ID, Text string
			Score    float64
			Metadata map[string]any
		}
	}
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &found))
	require.Equal(t, "app.articles", found.Table)
	require.Len(t, found.Results, 2)
	require.Equal(t, "1", found.Results[0].ID)
	require.InDelta(t, 1, found.Results[0].Score, 1e-4)
	require.Equal(t, map[string]any{"cost": 1.5}, found.Results[0].Metadata, "what rowvec keeps for itself is not shown")

	got = run(t, "search", "-f", file, "tent")
	require.Equal(t, 0, got.code, got.stderr)
	require.Contains(t, got.stdout, "SCORE")
	require.Contains(t, got.stdout, "tent [31m red", "a row's text cannot steer the terminal")
	require.NotContains(t, got.stdout, "\x1b")
}

func TestSearchSaysWhatIsMissing(t *testing.T) {
	t.Setenv("ROWVEC_CLI_TEST_KEY", "k")
	file := index(t, nil)
	got := run(t, "search", "-f", file, "--table", "app.other", "x")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.stderr, "--table: app.other is not in the configuration, which has app.articles")

	require.NoError(t, os.WriteFile(file, bytes.ReplaceAll(read(t, file), []byte("collection: articles"), []byte("collection: nothing")), 0o600))
	got = run(t, "search", "-f", file, "x")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.stderr, "nothing")

	t.Setenv("ROWVEC_CLI_TEST_KEY", "")
	got = run(t, "search", "-f", file, "x")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.stderr, "userConfig.embedding.apiKey: secret ROWVEC_CLI_TEST_KEY")
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return data
}
