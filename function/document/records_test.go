package document_test

import (
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

func TestRecordOfARow(t *testing.T) {
	t.Parallel()
	spec := articleSpec("{{.title}}")
	spec.Metadata = []document.Field{{Column: "title"}}
	doc := build(t, spec, insert(int64(7), connector.Row{"title": "Tent"}))
	require.Equal(t, []document.Record{{ID: "7", Document: "Tent", Metadata: map[string]any{
		"title": "Tent", "_rv_lsn": int64(99), "_rv_ts": int64(1_767_323_045_678), "_rv_em": int64(0),
		"_rv_tlsn": int64(99), "_rv_tts": int64(1_767_323_045_678), "_rv_tem": int64(0),
		"_rv_fp": doc.Fingerprint, "_rv_chunks": int64(1), "_rv_cols": `{"title":"x5XtkjpFRag"}`,
	}}}, doc.Records(version(99), nil))
}

func TestRecordsOfChunks(t *testing.T) {
	t.Parallel()
	spec := articleSpec("{{.title}}")
	spec.Metadata = []document.Field{{Column: "n"}, {Column: "gone"}, {Column: "big"}}
	spec.Chunk = &document.ChunkSpec{Tokens: 8}
	c := insert("a/b", connector.Row{"title": "One two three four. Five six seven eight.", "n": int64(1), "big": connector.Unavailable{}})
	doc := build(t, spec, c)
	require.Len(t, doc.Chunks, 2)
	records := doc.Records(version(99), &document.State{
		Keys: []string{"big", "n", "old"}, Metadata: map[string]any{"big": "kept", "n": int64(0), "old": "x"},
	})
	mark := map[string]any{}
	for key, value := range records[0].Metadata {
		if strings.HasPrefix(key, "_rv_t") && key != document.KeyCommitTime || key == document.KeyColumns || key == document.KeyEmitted {
			mark[key] = value
			delete(records[0].Metadata, key)
		}
	}
	require.Len(t, mark, 5)

	require.Equal(t, []document.Record{
		{ID: "a%2Fb", Document: "One two three four. ", Metadata: map[string]any{
			"n": int64(1), "old": nil, "gone": nil, "big": "kept", "_rv_lsn": int64(99), "_rv_ts": int64(1_767_323_045_678), "_rv_fp": doc.Fingerprint,
			"_rv_chunks": int64(2), "_rv_row": "a%2Fb", "_rv_chunk": int64(0), "_rv_start": int64(0), "_rv_end": int64(20),
		}},
		{ID: "a%2Fb#1", Document: "Five six seven eight.", Metadata: map[string]any{
			"n": int64(1), "old": nil, "gone": nil, "big": "kept", "_rv_row": "a%2Fb", "_rv_chunk": int64(1), "_rv_start": int64(20), "_rv_end": int64(41),
		}},
	}, records)
}

func TestRecordsOfATableThatNoLongerAsksForChunks(t *testing.T) {
	t.Parallel()
	spec := articleSpec("{{.title}}")
	spec.Chunk = &document.ChunkSpec{Tokens: 100}
	c := insert(int64(7), connector.Row{"title": "Tent"})
	stored := map[string]any{}
	merge(stored, build(t, spec, c).Records(version(1), nil)[0].Metadata)
	require.Contains(t, stored, document.KeyRow, "one chunk has its place, too")

	state, err := document.ParseState(stored)
	require.NoError(t, err)
	spec.Chunk = nil
	merge(stored, build(t, spec, c).Records(version(2), &state)[0].Metadata)
	require.NotContains(t, stored, document.KeyRow)
	require.NotContains(t, stored, document.KeyEnd)
	require.Equal(t, int64(2), stored[document.KeyLSN])
}

// TestStoredMetadataEqualsTheRow writes random histories of a row, with and without crashes before the commit mark, to a store that
// merges as Chroma does: after every change that is wholly written, each record has the row's metadata and nothing else.
func TestStoredMetadataEqualsTheRow(t *testing.T) {
	t.Parallel()
	spec := articleSpec("{{.body}}")
	spec.Metadata = []document.Field{{Column: "a"}, {Column: "b", As: "renamed"}, {Column: "c"}}
	spec.Chunk = &document.ChunkSpec{Tokens: 8}
	b := newBuilder(t, spec)
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		store := map[string]map[string]any{}
		for lsn := range uint64(20) {
			doc, err := b.Build(insert(int64(1), randomRow(r)))
			require.NoError(t, err)
			records := doc.Records(version(lsn), storedState(t, store["1"]))
			crashed := r.IntN(3) == 0
			writeFirstLast(store, records, crashed)
			if crashed {
				continue
			}
			for _, record := range records {
				require.Equal(t, doc.Metadata, document.UserMetadata(store[record.ID]), "seed %d lsn %d %s", seed, lsn, record.ID)
			}
			require.Equal(t, version(lsn), storedState(t, store["1"]).Version)
			require.Equal(t, len(records), storedState(t, store["1"]).Chunks)
		}
	}
}

func randomRow(r *rand.Rand) connector.Row {
	row := connector.Row{"body": strings.Repeat("Some words here now. ", 1+r.IntN(4))}
	for _, column := range []string{"a", "b", "c"} {
		switch r.IntN(3) {
		case 0:
			row[column] = int64(r.IntN(9))
		case 1:
			row[column] = nil
		}
	}
	return row
}

// writeFirstLast writes later chunks, then the first unless the writer crashes.
func writeFirstLast(store map[string]map[string]any, records []document.Record, crashed bool) {
	for i := len(records) - 1; i >= 0; i-- {
		if i == 0 && crashed {
			return
		}
		if store[records[i].ID] == nil {
			store[records[i].ID] = map[string]any{}
		}
		merge(store[records[i].ID], records[i].Metadata)
	}
}

// merge is what Chroma's upsert does with metadata.
func merge(stored, sent map[string]any) {
	maps.Copy(stored, sent)
	maps.DeleteFunc(stored, func(_ string, v any) bool { return v == nil })
}

func storedState(t *testing.T, meta map[string]any) *document.State {
	t.Helper()
	if meta == nil {
		return nil
	}
	state, err := document.ParseState(meta)
	require.NoError(t, err)
	return &state
}
