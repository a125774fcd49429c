package embed_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/embed"
)

func TestNewNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		edit func(*embed.Config)
		want string
	}{
		"no URL":           {func(c *embed.Config) { c.BaseURL = "" }, "embedding.baseURL: is empty"},
		"not a URL":        {func(c *embed.Config) { c.BaseURL = "http://me:hunter2@[::1" }, "embedding.baseURL: is not a URL"},
		"no scheme":        {func(c *embed.Config) { c.BaseURL = "localhost:8001/v1" }, "must begin with http"},
		"no host":          {func(c *embed.Config) { c.BaseURL = "http:///v1" }, "and a host"},
		"another scheme":   {func(c *embed.Config) { c.BaseURL = "ftp://me:hunter2@host/v1" }, "must begin with http"},
		"fragment":         {func(c *embed.Config) { c.BaseURL = "http://host/v1#x" }, "fragment"},
		"the whole path":   {func(c *embed.Config) { c.BaseURL = "http://host/v1/embeddings/" }, "must not end in /embeddings"},
		"no model":         {func(c *embed.Config) { c.Model = "" }, "embedding.model: is empty"},
		"two keys":         {func(c *embed.Config) { c.APIKey = "hunter2\nhunter3" }, "embedding.apiKey"},
		"dimensions":       {func(c *embed.Config) { c.Dimensions = -1 }, "embedding.dimensions: is negative"},
		"maxTexts":         {func(c *embed.Config) { c.MaxTexts = -1 }, "embedding.maxTexts"},
		"maxTokens":        {func(c *embed.Config) { c.MaxTokens = -1 }, "embedding.maxTokens"},
		"timeout":          {func(c *embed.Config) { c.Timeout = -time.Second }, "embedding.timeout"},
		"requests":         {func(c *embed.Config) { c.RequestsPerMinute = -1 }, "embedding.requestsPerMinute"},
		"tokens":           {func(c *embed.Config) { c.TokensPerMinute = -1 }, "embedding.tokensPerMinute"},
		"a field of ours":  {func(c *embed.Config) { c.Extra = map[string]any{"dimensions": 3} }, "embedding.extra.dimensions"},
		"the same, query":  {func(c *embed.Config) { c.QueryExtra = map[string]any{"input": "x"} }, "embedding.queryExtra.input"},
		"extra not JSON":   {func(c *embed.Config) { c.Extra = map[string]any{"x": math.NaN()} }, "embedding.extra: is not JSON"},
		"several together": {func(c *embed.Config) { c.Model, c.BaseURL = "", "" }, "embedding.model"},
	} {
		cfg := embed.Config{BaseURL: "http://host/v1", Model: "m"}
		test.edit(&cfg)
		_, err := embed.New(cfg)
		require.ErrorContains(t, err, test.want, name)
		require.NotContains(t, err.Error(), "hunter", name)
	}
}

func TestNewTakesUsualURLs(t *testing.T) {
	t.Parallel()
	for base, shown := range map[string]string{
		"http://127.0.0.1:8001/v1":                "http://127.0.0.1:8001/v1/embeddings",
		"http://127.0.0.1:8001/v1/":               "http://127.0.0.1:8001/v1/embeddings",
		"https://host":                            "https://host/embeddings",
		"https://[::1]:1/a%2Fb":                   "https://[::1]:1/a/b/embeddings",
		"https://u:p@host/openai/v1?api-version=": "https://host/openai/v1/embeddings",
	} {
		client, err := embed.New(embed.Config{BaseURL: base, Model: "m"})
		require.NoError(t, err)
		require.Contains(t, client.String(), shown)
	}
}
