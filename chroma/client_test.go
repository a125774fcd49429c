package chroma_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/chroma/chromatest"
)

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cfg  chroma.Config
		want string
	}{
		{chroma.Config{}, "chroma.url: expected http://host:port"},
		{chroma.Config{URL: "127.0.0.1:8000"}, "chroma.url: expected http://host:port"},
		{chroma.Config{URL: "http://"}, "chroma.url: expected http://host:port"},
		{chroma.Config{URL: "http://h?x=1"}, "chroma.url: expected no query"},
		{chroma.Config{URL: "http://h#x"}, "chroma.url: expected no query"},
		{chroma.Config{URL: "http://h", Tenant: "../x"}, `chroma.tenant: "../x" cannot be part of a URL`},
		{chroma.Config{URL: "http://h", Database: "a?b"}, `chroma.database: "a?b" cannot be part of a URL`},
		{chroma.Config{URL: "http://h", Token: "ä"}, "chroma.token: contains a character"},
	} {
		_, err := chroma.New(c.cfg)
		require.ErrorContains(t, err, c.want)
	}
}

func TestCredentialsTravelInHeaders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		change        func(*chroma.Config)
		token, bearer string
	}{
		{"none", func(*chroma.Config) {}, "", ""},
		{"token", func(cfg *chroma.Config) { cfg.Token = "abc\n" }, "abc", "Bearer abc"},
		{"user", func(cfg *chroma.Config) { cfg.URL = "http://me:pw@" + cfg.URL[len("http://"):] }, "", "Basic bWU6cHc="},
		{"both", func(cfg *chroma.Config) {
			cfg.URL, cfg.Token = "http://me:pw@"+cfg.URL[len("http://"):]+"/api/v2/", "abc"
		}, "abc", "Basic bWU6cHc="},
	} {
		server := chromatest.New(t)
		server.Keep()
		newCollection(t, server, c.change)
		require.Len(t, server.Requests(""), 2, c.name)
		for _, r := range server.Requests("") {
			h := r.Header
			require.Equal(t, c.token, h.Get("X-Chroma-Token"), c.name)
			require.Equal(t, c.bearer, h.Get("Authorization"), c.name)
			require.Equal(t, "rowvec", h.Get("User-Agent"))
		}
	}
}

func TestTokenIsAccepted(t *testing.T) {
	t.Parallel()
	server := chromatest.Start(chromatest.Options{Token: "right"})
	t.Cleanup(server.Close)
	newCollection(t, server, func(cfg *chroma.Config) { cfg.Token = "right" })
	err := newClient(t, server, func(cfg *chroma.Config) { cfg.Token = "wrong" }).Ping(t.Context())
	failed := failureOf(t, err, "halt", chroma.ReasonUnauthorized)
	require.Contains(t, failed.Error(), "check chroma.token")
}

func TestTheEnvironmentIsNotAsked(t *testing.T) {
	t.Setenv("CHROMA_TENANT", "elsewhere")
	t.Setenv("CHROMA_DATABASE", "elsewhere")
	newCollection(t, chromatest.New(t), nil)
}

func TestAnotherTenantAndDatabase(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	server.AddTenant("acme", "shop")
	col := newCollection(t, server, func(cfg *chroma.Config) { cfg.Tenant, cfg.Database = "acme", "shop" })
	for op, call := range operations(t, col) {
		require.NoError(t, call(), op)
	}
	_, err := newClient(t, server, nil).Collection(t.Context(), "articles")
	requireError(t, err, "retry", chroma.ReasonCollectionMissing)
}

func TestLimitsAreAskedForOnceAndAgainAfterAFailure(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	client := newClient(t, server, nil)
	server.Control(only("preflight", &chromatest.Response{Status: 503}))
	requireError(t, client.Ping(t.Context()), "retry", chroma.ReasonUnavailable)
	col, err := client.Ensure(t.Context(), chroma.CollectionSpec{Name: "articles"})
	require.NoError(t, err)
	requireError(t, col.Delete(t.Context(), []string{"a"}), "retry", chroma.ReasonUnavailable)
	require.Equal(t, 2, server.Counts()["preflight"])
	require.Zero(t, server.Counts()["delete"], "nothing is sent before the limits are known")

	server.Control(nil)
	var group errgroup.Group
	for range 20 {
		group.Go(func() error { return col.Delete(t.Context(), []string{"a"}) })
	}
	require.NoError(t, group.Wait())
	require.Equal(t, 3, server.Counts()["preflight"])
	require.Equal(t, 20, server.Counts()["delete"])
}

func TestAnObservationTellsHowTheRequestEnded(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	var codes []string
	client := newClient(t, server, func(cfg *chroma.Config) {
		cfg.Observe = func(o chroma.Observation) { codes = append(codes, o.Code) }
	})
	for _, r := range []*chromatest.Response{nil, {Status: 503}, {Status: 408}, {Status: 401}, {Status: 200, Body: "<html>"}, {Drop: true}, {Truncate: true, Body: "{"}} {
		server.Control(only("heartbeat", r))
		_ = client.Heartbeat(t.Context()) // what it returns is tested elsewhere
	}
	require.Equal(t, []string{"200", "503", "408", "401", "bad_response", "network", "network"}, codes)
}

func TestAHeartbeatIsAskedForEachTime(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	client := newClient(t, server, nil)
	require.NoError(t, client.Heartbeat(t.Context()))
	require.NoError(t, client.Heartbeat(t.Context()))
	server.Control(only("heartbeat", &chromatest.Response{Status: 503}))
	requireError(t, client.Heartbeat(t.Context()), "retry", chroma.ReasonUnavailable)
	server.Control(only("heartbeat", &chromatest.Response{Status: 200, Body: `{"ok":true}`}))
	requireError(t, client.Heartbeat(t.Context()), "retry", chroma.ReasonBadResponse)
	require.Equal(t, map[string]int{"heartbeat": 4}, server.Counts(), "it touches nothing else")
}

func TestEveryRequestIsObservedOnce(t *testing.T) {
	t.Parallel()
	server := chromatest.Start(chromatest.Options{MaxBatch: 2})
	t.Cleanup(server.Close)
	type seen struct {
		op      string
		records int
		ok      bool
	}
	var got []seen
	col := newCollection(t, server, func(cfg *chroma.Config) {
		cfg.Observe = func(o chroma.Observation) {
			require.Positive(t, o.Duration)
			got = append(got, seen{o.Op, o.Records, o.Err == nil})
		}
	})
	ctx := t.Context()
	require.NoError(t, col.Upsert(ctx, []string{"a", "b", "c"}, [][]float32{{1}, {2}, {3}}, nil, nil))
	_, err := col.Get(ctx, []string{"a", "b", "c"})
	require.NoError(t, err)
	_, err = col.Query(ctx, []float32{1}, 3, nil)
	require.NoError(t, err)
	_, err = col.List(ctx, 0, 10, false)
	require.NoError(t, err)
	require.Error(t, col.Upsert(ctx, []string{"a"}, [][]float32{{}}, nil, nil))
	server.Control(only("update", &chromatest.Response{Status: 500}))
	require.Error(t, col.Update(ctx, []string{"a"}, []map[string]any{{"k": "v"}}))
	_, err = col.Count(ctx)
	require.NoError(t, err)
	require.Equal(t, []seen{
		{"preflight", 0, true},
		{"collection", 0, true},
		{"upsert", 2, true},
		{"upsert", 1, true},
		{"get", 2, true},
		{"get", 1, true},
		{"query", 0, true},
		{"get", 0, true},
		{"update", 1, false},
		{"count", 0, true},
	}, got)
}
