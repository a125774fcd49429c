package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReaders(t *testing.T) {
	t.Parallel()
	status, body := http.StatusNotFound, `{"reason": "Topic not found"}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/admin/v2/persistent/public/default/store.app.articles/stats" {
			status = http.StatusTeapot
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	d := &demo{}
	d.env.PulsarAdminURL = server.URL
	none, err := d.readers(t.Context())
	require.NoError(t, err)
	require.Empty(t, none)

	status = http.StatusOK
	body = `{"subscriptions": {"rowvec-articles": {"consumers": [{"address": "/127.0.0.1:5"}]}, "other": {"consumers": [{"address": "/127.0.0.1:6"}]}}}`
	one, err := d.readers(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"/127.0.0.1:5"}, one)

	body = "<html>"
	_, err = d.readers(t.Context())
	require.ErrorContains(t, err, "ask for the topic's readers")
	status = http.StatusInternalServerError
	_, err = d.readers(t.Context())
	require.ErrorContains(t, err, "500")
}

func TestReplaced(t *testing.T) {
	t.Parallel()
	require.Error(t, replaced(nil, nil))
	require.Error(t, replaced([]string{"a"}, nil))
	require.Error(t, replaced([]string{"a"}, []string{"b", "a"}))
	require.NoError(t, replaced([]string{"a"}, []string{"b"}))
	require.NoError(t, replaced(nil, []string{"b"}))
}
