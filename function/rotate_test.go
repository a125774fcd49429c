package function

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma/chromatest"
	"github.com/rowvec/rowvec/embed/embedtest"
	"github.com/rowvec/rowvec/function/indexer"
)

// keyFiles is a folder of secrets; "": there is none, and no secret.
type keyFiles string

func (k keyFiles) path(name string) string { return filepath.Join(string(k), name) }

// setting is how function.yaml names one of them.
func (k keyFiles) setting(name string) any {
	if k == "" {
		return "none-for-the-test"
	}
	return map[string]any{"file": k.path(name)}
}

// write replaces the file at once: who looks meanwhile never sees an empty one, which would be one trouble more.
func (k keyFiles) write(t *testing.T, name, value string) {
	t.Helper()
	beside := k.path("." + name)
	require.NoError(t, os.WriteFile(beside, []byte(value+"\n"), 0o600))
	require.NoError(t, os.Rename(beside, k.path(name)))
}

// only lets in who has this key and this token, and repeats to others what they came with.
func (h *halting) only(key, token string) {
	h.endpoint.Control(func(r *embedtest.Request) *embedtest.Response {
		if got := r.Header.Get("Authorization"); got != "Bearer "+key {
			return embedtest.Fail(http.StatusUnauthorized, "", "no to "+got+", nor to planted-key-1")
		}
		return nil
	})
	h.index.Control(func(r chromatest.Request) *chromatest.Response {
		if got := r.Header.Get("X-Chroma-Token"); got != token {
			return &chromatest.Response{Status: http.StatusUnauthorized, Body: `{"error":"AuthError","message":"no to ` + got + `"}`}
		}
		return nil
	})
}

// A key is rotated where it is made, then in its file: the halt ends with the next probe. Neither key is ever shown.
func TestARotatedSecretEndsTheHalt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ file, key, token, says string }{
		{"key", "planted-key-2", "planted-token-1", "embedding.apiKey"},
		{"token", "planted-key-1", "planted-token-2", "chroma.token"},
	} {
		h := &halting{endpoint: embedtest.New(embedtest.Options{Dimensions: 8}), index: chromatest.New(t), keys: keyFiles(t.TempDir())}
		t.Cleanup(h.endpoint.Close)
		t.Run(c.says, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h.t = t
				h.keys.write(t, "key", "planted-key-1")
				h.keys.write(t, "token", "planted-token-1")
				h.only("planted-key-1", "planted-token-1")
				defer h.start(t)()
				require.Equal(t, indexer.Indexed, (<-h.submit(t, 1, 1)).Kind)

				h.only(c.key, c.token)
				second := h.submit(t, 2, 2)
				<-time.After(time.Second)
				h.requireHalted(t, c.says)
				require.NoError(t, os.Remove(h.keys.path(c.file)))
				<-time.After(10 * time.Minute)
				h.requireHalted(t, "what it names now cannot be used")
				h.requireHalted(t, h.keys.path(c.file))
				require.NotContains(t, h.spoken.of("table app.articles"), "planted")
				require.Empty(t, second)

				h.keys.write(t, "key", c.key)
				h.keys.write(t, "token", c.token)
				at := time.Now()
				require.Equal(t, indexer.Indexed, (<-second).Kind)
				require.LessOrEqual(t, time.Since(at), 61*time.Second, "one probe for the look-up, and one for the write")
				require.Equal(t, indexer.Indexed, (<-h.submit(t, 3, 3)).Kind)
				require.Empty(t, h.spoken.of("table app.articles"))
				for _, said := range h.spoken.exceptions {
					require.NotContains(t, said, "planted")
				}
			})
		})
	}
}
