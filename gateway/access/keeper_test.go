package access_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/gateway/access"
	"github.com/rowvec/rowvec/gateway/problem"
)

const (
	shopToken = "shop-0123456789abcdef"
	opsToken  = "ops--0123456789abcdef"
)

func lookup(name string) (string, bool) {
	v, ok := map[string]string{"SHOP": shopToken, "OPS": opsToken, "SHORT": "abc"}[name]
	return v, ok
}

func gateway(tokens ...config.AccessToken) config.Gateway {
	return config.Gateway{Listen: "127.0.0.1:8090", Tokens: tokens}
}

func twoTokens() config.Gateway {
	return gateway(
		config.AccessToken{Name: "shop", Token: config.Secret{Name: "SHOP"}, Tables: []string{"app.articles"}},
		config.AccessToken{Name: "ops", Token: config.Secret{Name: "OPS"}, AllTables: true},
	)
}

// ask sends one request through the guard and returns the answer and the grant that the handler saw, if it was reached.
func ask(t *testing.T, k *access.Keeper, edit func(*http.Request)) (*httptest.ResponseRecorder, *access.Grant) {
	t.Helper()
	var seen *access.Grant
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8090/v1/status", nil)
	edit(r)
	w := httptest.NewRecorder()
	k.Guard(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = access.From(r.Context()) }), func(*http.Request, *access.Grant, *problem.Problem) {}).ServeHTTP(w, r)
	return w, seen
}

func bearer(value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", value) }
}

func TestATokenOpensItsTables(t *testing.T) {
	t.Parallel()
	k, err := access.New(twoTokens(), lookup)
	require.NoError(t, err)
	require.False(t, k.Open())

	_, shop := ask(t, k, bearer("Bearer "+shopToken))
	require.Equal(t, "shop", shop.Name)
	require.True(t, shop.Allows("app.articles"))
	require.False(t, shop.Allows("app.orders"))
	require.False(t, shop.All())

	_, ops := ask(t, k, bearer("bearer  "+opsToken+" "))
	require.Equal(t, "ops", ops.Name)
	require.True(t, ops.Allows("app.orders"))
	require.True(t, ops.All())
}

func TestWithoutAGoodTokenNothingIsReached(t *testing.T) {
	t.Parallel()
	k, err := access.New(twoTokens(), lookup)
	require.NoError(t, err)
	for _, header := range []string{"", "Bearer", "Bearer ", "Bearer " + shopToken[:20], "Bearer " + shopToken + "x", "Basic " + shopToken, shopToken, "Bearer " + shopToken + " " + opsToken} {
		w, seen := ask(t, k, bearer(header))
		require.Nil(t, seen, header)
		require.Equal(t, http.StatusUnauthorized, w.Code, header)
		require.Equal(t, `Bearer realm="rowvec"`, w.Header().Get("WWW-Authenticate"))
		require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
		require.NotContains(t, w.Body.String(), shopToken)
	}
}

func TestWithoutTokensOnlyLoopbackNamesAreAnswered(t *testing.T) {
	t.Parallel()
	k, err := access.New(gateway(), lookup)
	require.NoError(t, err)
	require.True(t, k.Open())
	for _, host := range []string{"127.0.0.1:8090", "127.0.0.1", "localhost:8090", "LOCALHOST", "localhost.", "[::1]:8090", "[::1]"} {
		w, seen := ask(t, k, func(r *http.Request) { r.Host = host })
		require.Equal(t, http.StatusOK, w.Code, host)
		require.True(t, seen.All(), host)
	}
	for _, host := range []string{"evil.example:8090", "evil.example", "", "127.0.0.1.evil.example:8090", "10.0.0.1:8090", "localhost.evil.example"} {
		w, seen := ask(t, k, func(r *http.Request) { r.Host = host })
		require.Equal(t, http.StatusForbidden, w.Code, host)
		require.Nil(t, seen, host)
	}
}

// TestWithoutTokensOtherSitesPagesAreRefused: a browser sends their requests from the same machine, under a name that is ours.
func TestWithoutTokensOtherSitesPagesAreRefused(t *testing.T) {
	t.Parallel()
	own := gateway()
	own.Origins = []string{"https://shop.example"}
	for _, tt := range []struct {
		name, value string
		want        int
	}{
		{"Sec-Fetch-Site", "cross-site", http.StatusForbidden},
		{"Sec-Fetch-Site", "same-site", http.StatusForbidden},
		{"Sec-Fetch-Site", "same-origin", http.StatusOK},
		{"Sec-Fetch-Site", "none", http.StatusOK},
		{"Origin", "https://evil.example", http.StatusForbidden},
		{"Origin", "http://127.0.0.1:3000", http.StatusForbidden},
		{"Origin", "null", http.StatusForbidden},
		{"Origin", "http://127.0.0.1:8090", http.StatusOK},
		{"Origin", "https://shop.example", http.StatusOK},
	} {
		k, err := access.New(own, lookup)
		require.NoError(t, err)
		w, seen := ask(t, k, func(r *http.Request) { r.Header.Set(tt.name, tt.value) })
		require.Equal(t, tt.want, w.Code, tt)
		require.Equal(t, tt.want == http.StatusOK, seen != nil, tt)

		k, err = access.New(twoTokens(), lookup)
		require.NoError(t, err)
		_, seen = ask(t, k, func(r *http.Request) {
			r.Header.Set(tt.name, tt.value)
			r.Header.Set("Authorization", "Bearer "+opsToken)
		})
		require.NotNil(t, seen, "whoever has a token may be anywhere: %v", tt)
	}
}

func TestATokensRateIsItsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := twoTokens()
		g.RequestsPerMinute = 60 // one a second, six at once
		g.Tokens[1].RequestsPerMinute = 600
		k, err := access.New(g, lookup)
		require.NoError(t, err)
		for range 6 {
			w, _ := ask(t, k, bearer("Bearer "+shopToken))
			require.Equal(t, http.StatusOK, w.Code)
		}
		w, seen := ask(t, k, bearer("Bearer "+shopToken))
		require.Equal(t, http.StatusTooManyRequests, w.Code)
		require.Equal(t, "1", w.Header().Get("Retry-After"))
		require.Nil(t, seen)
		for range 60 {
			w, _ = ask(t, k, bearer("Bearer "+opsToken))
			require.Equal(t, http.StatusOK, w.Code, "another token's rate")
		}
		<-time.After(time.Second) // the bubble's clock
		w, _ = ask(t, k, bearer("Bearer "+shopToken))
		require.Equal(t, http.StatusOK, w.Code, "a refused request must not use up the rate")
	})
}

func TestAWrongTokenSettingIsNamed(t *testing.T) {
	t.Parallel()
	for want, g := range map[string]config.Gateway{
		"userConfig.gateway.tokens[0].token: secret NONE: found neither":                  gateway(config.AccessToken{Name: "a", Token: config.Secret{Name: "NONE"}}),
		"userConfig.gateway.tokens[0].token: expected at least 16 characters, found 3":    gateway(config.AccessToken{Name: "a", Token: config.Secret{Name: "SHORT"}}),
		"userConfig.gateway.tokens[1].token: is the token of a, too":                      gateway(config.AccessToken{Name: "a", Token: config.Secret{Name: "OPS"}}, config.AccessToken{Name: "b", Token: config.Secret{Name: "OPS"}}),
		"userConfig.gateway.listen: expected host:port: address nowhere: missing port in": {Listen: "nowhere"},
	} {
		_, err := access.New(g, lookup)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), opsToken)
	}
}

// TestATokenWithoutTablesOpensNothing: only who says all gets all.
func TestATokenWithoutTablesOpensNothing(t *testing.T) {
	t.Parallel()
	for _, tables := range [][]string{nil, {}} {
		k, err := access.New(gateway(config.AccessToken{Name: "shop", Token: config.Secret{Name: "SHOP"}, Tables: tables}), lookup)
		require.NoError(t, err)
		_, shop := ask(t, k, bearer("Bearer "+shopToken))
		require.False(t, shop.All())
		require.False(t, shop.Allows("app.articles"))
	}
}

func TestAContextWithoutGrantOpensNothing(t *testing.T) {
	t.Parallel()
	g := access.From(t.Context())
	require.False(t, g.All())
	require.False(t, g.Allows("app.articles"))
}

func TestWithoutTokensOnlyALoopbackAddressIsTaken(t *testing.T) {
	t.Parallel()
	for listen, fine := range map[string]bool{
		"127.0.0.1:8090": true, "[::1]:0": true, "localhost:1": true, "LOCALHOST:1": true, "0.0.0.0:8090": false, ":8090": false, "[::]:1": false, "10.0.0.7:1": false, "shop.example:1": false,
	} {
		_, err := access.New(config.Gateway{Listen: listen}, nil)
		if fine {
			require.NoError(t, err, listen)
			continue
		}
		require.ErrorContains(t, err, "userConfig.gateway.listen: without userConfig.gateway.tokens", listen)
	}
}
