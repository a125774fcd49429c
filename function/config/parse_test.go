package config_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/config"
)

// settings is the smallest userConfig that is whole; edit changes it.
func settings(edit func(m map[string]any)) map[string]any {
	m := map[string]any{
		"embedding": map[string]any{"baseURL": "http://127.0.0.1:8001/v1", "model": "m"},
		"chroma":    map[string]any{"url": "http://127.0.0.1:8000"},
		"tables":    map[string]any{"app.articles": map[string]any{"collection": "articles", "text": "{{.title}}"}},
	}
	if edit != nil {
		edit(m)
	}
	return m
}

func set(section, key string, value any) func(map[string]any) {
	return func(m map[string]any) {
		if section == "" {
			m[key] = value
			return
		}
		s, ok := m[section].(map[string]any)
		if !ok {
			s = map[string]any{}
			m[section] = s
		}
		s[key] = value
	}
}

func table(key string, value any) func(map[string]any) {
	return func(m map[string]any) { m["tables"].(map[string]any)["app.articles"].(map[string]any)[key] = value }
}

func TestDefaultsHoldWhereNothingIsSaid(t *testing.T) {
	t.Parallel()
	c, err := config.Parse(settings(nil))
	require.NoError(t, err)
	want := config.Default()
	want.Embedding.BaseURL, want.Embedding.Model = "http://127.0.0.1:8001/v1", "m"
	want.Chroma.URL = "http://127.0.0.1:8000"
	want.Tables["app.articles"] = config.Table{Collection: "articles", Text: "{{.title}}", EmptyText: "delete", Overflow: "deadLetter"}
	require.Equal(t, &want, c)
	require.Equal(t, config.Batch{MaxRecords: 512, MaxBytes: 8388608, InFlight: 4, MaxRecordBytes: 8388608}, c.Batch)
	require.Equal(t, 30*time.Second, c.Embedding.Timeout)
}

func TestEverySettingIsRead(t *testing.T) {
	t.Parallel()
	const whole = `{
	 "subscription": "failover", "deadLetterTopic": "persistent://public/default/dead", "tombstoneTTL": "24h",
	 "postgres": {"url": {"secret": "PG"}}, "pulsar": {"adminURL": "http://p:8080", "token": {"secret": "PT"}},
	 "batch": {"maxRecords": 100.0, "maxBytes": 65536, "inFlight": 2, "maxRecordBytes": 131072},
	 "embedding": {"baseURL": "https://api.example.com/v1", "model": "m", "apiKey": {"secret": "KEY"}, "dimensions": 384,
	   "prefix": "passage: ", "queryPrefix": "query: ", "extra": {"input_type": "passage"}, "queryExtra": {"input_type": "query"},
	   "maxTexts": 32, "maxTokens": 8000, "maxTextTokens": 512, "concurrency": 2, "timeout": "1m", "requestsPerMinute": 60, "tokensPerMinute": 1000},
	 "chroma": {"url": "http://c:8000", "tenant": "t", "database": "d", "token": "plain", "distance": "l2",
	   "hnsw": {"efConstruction": 200, "maxNeighbors": 32, "efSearch": 50}},
	 "tables": {"app.a": {"collection": "all", "text": "{{.t}}", "metadata": ["t", {"column": "price", "as": "cost"}],
	   "key": ["x", "y"], "chunk": {"tokens": 256, "overlap": 32}, "emptyText": "keep", "overflow": "truncate"},
	   "app.b": {"collection": "all", "text": "{{.t}}"}, "app.c": {"collection": "own", "text": "{{.t}}"}}}`
	var m map[string]any
	require.NoError(t, json.Unmarshal([]byte(whole), &m))
	c, err := config.Parse(m)
	require.NoError(t, err)
	require.Equal(t, "failover", c.Subscription)
	require.Equal(t, "persistent://public/default/dead", c.DeadLetterTopic)
	require.Equal(t, config.Batch{MaxRecords: 100, MaxBytes: 65536, InFlight: 2, MaxRecordBytes: 131072}, c.Batch)
	require.Equal(t, config.Embedding{
		BaseURL: "https://api.example.com/v1", Model: "m", APIKey: config.Secret{Name: "KEY"}, Dimensions: 384,
		Prefix: "passage: ", QueryPrefix: "query: ", Extra: map[string]any{"input_type": "passage"}, QueryExtra: map[string]any{"input_type": "query"},
		MaxTexts: 32, MaxTokens: 8000, MaxTextTokens: 512, Concurrency: 2, Timeout: time.Minute, RequestsPerMinute: 60, TokensPerMinute: 1000,
	}, c.Embedding)
	require.Equal(t, config.HNSW{EFConstruction: 200, MaxNeighbors: 32, EFSearch: 50}, c.Chroma.HNSW)
	require.Equal(t, "l2", c.Chroma.Distance)
	require.Equal(t, 24*time.Hour, c.TombstoneTTL)
	require.Equal(t, config.Secret{Name: "PG"}, c.Postgres.URL)
	require.Equal(t, config.Pulsar{AdminURL: "http://p:8080", Token: config.Secret{Name: "PT"}}, c.Pulsar)
	token, err := c.Chroma.Token.Resolve(nil)
	require.NoError(t, err)
	require.Equal(t, "plain", token)
	require.Equal(t, config.Table{
		Collection: "all", Text: "{{.t}}", Metadata: []config.Field{{Column: "t", As: "t"}, {Column: "price", As: "cost"}},
		Key: []string{"x", "y"}, Chunk: &config.Chunk{Tokens: 256, Overlap: 32}, EmptyText: "keep", Overflow: "truncate",
	}, c.Tables["app.a"])
	require.Equal(t, "deadLetter", c.Tables["app.b"].Overflow)
	require.True(t, c.SharesCollection("app.a"))
	require.False(t, c.SharesCollection("app.c"))
}

func TestEveryFaultNamesItsPath(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		edit func(map[string]any)
		want string
	}{
		{set("", "subscripton", "x"), "userConfig.subscripton: unknown setting; did you mean subscription?"},
		{set("", "zebra", 1), "userConfig.zebra: unknown setting; known here: batch, chroma, deadLetterTopic, embedding, gateway, postgres, pulsar, subscription, tables, tombstoneTTL"},
		{set("", "subscription", "keyshared"), `userConfig.subscription: expected key_shared, failover, shared, exclusive, found "keyshared"`},
		{set("", "batch", 3), "userConfig.batch: expected settings (key: value), found 3"},
		{set("batch", "maxRecords", 0), "userConfig.batch.maxRecords: expected 1 to 10000, found 0"},
		{set("batch", "maxRecords", 1.5), "userConfig.batch.maxRecords: expected a whole number, found 1.5"},
		{set("batch", "maxRecords", "12"), `userConfig.batch.maxRecords: expected a whole number, found "12"`},
		{set("embedding", "baseURL", ""), "userConfig.embedding.baseURL: required: for example http://127.0.0.1:8001/v1"},
		{set("embedding", "baseURL", "127.0.0.1:8001"), "userConfig.embedding.baseURL: expected an address such as"},
		{set("embedding", "baseURL", "http://h/v1?key=1"), "userConfig.embedding.baseURL: expected an address without ?query"},
		{set("embedding", "model", nil), "userConfig.embedding.model: required"},
		{set("embedding", "timeout", 30), "userConfig.embedding.timeout: expected a duration such as 30s or 1m, found 30"},
		{set("embedding", "timeout", "1ms"), "userConfig.embedding.timeout: expected 100ms to 1h0m0s, found 1ms"},
		{set("embedding", "apiKey", 5), "userConfig.embedding.apiKey: expected {secret: NAME}, {file: /path} or a text"},
		{set("embedding", "apiKey", map[string]any{"secert": "X"}), "userConfig.embedding.apiKey.secert: unknown setting; did you mean secret?"},
		{set("embedding", "extra", map[string]any{"model": "x"}), "userConfig.embedding.extra.model: is set by rowvec itself"},
		{set("embedding", "maxtexts", 3), "userConfig.embedding.maxtexts: unknown setting; did you mean maxTexts?"},
		{set("chroma", "distance", "euclid"), "userConfig.chroma.distance: expected cosine, l2, ip"},
		{set("chroma", "hnsw", map[string]any{"efSerch": 1}), "userConfig.chroma.hnsw.efSerch: unknown setting; did you mean efSearch?"},
		{set("", "tables", map[string]any{}), "userConfig.tables: required: at least one table, as schema.table"},
		{set("tables", "articles", map[string]any{"collection": "abc", "text": "x"}), "userConfig.tables.articles: expected schema.table, for example public.articles"},
		{table("collection", "a"), "userConfig.tables.app.articles.collection: expected 3 to 512"},
		{table("text", ""), "userConfig.tables.app.articles.text: required"},
		{table("metadata", "title"), `userConfig.tables.app.articles.metadata: expected a list of columns, found "title"`},
		{table("metadata", []any{7}), "userConfig.tables.app.articles.metadata[0]: expected a column's name"},
		{table("metadata", []any{map[string]any{"as": "x"}}), "userConfig.tables.app.articles.metadata[0].column: required"},
		{table("key", []any{1}), "userConfig.tables.app.articles.key[0]: expected a text, found 1"},
		{table("chunk", map[string]any{"overlap": 3}), "userConfig.tables.app.articles.chunk.tokens: required"},
		{table("chunk", map[string]any{"tokens": 100, "overlap": 51}), "userConfig.tables.app.articles.chunk.overlap: expected at most half of tokens (50), found 51"},
		{set("", "tombstoneTTL", "1s"), "userConfig.tombstoneTTL: expected 1m0s to 87600h0m0s, found 1s"},
		{set("pulsar", "adminURL", "pulsar://x"), "userConfig.pulsar.adminURL: expected an address such as http://127.0.0.1:8080"},
		{set("postgres", "url", 5), "userConfig.postgres.url: expected {secret: NAME}, {file: /path} or a text"},
		{set("embedding", "maxTextTokens", -1), "userConfig.embedding.maxTextTokens: expected 0 to 10000000, found -1"},
		{table("overflow", "cut"), `userConfig.tables.app.articles.overflow: expected deadLetter, truncate, found "cut"`},
		{table("emptyText", "drop"), "userConfig.tables.app.articles.emptyText: expected delete, keep"},
	} {
		t.Run(tt.want, func(t *testing.T) {
			t.Parallel()
			_, err := config.Parse(settings(tt.edit))
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestAllFaultsAreReportedTogether(t *testing.T) {
	t.Parallel()
	_, err := config.Parse(map[string]any{"batch": map[string]any{"inFlight": 0}})
	for _, want := range []string{"batch.inFlight", "embedding.baseURL", "embedding.model", "chroma.url", "userConfig.tables"} {
		require.ErrorContains(t, err, want)
	}
}

func TestWholeNumbersMayBeDoubles(t *testing.T) {
	t.Parallel()
	for _, v := range []any{7, int64(7), 7.0, json.Number("7"), json.Number("7.0")} {
		c, err := config.Parse(settings(set("batch", "inFlight", v)))
		require.NoError(t, err, "%T", v)
		require.Equal(t, 7, c.Batch.InFlight, "%T", v)
	}
}

func TestWholeNumbersOfExtraFieldsStayWhole(t *testing.T) {
	t.Parallel()
	for _, v := range []any{256, 256.0, json.Number("256"), json.Number("256.0")} {
		c, err := config.Parse(settings(set("embedding", "extra", map[string]any{"size": v, "deep": []any{map[string]any{"n": v}}, "x": 0.5})))
		require.NoError(t, err)
		require.Equal(t, map[string]any{"size": int64(256), "deep": []any{map[string]any{"n": int64(256)}}, "x": 0.5}, c.Embedding.Extra)
	}
}

func TestSecretsAreNeverShown(t *testing.T) {
	t.Parallel()
	const planted = "sk-planted-7f3a"
	c, err := config.Parse(settings(func(m map[string]any) {
		set("embedding", "apiKey", planted)(m)
		set("chroma", "token", planted)(m)
	}))
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		require.NotContains(t, fmt.Sprintf(verb, c.Embedding), planted)
		require.NotContains(t, fmt.Sprintf(verb, &c.Chroma), planted)
	}
	for _, address := range []string{"admin:" + planted + "@chroma:8000", "http//u:" + planted + "@h", "https:/u:" + planted + "@h", planted} {
		_, err := config.Parse(settings(func(m map[string]any) {
			set("embedding", "baseURL", address)(m)
			set("chroma", "url", address)(m)
		}))
		require.ErrorContains(t, err, "userConfig.chroma.url: expected an address")
		require.NotContains(t, err.Error(), planted)
	}
	_, err = config.Parse(settings(func(m map[string]any) {
		set("embedding", "apiKey", []any{planted})(m)
		set("embedding", "baseURL", "http://user:"+planted+"@h/v1")(m)
		set("chroma", "url", "http://user:"+planted+"@h:port")(m)
	}))
	require.Error(t, err)
	require.NotContains(t, err.Error(), planted)
}

func TestNamedSecretsAreLookedUp(t *testing.T) {
	t.Parallel()
	s := config.Secret{Name: "KEY"}
	v, err := s.Resolve(func(name string) (string, bool) { return "value of " + name, true })
	require.NoError(t, err)
	require.Equal(t, "value of KEY", v)
	_, err = s.Resolve(func(string) (string, bool) { return "", false })
	require.ErrorContains(t, err, "secret KEY: found neither")
	v, err = config.Secret{}.Resolve(nil)
	require.NoError(t, err)
	require.Empty(t, v)
}

func FuzzParse(f *testing.F) {
	f.Add(`{"batch":{"maxRecords":1e400}}`)
	f.Add(`{"tables":{"a.b":{"metadata":[{}]}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		var m map[string]any
		if json.Unmarshal([]byte(text), &m) != nil {
			return
		}
		c, err := config.Parse(m)
		require.True(t, (c == nil) != (err == nil))
	})
}
