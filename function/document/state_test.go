package document_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

func TestParseState(t *testing.T) {
	t.Parallel()
	want := document.State{Version: version(99), TextVersion: version(98), Fingerprint: "f", Chunks: 3, Keys: []string{"a", "b"}, Metadata: map[string]any{"b": "x", "a": int64(1)}}
	want.Version.Emitted = want.Version.CommitTime.Add(time.Second)
	want.Columns = document.Columns{"x": {Hash: "h"}, "y": {Hash: "i", Open: true}}
	for name, number := range map[string]func(int64) any{
		"int64":       func(n int64) any { return n },
		"int":         func(n int64) any { return int(n) },
		"float64":     func(n int64) any { return float64(n) },
		"json.Number": func(n int64) any { return json.Number(jsonInt(n)) },
		"json float":  func(n int64) any { return json.Number(jsonInt(n) + ".0") },
	} {
		got, err := document.ParseState(map[string]any{
			"b": "x", "a": int64(1), "gone": nil, "_rv_later": "unknown", "_rv_fp": "f",
			"_rv_lsn": number(99), "_rv_ts": number(1_767_323_045_678), "_rv_chunks": number(3),
			"_rv_em": number(1_767_323_046_678), "_rv_tlsn": number(98), "_rv_tts": number(1_767_323_045_678), "_rv_tem": number(0),
			"_rv_cols": `{"x":"h","y":"?i"}`,
		})
		require.NoError(t, err, name)
		require.Equal(t, want, got, name)
	}
}

func jsonInt(n int64) string {
	b, _ := json.Marshal(n)
	return string(b)
}

func TestStateGoesRound(t *testing.T) {
	t.Parallel()
	spec := articleSpec("{{.title}}")
	spec.Metadata = []document.Field{{Column: "title"}, {Column: "a"}}
	doc := build(t, spec, insert(int64(7), connector.Row{"title": "Tent", "a": int64(1)}))
	for _, v := range []connector.Version{version(1), version(1 << 62), {}, {LSN: 1<<64 - 1}} {
		got, err := document.ParseState(doc.Records(v, nil)[0].Metadata)
		require.NoError(t, err)
		require.NotEmpty(t, got.Columns["title"].Hash)
		require.Equal(t, document.State{
			Version: v, TextVersion: v, Fingerprint: doc.Fingerprint, Chunks: 1, Columns: got.Columns, Keys: []string{"a", "title"},
			Metadata: map[string]any{"a": int64(1), "title": "Tent"},
		}, got)
	}
}

func TestForeignRecordIsOverwritten(t *testing.T) {
	t.Parallel()
	got, err := document.ParseState(map[string]any{"source": "somebody else", "n": 1.5})
	require.NoError(t, err)
	require.Equal(t, document.State{Keys: []string{"n", "source"}, Metadata: map[string]any{"source": "somebody else", "n": 1.5}}, got)
	require.False(t, connector.Version{LSN: 1}.StaleAgainst(got.Version), "any change is newer")

	doc := build(t, articleSpec("{{.title}}"), insert(int64(7), connector.Row{"title": "x"}))
	require.NotEqual(t, doc.Fingerprint, got.Fingerprint, "its text is embedded")
	meta := doc.Records(version(1), &got)[0].Metadata
	require.Contains(t, meta, "source")
	require.Nil(t, meta["source"], "its metadata goes")

	got, err = document.ParseState(nil)
	require.NoError(t, err)
	require.Equal(t, document.State{Metadata: map[string]any{}}, got)
}

func TestDamagedMark(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(map[string]any){
		"text lsn":       func(m map[string]any) { m["_rv_lsn"] = "99" },
		"fraction":       func(m map[string]any) { m["_rv_lsn"] = 1.5 },
		"beyond int64":   func(m map[string]any) { m["_rv_lsn"] = 1e300 },
		"json fraction":  func(m map[string]any) { m["_rv_lsn"] = json.Number("1.5") },
		"no time":        func(m map[string]any) { delete(m, "_rv_ts") },
		"no fingerprint": func(m map[string]any) { delete(m, "_rv_fp") },
		"no chunks":      func(m map[string]any) { delete(m, "_rv_chunks") },
		"zero chunks":    func(m map[string]any) { m["_rv_chunks"] = int64(0) },
		"text time":      func(m map[string]any) { m["_rv_tlsn"] = int64(1) },
		"text position":  func(m map[string]any) { m["_rv_tlsn"] = "1" },
		"emitted":        func(m map[string]any) { m["_rv_em"] = "now" },
		"columns":        func(m map[string]any) { m["_rv_cols"] = "{" },
		"columns null":   func(m map[string]any) { m["_rv_cols"] = "null" },
		"columns number": func(m map[string]any) { m["_rv_cols"] = int64(1) },
		"endless chunks": func(m map[string]any) { m["_rv_chunks"] = int64(1 << 40) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			meta := map[string]any{"a": int64(1), "_rv_lsn": int64(1), "_rv_ts": int64(1), "_rv_fp": "f", "_rv_chunks": int64(1)}
			change(meta)
			got, err := document.ParseState(meta)
			requireError(t, err, "poison", document.ReasonBadState)
			require.Equal(t, document.State{Keys: []string{"a"}, Metadata: map[string]any{"a": int64(1)}}, got, "the keys are known all the same")
		})
	}
}

func TestUserMetadata(t *testing.T) {
	t.Parallel()
	require.Equal(t, map[string]any{"a": int64(1)}, document.UserMetadata(map[string]any{"a": int64(1), "b": nil, "_rv_x": 1}))
	require.Equal(t, map[string]any{}, document.UserMetadata(nil))
	require.True(t, document.IsReserved(document.KeyLSN))
	require.False(t, document.IsReserved("rv_lsn"))
}

func FuzzParseState(f *testing.F) {
	f.Add([]byte(`{"_rv_lsn":1,"_rv_ts":2,"_rv_fp":"f","_rv_chunks":1,"a":null}`))
	f.Add([]byte(`{"_rv_lsn":1e300,"_rv_chunks":-1}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var meta map[string]any
		if json.Unmarshal(raw, &meta) != nil {
			return
		}
		got, err := document.ParseState(meta)
		if err != nil {
			requireError(t, err, "poison", document.ReasonBadState)
		}
		for _, key := range got.Keys {
			require.NotNil(t, meta[key])
			require.False(t, document.IsReserved(key))
		}
	})
}
