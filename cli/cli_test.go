package cli_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rowvec/rowvec/cli"
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
	for _, args := range [][]string{{"search"}, {"search", "a", "b"}, {"check", "--nope"}, {"search", "-k", "0", "x"}, {"version", "extra"}, {"verfy", "-f", "function.yaml"}, {"nothing"}, {"dlq", "lst"}} {
		got := run(t, args...)
		require.Equal(t, 2, got.code, args)
		require.Contains(t, got.stderr, "--help")
		require.Empty(t, got.stdout)
	}
}

func TestAMisspeltCommandIsNamed(t *testing.T) {
	t.Parallel()
	require.Contains(t, run(t, "verfy").stderr, `"verfy": did you mean verify?`)
	require.Contains(t, run(t, "nothing").stderr, `there is no command "nothing"`)
	got := run(t)
	require.Equal(t, 0, got.code, got.stderr)
	require.Contains(t, got.stdout, "verify")
}

func TestCheckPrintsTheEffectiveConfiguration(t *testing.T) {
	t.Parallel()
	got := run(t, "check", "-f", function(t, "http://e/v1", "http://c"))
	require.Equal(t, 0, got.code, got.stderr)
	for _, want := range []string{
		"name: public/default/f", "output: public/default/f-events", "deadLetterTopic: persistent://public/default/f-dlq", "maxRecords: 512", "timeout: 30s", "tombstoneTTL: 168h0m0s", "adminURL:", "serviceURL:", "listen: 127.0.0.1:8090",
		"apiKey: '{secret: ROWVEC_CLI_TEST_KEY}'", "textColumns: [body, title]", "metadata: [title, price as cost]", "overlap: 32",
		"maxTextTokens: 0", "overflow: deadLetter",
	} {
		require.Contains(t, got.stdout, want)
	}
	require.Contains(t, got.stderr, "note: {secret: ROWVEC_CLI_TEST_KEY} is not here")
}

func TestCheckShowsAndObeysTheModelsLimit(t *testing.T) {
	t.Parallel()
	got := run(t, "check", "-f", function(t, "http://e/v1", "http://c", "model: m", "model: text-embedding-3-small"))
	require.Equal(t, 0, got.code, got.stderr)
	require.Contains(t, got.stdout, "maxTextTokens: 8191")
	got = run(t, "check", "-f", function(t, "http://e/v1", "http://c", "model: m", "model: m, maxTextTokens: 100"))
	require.Equal(t, 1, got.code)
	require.Contains(t, got.stderr, "chunk.tokens: ")
	require.Contains(t, got.stderr, "embedding.maxTextTokens (100)")
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

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return data
}
