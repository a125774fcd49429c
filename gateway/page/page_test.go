package page

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func get(t *testing.T, path string, header ...string) *http.Response {
	t.Helper()
	return ask(t, http.MethodGet, path, header...)
}

func ask(t *testing.T, method, path string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	require.NoError(t, r.Body.Close())
	return string(b)
}

func TestTheDocumentIsServedAtTheRoot(t *testing.T) {
	t.Parallel()
	r := get(t, "/")
	require.Equal(t, http.StatusOK, r.StatusCode)
	require.Equal(t, "text/html; charset=utf-8", r.Header.Get("Content-Type"))
	require.Equal(t, "no-cache", r.Header.Get("Cache-Control"))
	require.Empty(t, r.Header.Get("Content-Encoding"))
	require.Equal(t, text(t, get(t, "/index.html")), text(t, r))
}

// TestTheDocumentObeysItsPolicy: everything that the document names is a file of the gateway, and nothing in it is script or style of its
// own.
func TestTheDocumentObeysItsPolicy(t *testing.T) {
	t.Parallel()
	r := get(t, "/")
	for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"} {
		require.Contains(t, r.Header.Get("Content-Security-Policy"), part)
	}
	require.NotContains(t, r.Header.Get("Content-Security-Policy"), "unsafe")
	document := text(t, r)
	require.NotRegexp(t, `<style|\sstyle=|\son[a-z]+=`, document)
	require.NotRegexp(t, `<script[^>]*>[^<]`, document)
	named := regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(document, -1)
	require.GreaterOrEqual(t, len(named), 3, "a script, a style sheet and an icon")
	for _, n := range named {
		require.True(t, strings.HasPrefix(n[1], "/") && !strings.HasPrefix(n[1], "//"), n[1])
		require.Equal(t, http.StatusOK, get(t, n[1]).StatusCode, n[1])
	}
}

func TestEveryBuiltFileIsServed(t *testing.T) {
	t.Parallel()
	types := map[string]string{"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "html": "text/html; charset=utf-8", "svg": "image/svg+xml"}
	require.NoError(t, fs.WalkDir(dist, "dist", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		r := get(t, strings.TrimPrefix(name, "dist"))
		want, err := fs.ReadFile(dist, name)
		require.NoError(t, err)
		require.Equal(t, string(want), text(t, r), name)
		require.Equal(t, types[name[strings.LastIndex(name, ".")+1:]], r.Header.Get("Content-Type"), name)
		if strings.HasPrefix(name, "dist/assets/") {
			require.Contains(t, r.Header.Get("Cache-Control"), "immutable", name)
		}
		return nil
	}))
}

// TestThePageIsSmall: what a browser loads, compressed.
func TestThePageIsSmall(t *testing.T) {
	t.Parallel()
	files, err := load(dist)
	require.NoError(t, err)
	total := 0
	for name, f := range files {
		if name == "/" {
			continue
		}
		total += min(len(f.plain), len(f.zipped))
	}
	require.Less(t, total, 60_000)
}

func TestCompressed(t *testing.T) {
	t.Parallel()
	plain := text(t, get(t, "/"))
	r := get(t, "/", "Accept-Encoding", "deflate, gzip;q=0.8, br")
	require.Equal(t, "gzip", r.Header.Get("Content-Encoding"))
	require.Equal(t, "Accept-Encoding", r.Header.Get("Vary"))
	z, err := gzip.NewReader(r.Body)
	require.NoError(t, err)
	b, err := io.ReadAll(z)
	require.NoError(t, err)
	require.Equal(t, plain, string(b))
}

func TestTakesGzip(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		"": false, "gzip": true, "gzip, br": true, "br;q=1.0, gzip;q=0.5": true, "*": true, "GZIP": true,
		"gzip;q=0": false, "gzip;q=0.0": false, "br": false, "gzip;q=0.001": true, "identity": false, ";": false,
	} {
		require.Equal(t, want, takesGzip(header), header)
	}
}

func TestATagSavesTheBody(t *testing.T) {
	t.Parallel()
	for _, encoding := range []string{"", "gzip"} {
		tag := get(t, "/", "Accept-Encoding", encoding).Header.Get("ETag")
		require.NotEmpty(t, tag)
		for _, sent := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
			r := get(t, "/", "Accept-Encoding", encoding, "If-None-Match", sent)
			require.Equal(t, http.StatusNotModified, r.StatusCode, sent)
			require.Empty(t, text(t, r))
			require.Equal(t, tag, r.Header.Get("ETag"))
		}
		require.Equal(t, http.StatusOK, get(t, "/", "Accept-Encoding", encoding, "If-None-Match", `"other"`).StatusCode)
	}
	require.NotEqual(t, get(t, "/").Header.Get("ETag"), get(t, "/", "Accept-Encoding", "gzip").Header.Get("ETag"), "two bodies have two tags")
}

func TestWhatIsNotThere(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/nothing", "/assets/", "/assets", "/dist/index.html", "/../page.go", "/policy.txt", "/index.html/"} {
		r := get(t, path)
		require.Equal(t, http.StatusNotFound, r.StatusCode, path)
		require.Equal(t, "application/problem+json", r.Header.Get("Content-Type"), path)
	}
}

func TestOtherMethods(t *testing.T) {
	t.Parallel()
	head := ask(t, http.MethodHead, "/")
	require.Equal(t, http.StatusOK, head.StatusCode)
	require.Empty(t, text(t, head))
	require.NotEqual(t, "0", head.Header.Get("Content-Length"))
	post := ask(t, http.MethodPost, "/")
	require.Equal(t, http.StatusMethodNotAllowed, post.StatusCode)
	require.Equal(t, "GET, HEAD", post.Header.Get("Allow"))
}

func TestAPageWithoutADocumentIsRefused(t *testing.T) {
	t.Parallel()
	_, err := load(fstest.MapFS{"dist/favicon.svg": {Data: []byte("<svg/>")}})
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestWhatDoesNotGetSmallerIsSentAsItIs(t *testing.T) {
	t.Parallel()
	f, err := newFile("a.bin", []byte{1, 2, 3})
	require.NoError(t, err)
	require.Nil(t, f.zipped)
	require.Equal(t, "application/octet-stream", f.contentType)
	f, err = newFile("assets/a.js", bytes.Repeat([]byte("let a = 1\n"), 100))
	require.NoError(t, err)
	require.NotNil(t, f.zipped)
	require.Equal(t, immutable, f.cache)
}
