package document_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/document"
)

func TestSettingsThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change  func(*document.Spec)
		setting string
		says    string
	}{
		"reserved name":  {func(s *document.Spec) { s.Metadata = []document.Field{{Column: "_rv_lsn"}} }, "metadata", "reserved"},
		"reserved as":    {func(s *document.Spec) { s.Metadata = []document.Field{{Column: "a", As: "_rv_x"}} }, "metadata", "reserved"},
		"chroma name":    {func(s *document.Spec) { s.Metadata = []document.Field{{Column: "chroma:x"}} }, "metadata", "chroma:"},
		"hash name":      {func(s *document.Spec) { s.Metadata = []document.Field{{Column: "#x"}} }, "metadata", "#x"},
		"no column":      {func(s *document.Spec) { s.Metadata = []document.Field{{As: "x"}} }, "metadata", "no column"},
		"duplicate":      {func(s *document.Spec) { s.Metadata = []document.Field{{Column: "a"}, {Column: "b", As: "a"}} }, "metadata", "twice"},
		"duplicate key":  {func(s *document.Spec) { s.Key = []string{"a", "a"} }, "key", "twice"},
		"empty key":      {func(s *document.Spec) { s.Key = []string{""} }, "key", "empty"},
		"tiny chunk":     {func(s *document.Spec) { s.Chunk = &document.ChunkSpec{Tokens: 3} }, "chunk.tokens", "found 3"},
		"much overlap":   {func(s *document.Spec) { s.Chunk = &document.ChunkSpec{Tokens: 8, Overlap: 8} }, "chunk.overlap", "found 8"},
		"little overlap": {func(s *document.Spec) { s.Chunk = &document.ChunkSpec{Tokens: 8, Overlap: -1} }, "chunk.overlap", "found -1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := articleSpec("{{.title}}")
			tc.change(&spec)
			_, err := document.NewBuilder(spec)
			e := requireFault(t, err, "halt", document.ReasonBadSetting)
			require.Equal(t, "tables.app.articles."+tc.setting, e.Setting)
			require.ErrorContains(t, err, tc.says)
		})
	}
}

func TestAllFaultsAreToldAtOnce(t *testing.T) {
	t.Parallel()
	spec := articleSpec("{{")
	spec.Metadata = []document.Field{{Column: "_rv_a"}, {Column: "#b"}}
	spec.Chunk = &document.ChunkSpec{}
	_, err := document.NewBuilder(spec)
	for _, want := range []string{"articles.text", "_rv_a", "#b", "chunk.tokens"} {
		require.ErrorContains(t, err, want)
	}
}

func TestRenamesMakeNamesUsable(t *testing.T) {
	t.Parallel()
	spec := articleSpec("{{.title}}")
	spec.Metadata = []document.Field{{Column: "_rv_lsn", As: "lsn"}, {Column: "#x", As: "x"}, {Column: "a"}, {Column: "a", As: "a2"}}
	newBuilder(t, spec)
}
