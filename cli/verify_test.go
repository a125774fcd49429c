package cli_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma/chromatest"
)

func withPostgres(url string) []string {
	return []string{"  chroma:", "  postgres: {url: \"" + url + "\"}\n  chroma:"}
}

func TestVerifyNeedsPostgres(t *testing.T) {
	t.Parallel()
	got := run(t, "verify", "-f", function(t, "http://e/v1", "http://c"))
	require.Equal(t, 1, got.code)
	require.Contains(t, got.stderr, "userConfig.postgres.url: required")
	require.Contains(t, got.stderr, "SELECT")
	require.Empty(t, got.stdout)
}

func TestVerifyNeverShowsThePostgresPassword(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"postgres://u:planted-secret@127.0.0.1:notaport/db":           "cannot be parsed",
		"postgres://u:planted-secret@127.0.0.1:1/db?sslmode=disable":  "reach Postgres",
		"postgres://u:planted-secret@127.0.0.1:1/db?pool_max_conns=x": "cannot be parsed",

		"postgres://u:planted-secret@127.0.0.1:1/db?sslmode=verify-full&sslrootcert=/nowhere/ca.pem": "sslrootcert, sslcert, sslkey, servicefile) cannot be read: no such file",
	} {
		for _, more := range [][]string{nil, {"--json"}, {"--repair"}} {
			file := function(t, "http://e/v1", chromatest.New(t).URL, append(withPostgres(url), "apiKey: {secret: ROWVEC_CLI_TEST_KEY}", "apiKey: k")...)
			got := run(t, append([]string{"verify", "-f", file}, more...)...)
			require.Equal(t, 1, got.code)
			require.Contains(t, got.stderr, "userConfig.postgres.url: ")
			require.Contains(t, got.stderr, want)
			require.NotContains(t, got.stderr+got.stdout, "planted-secret")
		}
	}
}

func TestVerifyNamesTheTablesThatThereAre(t *testing.T) {
	t.Parallel()
	got := run(t, "verify", "-f", function(t, "http://e/v1", "http://c"), "--table", "app.nope")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.stderr, "--table: app.nope is not in the configuration, which has app.articles")
}

func TestVerifyUsage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"verify", "extra"},
		{"verify", "--sample", "-1"},
		{"verify", "--sample", "9999999"},
		{"verify", "--delete-ghosts"},
		{"verify", "--all", "--table", "a.b"},
		{"verify", "--sample", "x"},
	} {
		got := run(t, args...)
		require.Equal(t, 2, got.code, args)
		require.Contains(t, got.stderr, "--help")
	}
}
