package admin_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deploy/local/admin"
)

func TestEditSetsMakesAndRemoves(t *testing.T) {
	t.Parallel()
	out, err := admin.Edit([]byte("a: 1\nconfigs:\n  database.port: \"5432\"\n  gone: x\n"), map[string]any{
		"configs/database.port": "15432", "configs/gone": nil, "userConfig/chroma/url": "http://h", "list": []string{"x"},
	})
	require.NoError(t, err)
	require.YAMLEq(t, "a: 1\nconfigs: {database.port: \"15432\"}\nuserConfig: {chroma: {url: http://h}}\nlist: [x]\n", string(out))
	for range 20 { // maps have no order
		out, err = admin.Edit([]byte("a: 1"), map[string]any{"t/x/text": "new", "t": map[string]any{"x": map[string]any{"text": "old", "k": 1}}})
		require.NoError(t, err)
		require.YAMLEq(t, "a: 1\nt: {x: {text: new, k: 1}}", string(out))
	}
	_, err = admin.Edit([]byte("a: ["), nil)
	require.ErrorContains(t, err, "read the document")
}

func TestAFailedCommandShowsWhatItPrinted(t *testing.T) {
	t.Parallel()
	_, err := admin.Pulsar{Program: "/bin/sh"}.Command(t.Context(), "-c", "echo seen; echo bad >&2; exit 3")
	var failed *admin.CommandError
	require.ErrorAs(t, err, &failed)
	require.ErrorContains(t, err, "seen\nbad")
	out, err := admin.Pulsar{Program: "/bin/echo"}.Command(t.Context(), "functions", "list")
	require.NoError(t, err)
	require.Equal(t, "functions list\n", out)
}

func TestAnswersAreRead(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/admin/v3/functions/public/default/f/stats":
			_, _ = w.Write([]byte(`{"receivedTotal":3,"instances":[{"metrics":{"userMetrics":{"m":1.5}}},{"metrics":{"userMetrics":{"m":2}}}]}`))
		case "/admin/v3/functions/public/default/f/status":
			_, _ = w.Write([]byte(`{"numRunning":1,"instances":[{"instanceId":0,"status":{"running":true,"error":"halted"}}]}`))
		case "/admin/v3/sources/public/default/s/status":
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write([]byte(`{"reason":"broken"}`))
		case "/admin/v2/persistent/public/default/store.app.articles/stats":
			_, _ = w.Write([]byte(`{"msgInCounter":5,"subscriptions":{"f":{"msgBacklog":2,"msgOutCounter":7}}}`))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	p := admin.Pulsar{URL: server.URL}
	stats, err := p.FunctionStats(t.Context(), "f")
	require.NoError(t, err)
	require.EqualValues(t, 3, stats.Received)
	require.InDelta(t, 3.5, stats.UserMetric("m"), 1e-9)
	status, err := p.FunctionStatus(t.Context(), "f")
	require.NoError(t, err)
	require.Equal(t, "halted", status.Instances[0].Status.Error)
	_, err = p.SourceStatus(t.Context(), "s")
	require.ErrorContains(t, err, "broken")
	topic, err := p.TopicStats(t.Context(), "public/default/store.app.articles")
	require.NoError(t, err)
	require.EqualValues(t, 5, topic.MessagesIn)
	require.EqualValues(t, 2, topic.Subscriptions["f"].Backlog)
	require.EqualValues(t, 7, topic.Subscriptions["f"].Delivered)
	_, err = p.TopicStats(t.Context(), "public/default/t")
	var missing *admin.NotFoundError
	require.True(t, errors.As(err, &missing))
}
