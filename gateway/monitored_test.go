package gateway_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/gateway"
	"github.com/rowvec/rowvec/gateway/access"
	"github.com/rowvec/rowvec/gateway/monitor"
)

// TestASearchOverACollectionIsOne, and not one of the tables that it left out.
func TestASearchOverACollectionIsOne(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		skipped    []string
		shop, rest int64
	}{
		"all of them":    {nil, 1, 1},
		"one left out":   {[]string{"app.orders"}, 1, 0},
		"the other left": {[]string{"app.articles"}, 0, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			x := filled()
			x.result.Skipped = tt.skipped
			c := settings(open)
			c.Tables = map[string]config.Table{"app.articles": {Collection: "all"}, "app.orders": {Collection: "all"}}
			m := monitor.New(monitor.Config{
				Tables: []monitor.Table{{Table: "app.articles", Collection: "all"}, {Table: "app.orders", Collection: "all"}},
				Chroma: func(context.Context) error { return nil }, Log: slog.New(slog.DiscardHandler),
				Index: func(context.Context, monitor.Table) (monitor.IndexCounts, error) { return monitor.IndexCounts{}, nil },
			})
			keeper, err := access.New(c.Gateway, func(string) (string, bool) { return "", false })
			require.NoError(t, err)
			g := gateway.New(gateway.Config{Settings: c, Index: x, Keeper: keeper, Monitor: m, Registry: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler)})

			ctx, stop := context.WithCancel(t.Context())
			var running sync.WaitGroup
			running.Go(func() { m.Run(ctx) })
			w, _ := do(t, g, post("/v1/search", `{"collection":"all","query":"boots"}`))
			<-time.After(1500 * time.Millisecond) // the bubble's clock
			stop()
			running.Wait()
			require.Equal(t, http.StatusOK, w.Code, w.Body.String())
			require.EqualValues(t, 1, searchesSeen(t, m, nil), name)
			require.Equal(t, tt.shop, searchesSeen(t, m, func(table string) bool { return table == "app.articles" }), name)
			require.Equal(t, tt.rest, searchesSeen(t, m, func(table string) bool { return table == "app.orders" }), name)
		})
	}
}

// searchesSeen is how many there were before, for a listener.
func searchesSeen(t *testing.T, m *monitor.Monitor, see func(string) bool) (n int64) {
	t.Helper()
	for _, e := range m.Opening(see, false, false) {
		if e.Name != "history" {
			continue
		}
		data, err := json.Marshal(e.Body)
		require.NoError(t, err)
		var h monitor.History
		require.NoError(t, json.Unmarshal(data, &h))
		for _, tick := range h.Ticks {
			n += tick.Queries.Count
		}
	}
	return n
}
