package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/config"
)

const (
	example       = "../../deploy/function.yaml"
	shippedOutput = "output: persistent://public/default/rowvec-articles-events"
)

func edited(t *testing.T, old, replacement string) []byte {
	t.Helper()
	data, err := os.ReadFile(example)
	require.NoError(t, err)
	require.Contains(t, string(data), old)
	return []byte(strings.Replace(string(data), old, replacement, 1))
}

func TestTheShippedFunctionYAMLIsValid(t *testing.T) {
	t.Parallel()
	f, err := config.Load(example)
	require.NoError(t, err)
	require.Equal(t, "rowvec-articles", f.Name)
	require.Equal(t, []string{"persistent://public/default/store.app.articles"}, f.Inputs)
	require.Equal(t, "persistent://public/default/rowvec-articles-events", f.Output)
	require.Equal(t, 1, f.Parallelism)
	require.Empty(t, f.Warnings)
	require.Equal(t, "persistent://public/default/rowvec-articles-dlq", config.DeadLetterTopic(f.Config, f.Tenant, f.Namespace, f.Name))
}

func TestFunctionYAMLFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ old, replacement, want string }{
		{"name: rowvec-articles", "", "name: required"},
		{"parallelism: 1 ", "paralelism: 1 ", "paralelism: unknown setting; did you mean parallelism?"},
		{"parallelism: 1 ", "parallelism: 0 ", "parallelism: expected 1 to 10000, found 0"},
		{"inputs:", "logTopic: x\n#", "inputs: required"},
		{shippedOutput, "output: [a]", "output: expected a text"},
		{shippedOutput, "output: persistent://public/events", "output: expected a topic such as persistent://public/default/rowvec-articles-events, found \"persistent://public/events\""},
		{shippedOutput, "output: 'two words'", "output: expected a topic such as"},
		{shippedOutput, "output: kafka://public/default/x", "output: expected a topic such as"},
		{shippedOutput, "output: store.app.articles", "output: it is among the inputs"},
		{shippedOutput, "output: public/default/rowvec-articles-dlq", "output: it is the dead-letter topic"},
		{shippedOutput, "output: events\nlogTopic: persistent://public/default/events", "output: it is the logTopic"},
		{"go:", "maxMessageRetries: 3\ngo:", "maxMessageRetries: refused by Pulsar for Go functions"},
		{"go:", "deadLetterTopic: x\ngo:", "set userConfig.deadLetterTopic instead"},
		{"go:", "retainKeyOrdering: true\ngo:", "retainKeyOrdering: refused"},
		{"go:", "processingGuarantees: EFFECTIVELY_ONCE\ngo:", "processingGuarantees: expected ATLEAST_ONCE"},
		{"model:", "modle:", "userConfig.embedding.modle: unknown setting; did you mean model?"},
		{"tenant: public", "tenant: [", "parse as YAML"},
	} {
		t.Run(tt.want, func(t *testing.T) {
			t.Parallel()
			_, err := config.ParseFunction(edited(t, tt.old, tt.replacement))
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestFunctionYAMLWarnings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ old, replacement, want string }{
		{"subscriptionPosition: Earliest", "subscriptionPosition: Latest", "not Earliest"},
		{"cleanupSubscription: false", "cleanupSubscription: true", "loses its place"},
		{"parallelism:", "outputSchemaType: JSON\nparallelism:", "outputSchemaType has no effect"},
		{"parallelism:", "retainOrdering: true\nparallelism:", "retainOrdering has no effect"},
		{`"{{.title}}: {{.body}}"`, `"{{.title}}'s {{.body}}"`, "apostrophe"},
		{`"{{.title}}: {{.body}}"`, `"{{.title}}` + strings.Repeat("x", 50_000) + `"`, "as one argument"},
	} {
		t.Run(tt.want, func(t *testing.T) {
			t.Parallel()
			f, err := config.ParseFunction(edited(t, tt.old, tt.replacement))
			require.NoError(t, err)
			require.Len(t, f.Warnings, 1)
			require.Contains(t, f.Warnings[0], tt.want)
		})
	}
}

func TestOutputTopics(t *testing.T) {
	t.Parallel()
	for _, output := range []string{
		"", "events", "store.app.events", "public/default/events", "persistent://t-1/n.s/events", "non-persistent://public/default/events",
	} {
		f, err := config.ParseFunction(edited(t, shippedOutput, "output: "+output))
		require.NoError(t, err)
		require.Equal(t, output, f.Output)
	}
}

func TestLoadNamesTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "absent.yaml")
	_, err := config.Load(path)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, path)
}

func TestSecretPrefersTheEnvironment(t *testing.T) {
	f := &config.Function{Secrets: map[string]any{"ROWVEC_TEST_KEY": "from map", "REFERENCE": map[string]any{"path": "p", "key": "k"}}}
	v, ok := f.Secret("ROWVEC_TEST_KEY")
	require.True(t, ok)
	require.Equal(t, "from map", v)
	t.Setenv("ROWVEC_TEST_KEY", "from environment")
	v, _ = f.Secret("ROWVEC_TEST_KEY")
	require.Equal(t, "from environment", v)
	_, ok = f.Secret("REFERENCE")
	require.False(t, ok)
}
