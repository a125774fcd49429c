//go:build e2e

package secure

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"

	"github.com/rowvec/rowvec/embed/embedtest"
)

// front is a service behind TLS that wants a secret. Whatever it refuses, it says with all that it was told, as careless services do.
type front struct {
	server *httptest.Server
	secret string
	// locked refuses the right secret, too.
	locked atomic.Bool
	// poison is a text that it refuses, until it is nil.
	poison atomic.Pointer[string]
	// repeated counts answers with its secret.
	repeated atomic.Int64
	back     func() // ends what is behind
}

const poisonText = "unspeakable"

// openFronts puts one before the stack's Chroma, which has no authentication of its own, and one before an endpoint.
func openFronts() error {
	cert, key, err := world.stack.Authority.Certificate("front")
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return err
	}
	endpoint := embedtest.New(embedtest.Options{Model: "fake", Dimensions: 32, APIKey: planted[keyName]})
	var chromaErr, endpointErr error
	world.chroma, chromaErr = newFront(world.env.ChromaURL, planted[chromaName], pair, func() {})
	world.endpoint, endpointErr = newFront(endpoint.URL(), planted[keyName], pair, endpoint.Close)
	text := poisonText
	world.endpoint.poison.Store(&text)
	return errors.Join(chromaErr, endpointErr)
}

func closeFronts() {
	for _, f := range []*front{world.chroma, world.endpoint} {
		f.server.Close()
		f.back()
	}
}

func newFront(address, secret string, pair tls.Certificate, back func()) (*front, error) {
	behind, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	behind.Path = ""
	f := &front{secret: secret, back: back}
	f.server = httptest.NewUnstartedServer(f.guard(httputil.NewSingleHostReverseProxy(behind)))
	f.server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	f.server.StartTLS()
	return f, nil
}

func (f *front) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "cut off", http.StatusBadRequest)
			return
		}
		text := f.poison.Load()
		switch {
		case f.locked.Load(), r.Header.Get("Authorization") != "Bearer "+f.secret:
			f.refuse(w, r, http.StatusUnauthorized)
		case text != nil && bytes.Contains(body, []byte(*text)):
			f.refuse(w, r, http.StatusBadRequest)
		default:
			r.Body = io.NopCloser(bytes.NewReader(body))
			next.ServeHTTP(w, r)
		}
	})
}

func (f *front) refuse(w http.ResponseWriter, r *http.Request, status int) {
	f.repeated.Add(1)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	said := fmt.Sprintf("refused: %s; key %s", r.Header, f.secret)
	_, _ = fmt.Fprintf(w, `{"error":{"message":%q,"type":"invalid_request_error"},"message":%q}`, said, said)
}
