package embedtest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
)

// maxBody bounds a request: more than any client of ours sends.
const maxBody = 64 << 20

// Options describe the endpoint. The zero value is one without a key that takes any model and gives 384 dimensions.
type Options struct {
	Dimensions int    // of its vectors, unless the request asks for others; 0: 384
	APIKey     string // required as bearer token; empty: not checked
	Model      string // any other is a 404; empty: any
	MaxTexts   int    // more texts in one request are a 413; 0: any number
}

// Stats count what the server has seen since it started.
type Stats struct {
	Requests      int // with a body that could be read
	Texts         int
	Distinct      int // different texts
	MaxConcurrent int // requests at the same time
}

// Server is the endpoint. Its vectors depend on the text alone (see Vector).
type Server struct {
	options Options
	http    *httptest.Server
	closing context.Context
	stop    context.CancelFunc

	mu      sync.Mutex
	control Control
	stats   Stats
	current int
	seen    map[string]int // how often each text came
}

// New starts a server on a free local port. Close ends it.
func New(options Options) *Server {
	if options.Dimensions == 0 {
		options.Dimensions = 384
	}
	s := &Server{options: options, seen: map[string]int{}}
	s.closing, s.stop = context.WithCancel(context.Background())
	s.closing.Done() // has its channel made here, and not in the bubble of a test (synctest) that asks Handler
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/embeddings", s.serve)
	s.http = httptest.NewServer(mux)
	return s
}

// URL is the base URL, to which a client adds "/embeddings".
func (s *Server) URL() string { return s.http.URL + "/v1" }

// Handler is the server without its network, for tests of time (synctest).
func (s *Server) Handler() http.Handler { return s.http.Config.Handler }

// Close releases requests that wait, and returns when all are done.
func (s *Server) Close() {
	s.stop()
	s.http.Close()
}

// Control sets who sees every further request first; nil: nobody.
func (s *Server) Control(control Control) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.control = control
}

// Stats returns the counts so far.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Distinct = len(s.seen)
	return stats
}

// Seen is how often a text came, as it was sent.
func (s *Server) Seen(text string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[text]
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		Fail(http.StatusRequestEntityTooLarge, "", "the body cannot be read: "+err.Error()).write(w)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.closing, cancel)()
	request := &Request{Header: r.Header, Path: r.URL.RequestURI(), Remote: r.RemoteAddr, Dimensions: s.options.Dimensions, ctx: ctx}
	if err := request.parse(body); err != nil {
		Fail(http.StatusBadRequest, "", err.Error()).write(w)
		return
	}
	control := s.enter(request)
	defer s.leave()
	s.respond(request, control).write(w)
}

// respond asks the control, waits if it says so, and falls back to a proper answer.
func (s *Server) respond(r *Request, control Control) *Response {
	var response *Response
	if control != nil {
		response = control(r)
	}
	if response == nil {
		return s.proper(r)
	}
	if response.Until != nil {
		select {
		case <-response.Until:
		case <-r.ctx.Done():
			return Drop()
		}
	}
	if response.Status == 0 && response.Body == nil && !response.Drop {
		return s.proper(r)
	}
	return response
}

// proper is the answer without a fault: right vectors, or what a real endpoint says of a wrong key, model or size.
func (s *Server) proper(r *Request) *Response {
	o := s.options
	switch {
	case o.APIKey != "" && r.Header.Get("Authorization") != "Bearer "+o.APIKey:
		return Fail(http.StatusUnauthorized, "invalid_api_key", "incorrect API key provided: "+r.Header.Get("Authorization"))
	case o.Model != "" && r.Model != o.Model:
		return Fail(http.StatusNotFound, "model_not_found", fmt.Sprintf("the model %q does not exist", r.Model))
	case o.MaxTexts > 0 && len(r.Texts) > o.MaxTexts:
		return Fail(http.StatusRequestEntityTooLarge, "", fmt.Sprintf("at most %d texts in one request", o.MaxTexts))
	}
	return Answer(r, r.Vectors())
}

func (s *Server) enter(r *Request) Control {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Requests++
	s.stats.Texts += len(r.Texts)
	r.N = s.stats.Requests
	for _, text := range r.Texts {
		s.seen[text]++
	}
	s.current++
	s.stats.MaxConcurrent = max(s.stats.MaxConcurrent, s.current)
	return s.control
}

func (s *Server) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current--
}
