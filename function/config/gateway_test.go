package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/config"
)

// shop is a token's settings with one of them changed.
func shop(key string, value any) map[string]any {
	t := map[string]any{"name": "shop", "token": map[string]any{"secret": "SHOP"}}
	t[key] = value
	return t
}

func TestTheGatewayListensOnLoopbackByDefault(t *testing.T) {
	t.Parallel()
	c, err := config.Parse(settings(func(map[string]any) {}))
	require.NoError(t, err)
	require.Equal(t, config.Gateway{
		Listen: "127.0.0.1:8090", Timeout: 10 * time.Second, MaxBody: 65536, MaxStreams: 1000, MaxStreamsPerToken: 100,
		Cache: config.QueryCache{Entries: 10_000, TTL: 10 * time.Minute},
	}, c.Gateway)
}

func TestTheGatewaysSettingsAreRead(t *testing.T) {
	t.Parallel()
	c, err := config.Parse(settings(func(m map[string]any) {
		set("", "gateway", map[string]any{
			"listen":  "0.0.0.0:443",
			"tokens":  []any{shop("tables", []any{"app.articles"}), map[string]any{"name": "ops", "token": map[string]any{"file": "/run/ops"}, "requestsPerMinute": 60.0}},
			"origins": []any{"https://shop.example", "http://localhost:5173"},
			"tls":     map[string]any{"cert": "/c.pem", "key": "/k.pem"}, "timeout": "5s", "maxBody": 1024, "requestsPerMinute": 600, "maxStreams": 20, "maxStreamsPerToken": 3,
			"cache": map[string]any{"entries": 5, "ttl": "1m"},
		})(m)
		set("pulsar", "serviceURL", "pulsar+ssl://a:6651,b:6651")(m)
		table("entity", "article")(m)
	}))
	require.NoError(t, err)
	require.Equal(t, config.Gateway{
		Listen: "0.0.0.0:443",
		Tokens: []config.AccessToken{
			{Name: "shop", Token: config.Secret{Name: "SHOP"}, Tables: []string{"app.articles"}},
			{Name: "ops", Token: config.Secret{File: "/run/ops"}, AllTables: true, RequestsPerMinute: 60},
		},
		Origins: []string{"https://shop.example", "http://localhost:5173"}, TLS: config.TLSFiles{Cert: "/c.pem", Key: "/k.pem"},
		Timeout: 5 * time.Second, MaxBody: 1024, RequestsPerMinute: 600, MaxStreams: 20, MaxStreamsPerToken: 3,
		Cache: config.QueryCache{Entries: 5, TTL: time.Minute},
	}, c.Gateway)
	require.Equal(t, "pulsar+ssl://a:6651,b:6651", c.Pulsar.ServiceURL)
	require.Equal(t, "article", c.Tables["app.articles"].Entity)
}

func TestEveryFaultOfTheGatewayNamesItsPath(t *testing.T) {
	t.Parallel()
	gateway := func(key string, value any) func(map[string]any) {
		return set("", "gateway", map[string]any{key: value})
	}
	for _, tt := range []struct {
		edit func(map[string]any)
		want string
	}{
		{gateway("listen", "8090"), `userConfig.gateway.listen: expected host:port, for example 127.0.0.1:8090; found "8090"`},
		{gateway("listen", "127.0.0.1:http"), "userConfig.gateway.listen: expected host:port"},
		{gateway("listen", "127.0.0.1:70000"), "userConfig.gateway.listen: expected host:port"},
		{gateway("listen", ":8090"), "userConfig.gateway.listen: without userConfig.gateway.tokens only a loopback address"},
		{gateway("listen", "0.0.0.0:8090"), `only a loopback address such as 127.0.0.1 is taken, since everybody who reaches it may read the rows; found "0.0.0.0:8090"`},
		{gateway("port", 1), "userConfig.gateway.port: unknown setting; known here: cache"},
		{gateway("tokens", "sk-planted-7f3a"), "userConfig.gateway.tokens: expected a list of 1 to 1000"},
		{gateway("tokens", []any{"sk-planted-7f3a"}), "userConfig.gateway.tokens[0]: expected {name: shop, token: {secret: NAME}}"},
		{gateway("tokens", []any{shop("name", "")}), "userConfig.gateway.tokens[0].name: required"},
		{gateway("tokens", []any{shop("token", nil)}), "userConfig.gateway.tokens[0].token: required: {secret: NAME} or {file: /path}"},
		{gateway("tokens", []any{shop("token", "sk-planted")}), "userConfig.gateway.tokens[0].token: expected at least 16 characters"},
		{gateway("tokens", []any{shop("tables", []any{})}), "userConfig.gateway.tokens[0].tables: expected at least one table; leave it out for all"},
		{gateway("tokens", []any{shop("tables", nil)}), "userConfig.gateway.tokens[0].tables: expected at least one table; leave it out for all"},
		{gateway("tokens", []any{shop("tables", "app.articles")}), `userConfig.gateway.tokens[0].tables: expected a list of texts, found "app.articles"`},
		{gateway("tokens", []any{shop("tables", []any{"app.orders"})}), `userConfig.gateway.tokens[0].tables[0]: "app.orders" is not among the tables`},
		{gateway("tokens", []any{shop("name", "shop"), shop("name", "shop")}), `userConfig.gateway.tokens[1].name: "shop" is taken by another token`},
		{gateway("tokens", []any{shop("scope", "x")}), "userConfig.gateway.tokens[0].scope: unknown setting"},
		{gateway("origins", []any{"*"}), "userConfig.gateway.origins[0]: expected an origin such as https://shop.example"},
		{gateway("origins", []any{"https://shop.example/"}), "userConfig.gateway.origins[0]: expected an origin"},
		{gateway("origins", []any{"https://a.example", "https://*.shop.example"}), "userConfig.gateway.origins[1]: expected an origin"},
		{gateway("origins", []any{"https://shop.example:443"}), "the port left out where it is the scheme's own; found"},
		{gateway("tls", map[string]any{"cert": "/c"}), "userConfig.gateway.tls: expected both cert and key, found one of them"},
		{gateway("timeout", "1ms"), "userConfig.gateway.timeout: expected 100ms to 10m0s, found 1ms"},
		{gateway("maxBody", 1), "userConfig.gateway.maxBody: expected 1024 to 16777216, found 1"},
		{gateway("maxStreams", 0), "userConfig.gateway.maxStreams: expected 1 to 100000, found 0"},
		{gateway("maxStreamsPerToken", 0), "userConfig.gateway.maxStreamsPerToken: expected 1 to 100000, found 0"},
		{gateway("cache", map[string]any{"ttl": "0s"}), "userConfig.gateway.cache.ttl: expected 1s to 24h0m0s, found 0s"},
		{set("pulsar", "serviceURL", "http://p:8080"), "userConfig.pulsar.serviceURL: expected an address such as pulsar://127.0.0.1:6650"},
		{set("pulsar", "serviceURL", "pulsar://user:planted@p:6650"), "userConfig.pulsar.serviceURL: expected an address such as"},
		{table("entity", "a/b"), `userConfig.tables.app.articles.entity: expected up to 64 letters, digits, dashes or underscores, found "a/b"`},
		{set("embedding", "apiKey", map[string]any{"secret": "A", "file": "/b"}), "userConfig.embedding.apiKey.secret: expected the name of a secret here, or the path of a file in file"},
		{set("tables", "app.b", map[string]any{"collection": "bbb", "text": "x", "entity": "article"}), `userConfig.tables.app.b.entity: "article" is the entity of app.articles, too`},
	} {
		t.Run(tt.want, func(t *testing.T) {
			t.Parallel()
			_, err := config.Parse(settings(func(m map[string]any) {
				table("entity", "article")(m)
				tt.edit(m)
			}))
			require.ErrorContains(t, err, tt.want)
			require.NotContains(t, err.Error(), "planted")
		})
	}
}

func TestASecretMayLieInAFile(t *testing.T) {
	t.Parallel()
	write := func(content string) config.Secret {
		path := filepath.Join(t.TempDir(), "token")
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return config.Secret{File: path}
	}
	s := write("sk-planted-7f3a\n")
	v, err := s.Resolve(nil)
	require.NoError(t, err)
	require.Equal(t, "sk-planted-7f3a", v)
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", s, s, s), "planted")
	require.Contains(t, s.String(), s.File)
	require.True(t, s.Set())

	_, err = write("\n").Resolve(nil)
	require.ErrorContains(t, err, "expected 1 to 65536 bytes, found 1")
	_, err = write(string(make([]byte, 70_000))).Resolve(nil)
	require.ErrorContains(t, err, "found 65537")
	_, err = config.Secret{File: filepath.Join(t.TempDir(), "none")}.Resolve(nil)
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestAnOriginIsOneOrigin: what a browser sends is compared with it, letter by letter.
func TestAnOriginIsOneOrigin(t *testing.T) {
	t.Parallel()
	parse := func(origin string) error {
		_, err := config.Parse(settings(set("", "gateway", map[string]any{"origins": []any{origin}})))
		return err
	}
	for _, origin := range []string{
		"https://shop.example", "http://localhost:5173", "http://127.0.0.1:3000", "http://[::1]:3000", "https://xn--bcher-kva.example", "https://a_b.example", "http://shop.example:443",
	} {
		require.NoError(t, parse(origin), origin)
	}
	for _, origin := range []string{
		"*", "https://*", "https://*:*", "https://*.shop.example", "http*://shop.example", "null", "", "https://", "shop.example", "//shop.example", "file://", "chrome-extension://abc",
		"https://Shop.example", "HTTPS://shop.example", "https://shop.example/", "https://shop.example/a", "https://shop.example?", "https://shop.example#", "https://u:p@shop.example",
		"https://shop.example:", "https://shop.example:443", "http://shop.example:80", "https://shop.example:0443", "https://shop.example:99999", "https://bücher.example",
		" https://shop.example", "https://shop.example\n", "https://shop example", "https://[::1", "https://[::1%25eth0]", "https://[::0001]",
	} {
		require.ErrorContains(t, parse(origin), "userConfig.gateway.origins[0]: expected an origin", "%q", origin)
	}
}
