package tokens_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/tokens"
)

func TestModels(t *testing.T) {
	t.Parallel()
	for model, known := range map[string]bool{
		"text-embedding-3-small":              true,
		"text-embedding-3-large":              true,
		"text-embedding-ada-002":              true,
		"openai/text-embedding-3-small":       true,
		"azure/openai/text-embedding-3-large": true,
		"":                                    false,
		"text-embedding":                      false,
		"text-embedding-3-small/":             false,
		"my-text-embedding-3-small":           false,
		"multilingual-e5-small":               false,
		"nomic-ai/nomic-embed-text-v1.5":      false,
	} {
		c, ok := tokens.ForModel(model)
		require.Equal(t, known, ok, model)
		if !known {
			require.Zero(t, tokens.Limit(model), model)
			continue
		}
		require.Equal(t, 8191, tokens.Limit(model), model)
		require.Equal(t, 2, c.Count("hello world"), model)
	}
}
