// Package page serves the gateway's page, whose sources are in web/ and whose built files are in dist/, compiled into the binary
// (`make page` builds them).
package page

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/rowvec/rowvec/gateway/problem"
)

//go:embed all:dist
var dist embed.FS

// policy is the Content-Security-Policy of the page: what it loads comes from the gateway, and nothing is written into the document as
// script or style. The tests of web/ serve the page with it, too.
//
//go:embed policy.txt
var policy string

const (
	index     = "index.html"
	immutable = "public, max-age=31536000, immutable" // names in assets/ carry a hash of what is in them
	revalue   = "no-cache"                            // kept, and asked for with its tag each time
)

// file is one of the built files, as it is sent.
type file struct {
	contentType string
	cache       string
	tag         string
	plain       []byte
	zipped      []byte // nil where it is not smaller
}

// Handler serves the page at /, and its files. Any other path is answered with a problem document. It needs no token: the page asks for
// one where the gateway wants it.
func Handler() http.Handler {
	files, err := load(dist)
	if err != nil { // cannot be: the files are part of the program
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			problem.New(http.StatusInternalServerError, "this program was built without its page").Write(w)
		})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serve(files, w, r) })
}

func serve(files map[string]*file, w http.ResponseWriter, r *http.Request) {
	f, ok := files[r.URL.Path]
	switch {
	case !ok:
		problem.New(http.StatusNotFound, "there is no such path; the page is at /, and /openapi.json lists the API").Write(w)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		problem.New(http.StatusMethodNotAllowed, "this path takes GET").Write(w)
	default:
		f.serve(w, r)
	}
}

func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", f.cache)
	h.Set("Content-Security-Policy", strings.TrimSpace(policy))
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Vary", "Accept-Encoding")
	body, tag := f.plain, f.tag
	if f.zipped != nil && takesGzip(r.Header.Get("Accept-Encoding")) {
		body, tag = f.zipped, f.tag+"-gz"
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", `"`+tag+`"`)
	h.Set("Content-Type", f.contentType)
	if sameTag(r.Header.Get("If-None-Match"), tag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a reader that is gone cannot be told so
	}
}

// load reads the built files and compresses what gets smaller. Keys are paths of requests.
func load(built fs.FS) (map[string]*file, error) {
	root, err := fs.Sub(built, "dist")
	if err != nil {
		return nil, fmt.Errorf("open the page's files: %w", err)
	}
	files := map[string]*file{}
	err = fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		files["/"+name], err = newFile(name, data)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the page's files: %w", err)
	}
	if files["/"+index] == nil {
		return nil, fmt.Errorf("read the page's files: %w", fs.ErrNotExist)
	}
	files["/"] = files["/"+index]
	return files, nil
}

func newFile(name string, data []byte) (*file, error) {
	sum := sha256.Sum256(data)
	f := &file{contentType: contentType(name), cache: revalue, tag: base64.RawURLEncoding.EncodeToString(sum[:12]), plain: data}
	if strings.HasPrefix(name, "assets/") {
		f.cache = immutable
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(data); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	if b.Len() < len(data) {
		f.zipped = b.Bytes()
	}
	return f, nil
}

// contentType does not ask the machine, whose own table of types may say anything.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	default:
		return "application/octet-stream"
	}
}

// takesGzip reads an Accept-Encoding header (RFC 9110 §12.5.3).
func takesGzip(header string) bool {
	for coding := range strings.SplitSeq(header, ",") {
		name, params, err := mime.ParseMediaType("x/" + strings.TrimSpace(coding))
		if err == nil && (name == "x/gzip" || name == "x/*") {
			return strings.Trim(params["q"], "0.") != "" || params["q"] == ""
		}
	}
	return false
}

// sameTag reads an If-None-Match header (RFC 9110 §13.1.2).
func sameTag(header, tag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || strings.TrimPrefix(candidate, "W/") == `"`+tag+`"` {
			return true
		}
	}
	return false
}
