package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deploy/local/admin"
)

// worker answers for four functions: one runs, one could not be started, one somebody has stopped, one is starting.
func worker(t *testing.T) (p admin.Pulsar, restarts *atomic.Int32) {
	t.Helper()
	restarts = &atomic.Int32{}
	const path = "/admin/v3/functions/public/default"
	answers := map[string]string{
		"GET " + path:                     `["runs","starts","failed","stopped"]`,
		"GET " + path + "/runs/status":    `{"numRunning":1,"instances":[{"status":{"running":true,"error":"retrying: embedding"}}]}`,
		"GET " + path + "/failed/status":  `{"numRunning":0,"instances":[{"status":{"running":false,"error":"HTTP 503"}}]}`,
		"GET " + path + "/stopped/status": `{"numRunning":0,"instances":[{"status":{"running":false,"error":""}}]}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method + " " + r.URL.Path {
		case "POST " + path + "/failed/restart":
			restarts.Add(1)
			w.WriteHeader(http.StatusNoContent)
		case "GET " + path + "/starts/status":
			if restarts.Load() == 0 {
				_, _ = w.Write([]byte(`{"numRunning":1,"instances":[{"status":{"running":true}},{"status":{}}]}`))
				return
			}
			_, _ = w.Write([]byte(`{"numRunning":2,"instances":[{"status":{"running":true}},{"status":{"running":true}}]}`))
		default:
			if answers[r.Method+" "+r.URL.Path] == "" {
				http.NotFound(w, r)
				return
			}
			_, _ = w.Write([]byte(answers[r.Method+" "+r.URL.Path]))
		}
	}))
	t.Cleanup(server.Close)
	return admin.Pulsar{URL: server.URL, Client: server.Client()}, restarts
}

func TestOnlyWhatPulsarCouldNotStartIsRestarted(t *testing.T) {
	t.Parallel()
	p, restarts := worker(t)
	names, err := p.Functions(t.Context())
	require.NoError(t, err)
	var out bytes.Buffer
	left, err := resumed(t.Context(), p, names, &out)
	require.NoError(t, err)
	require.Equal(t, []string{"starts", "stopped"}, left)
	require.Equal(t, "Pulsar could not start the function failed (HTTP 503); restarted it.\n", out.String())
	left, err = resumed(t.Context(), p, left, &out)
	require.NoError(t, err)
	require.Equal(t, []string{"stopped"}, left)
	require.EqualValues(t, 1, restarts.Load(), "once")

	_, err = resumed(t.Context(), p, []string{"gone"}, &out)
	require.ErrorContains(t, err, "gone/status is not there")
}

func TestResumeEndsWithItsContext(t *testing.T) {
	t.Parallel()
	p, _ := worker(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	require.ErrorIs(t, resume(ctx, p, &out), context.Canceled)
}
