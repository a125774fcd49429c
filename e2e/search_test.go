//go:build e2e

package e2e

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// chunkFound is a result of `rowvec search --json`.
type chunkFound struct {
	ID, Record, Text          string
	Chunk, Chunks, Start, End int
	LSN                       uint64
}

func (d *deployment) searchFor(t *testing.T, args ...string) []chunkFound {
	t.Helper()
	var stderr strings.Builder
	c := exec.CommandContext(t.Context(), filepath.Join(world.root, "bin", "rowvec"), append([]string{"search", "-f", d.file, "--json"}, args...)...)
	c.Stderr = &stderr
	out, err := c.Output()
	require.NoError(t, err, stderr.String())
	var found struct{ Results []chunkFound }
	require.NoError(t, json.Unmarshal(out, &found))
	return found.Results
}

// requireChunksNamed: a search over chunks names the row, the chunk and the bytes of the row's text that it has. The row is one of those
// that fillVerify made of several chunks; the filter finds it, whatever its vectors are.
func (d *deployment) requireChunksNamed(t *testing.T, id string) {
	t.Helper()
	var text string
	require.NoError(t, world.db.QueryRow(t.Context(), "SELECT trim(title || ': ' || body) FROM app."+d.table+" WHERE id = $1", id).Scan(&text))
	filter := []string{"--where", `{"title": {"$in": ["Article ` + id + `"]}, "tags": {"$contains": "new"}}`, "--contains", "of", "more of it follows here"}
	every := d.searchFor(t, append([]string{"--chunks", "--top", "100"}, filter...)...)
	require.Greater(t, len(every), 1)
	seen := make([]bool, len(every))
	for _, f := range every {
		require.Equal(t, id, f.ID)
		require.Equal(t, len(every), f.Chunks)
		require.Equal(t, text[f.Start:f.End], f.Text)
		require.Positive(t, f.LSN)
		seen[f.Chunk] = true
	}
	require.NotContains(t, seen, false, "each chunk once")
	best := d.searchFor(t, filter...)
	require.Len(t, best, 1)
	require.Equal(t, []any{id, every[0].Text}, []any{best[0].ID, best[0].Text}, "the best chunk of the row") // others may have the same text
}
