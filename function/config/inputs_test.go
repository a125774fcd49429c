package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/config"
)

// TestTopicsAreReadWhereverTheyStand: Pulsar takes them from five places.
func TestTopicsAreReadWhereverTheyStand(t *testing.T) {
	t.Parallel()
	const rest = `
userConfig:
  embedding: {baseURL: "http://127.0.0.1:1/v1", model: m}
  chroma: {url: "http://127.0.0.1:1"}
  tables: {app.articles: {collection: articles, text: "{{.title}}"}}
`
	for text, want := range map[string][2][]string{
		"inputs: [b, a]": {{"b", "a"}, nil},
		"topicsPattern: persistent://shop/prod/store.*": {nil, {"persistent://shop/prod/store.*"}},
		"inputs: [a]\ninputSpecs: {b: {}, a: {receiverQueueSize: 5}, shop/prod/x.*: {isRegexPattern: true}}\ntopicsPattern: y.*": {
			{"a", "b"}, {"y.*", "shop/prod/x.*"},
		},
		"inputs: [a]\ncustomSerdeInputs: {c: org.Serde}\ncustomSchemaInputs: {d: STRING}": {{"a", "c", "d"}, nil},
	} {
		f, err := config.ParseFunction([]byte("name: f\n" + text + rest))
		require.NoError(t, err, text)
		require.Equal(t, want[0], f.Inputs, text)
		require.Equal(t, want[1], f.Patterns, text)
	}
	_, err := config.ParseFunction([]byte("name: f\ninputSpecs: {out: {}}\noutput: out" + rest))
	require.ErrorContains(t, err, "output: it is among the inputs")
}
