package broker_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/admin"
	"github.com/rowvec/rowvec/gateway/broker"
)

const (
	inDefault = "/admin/v2/persistent/public/default"
	seven     = `{"subscriptions":{"sub":{"msgBacklog":7},"other":{"msgBacklog":99}}}`
	three     = `{"subscriptions":{"sub":{"msgBacklog":3}}}`
)

func TestBacklogIsTheSubscriptionsOwn(t *testing.T) {
	t.Parallel()
	f := answers{
		inDefault + "/store.app.articles/stats":           seven,
		inDefault + "/store.app.parted/partitioned-stats": three,
		inDefault + "/f-dlq/stats":                        `{"subscriptions":{"rowvec-dlq":{"msgBacklog":5},"looker":{"msgBacklog":1}}}`,
	}.function(t, asIs)
	backlog, waiting, err := f.Backlog(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]int64{"app.articles": 7, "app.parted": 3}, backlog, "a table without a topic is left out")
	require.EqualValues(t, 5, *waiting)
}

func TestATopicThatCannotBeReadHidesNoOther(t *testing.T) {
	t.Parallel()
	for path, broken := range map[string]string{
		inDefault + "/store.app.articles/stats":             "", // 500
		inDefault + "/store.app.articles/partitioned-stats": "<html>",
	} {
		f := answers{
			path:                                  broken,
			inDefault + "/store.app.parted/stats": three,
			inDefault + "/f-dlq/stats":            `{"subscriptions":{"rowvec-dlq":{"msgBacklog":5}}}`,
		}.function(t, asIs)
		backlog, waiting, err := f.Backlog(t.Context())
		require.ErrorContains(t, err, "store.app.articles")
		require.Equal(t, map[string]int64{"app.parted": 3}, backlog)
		require.EqualValues(t, 5, *waiting)
	}
	f := answers{inDefault + "/store.app.articles/stats": seven, inDefault + "/f-dlq/stats": ""}.function(t, asIs)
	backlog, waiting, err := f.Backlog(t.Context())
	require.ErrorContains(t, err, "f-dlq")
	require.Equal(t, map[string]int64{"app.articles": 7}, backlog)
	require.Nil(t, waiting, "0 would be no dead letter")
}

func TestTheTopicsOfATableAddUp(t *testing.T) {
	t.Parallel()
	edit := func(f *broker.Function) {
		f.Inputs = []string{"persistent://public/default/a.app.articles", "public/default/b.app.articles", "b.app.articles", "persistent://shop/prod/c.app.articles"}
	}
	all := answers{
		inDefault + "/a.app.articles/stats":                   seven,
		inDefault + "/b.app.articles/stats":                   three,
		"/admin/v2/persistent/shop/prod/c.app.articles/stats": three,
	}
	backlog, _, err := all.function(t, edit).Backlog(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]int64{"app.articles": 13}, backlog)

	all[inDefault+"/b.app.articles/stats"] = ""
	backlog, _, err = all.function(t, edit).Backlog(t.Context())
	require.Error(t, err)
	require.Empty(t, backlog, "a sum of some is none")
}

func TestThePatternsTopicsAreThoseOfItsNamespace(t *testing.T) {
	t.Parallel()
	f := answers{
		inDefault:                  `["persistent://public/default/store.app.articles"]`, // the function's own namespace has nothing to do with it
		inDefault + "/partitioned": `[]`,
		"/admin/v2/persistent/shop/prod": `["persistent://shop/prod/store.app.articles","persistent://shop/prod/x.store.app.articles",
			"persistent://shop/prod/old.app.articles","persistent://shop/prod/store.app.parted-partition-0"]`,
		"/admin/v2/persistent/shop/prod/partitioned":                        `["persistent://shop/prod/store.app.parted"]`,
		"/admin/v2/persistent/shop/prod/store.app.articles/stats":           seven,
		"/admin/v2/persistent/shop/prod/x.store.app.articles/stats":         three,
		"/admin/v2/persistent/shop/prod/old.app.articles/stats":             three,
		"/admin/v2/persistent/shop/prod/store.app.parted/partitioned-stats": three,
	}.function(t, func(f *broker.Function) {
		f.Inputs, f.Patterns = nil, []string{`persistent://shop/prod/store\..*`, `shop/prod/^store\.app\.parted$`}
	})
	backlog, waiting, err := f.Backlog(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]int64{"app.articles": 7, "app.parted": 3}, backlog, "the pattern matches whole names, and a topic counts once")
	require.Zero(t, *waiting)
}

func TestAPatternThatCannotBeLookedUpHidesNoInput(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{`shop/prod/store\..*`, `shop/prod/(`} {
		f := answers{
			inDefault + "/store.app.articles/stats":      seven,
			"/admin/v2/persistent/shop/prod/partitioned": "",
		}.function(t, func(f *broker.Function) { f.Patterns = []string{pattern} })
		backlog, _, err := f.Backlog(t.Context())
		require.ErrorContains(t, err, "shop/prod")
		require.Equal(t, map[string]int64{"app.articles": 7}, backlog)
	}
}

// TestTopicsAreAskedForAtTheSameTime, a few of them: one after the other many topics would take longer than a round.
func TestTopicsAreAskedForAtTheSameTime(t *testing.T) {
	t.Parallel()
	var now, most atomic.Int64
	full := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for seen := most.Load(); n > seen && !most.CompareAndSwap(seen, n); seen = most.Load() {
			continue
		}
		if n == 4 {
			select {
			case <-full:
			default:
				close(full)
			}
		}
		select { // until there are as many as there may be
		case <-full:
		case <-time.After(10 * time.Second):
		}
		_, _ = w.Write([]byte(three))
	}))
	t.Cleanup(server.Close)
	client, err := admin.New(admin.Config{URL: server.URL})
	require.NoError(t, err)
	t.Cleanup(client.Close)
	f := &broker.Function{Admin: client, Subscription: "sub", DeadLetters: "dlq"}
	for i := range 40 {
		f.Tables = append(f.Tables, fmt.Sprint("app.t", i))
		f.Inputs = append(f.Inputs, fmt.Sprint("public/default/store.app.t", i))
	}
	backlog, _, err := f.Backlog(t.Context())
	require.NoError(t, err)
	require.Len(t, backlog, 40)
	require.EqualValues(t, 4, most.Load())
}
