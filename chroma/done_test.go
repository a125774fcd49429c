package chroma_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/chroma/chromatest"
)

// TestOnlyChromaSaysThatAWriteIsDone: a record is acknowledged for it.
func TestOnlyChromaSaysThatAWriteIsDone(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	col := newCollection(t, server, nil)
	require.NoError(t, col.Upsert(t.Context(), []string{"old"}, [][]float32{{1, 2}}, nil, []map[string]any{{"n": int64(1)}}))
	writes := operations(t, col)
	for op := range writes {
		if op != "add" && op != "upsert" && op != "update" && op != "delete" {
			delete(writes, op)
		}
	}
	writes["expire"] = func() error {
		_, err := col.Expire(t.Context(), "n", 2, 10)
		return err
	}
	require.Len(t, writes, 5)
	answer := func(op, body string) error {
		if op == "expire" {
			server.Control(only("delete", &chromatest.Response{Status: 200, Body: body}))
		} else {
			server.Control(only(op, &chromatest.Response{Status: 200, Body: body}))
		}
		return writes[op]()
	}
	for op := range writes {
		for _, body := range []string{"{}", " {}\n", `{"deleted":0}`, `{"deleted":5461}`, `{"deleted":1,"log_position":12,"error":null}`} {
			require.NoError(t, answer(op, body), "%s %s", op, body)
		}
		for _, body := range []string{
			`{"status":"maintenance"}`, `{"status":503}`, `{"statusCode":503}`, `{"maintenance":true}`, `{"message":"back at noon"}`, `{"ok":false}`,
			`{"error":"NotFoundError"}`, `{"errors":[]}`, `{"data":{}}`, `{"retryAfter":30}`, `{"code":0}`, `{"deleted":-1}`, `{"deleted":"1"}`,
			`{"deleted":1,"detail":"and not written"}`, "null", "true", "[]", "7", "", "{}{}",
		} {
			failed := failureOf(t, answer(op, body), "retry", chroma.ReasonBadResponse)
			require.Contains(t, failed.Error(), "check chroma.url", "%s %s", op, body)
			require.NotContains(t, failed.Error(), "noon")
		}
	}
	require.Contains(t, server.Records("articles"), "old")
	server.Control(nil)
	for op, write := range writes {
		require.NoError(t, write(), op)
	}
}

// FuzzDone: whatever is answered, the write is done or is tried again.
func FuzzDone(f *testing.F) {
	for _, body := range []string{"{}", `{"deleted":3}`, `{"status":"maintenance"}`, "null", "{"} {
		f.Add(body)
	}
	server := chromatest.New(f)
	client, err := chroma.New(chroma.Config{URL: server.URL, Timeout: time.Minute})
	require.NoError(f, err)
	col, err := client.Ensure(f.Context(), chroma.CollectionSpec{Name: "articles"})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, body string) {
		server.Control(only("upsert", &chromatest.Response{Status: 200, Body: body}))
		if err := col.Upsert(t.Context(), []string{"a"}, [][]float32{{1}}, nil, nil); err != nil {
			requireError(t, err, "retry", chroma.ReasonBadResponse)
			return
		}
		var counts map[string]*uint64
		require.NoError(t, json.Unmarshal([]byte(body), &counts))
		require.NotNil(t, counts)
	})
}
