package chromatest

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Options are what may differ from a Chroma 1.5.9 with default settings. The zero value is that server.
type Options struct {
	MaxBatch int    // of the pre-flight answer; 0 means 5461
	MaxBody  int64  // bytes; above it the answer is 413; 0 means 40 MiB
	NoBase64 bool   // the pre-flight says that vectors must be numbers, and base64 is refused
	Token    string // when set, requests without it get 401
}

// Server is the fake. It is safe for use by several goroutines.
type Server struct {
	URL string

	http  *httptest.Server
	opts  Options
	state *state

	applying sync.Mutex // held while a mutation and its observer run, so that observers see every state

	mu      sync.Mutex
	control func(Request) *Response
	applied func(Mutation)
	counts  map[string]int
	running map[string]int
	peaks   map[string]int
	keep    bool
	kept    []Request
	closing chan struct{}
}

// Mutation is a change that has just been applied.
type Mutation struct {
	Op         string // upsert, update, delete, create or drop (of the collection)
	Collection string
	IDs        []string
}

// New starts a fake that stops with the test.
func New(tb testing.TB) *Server {
	tb.Helper()
	s := Start(Options{})
	tb.Cleanup(s.Close)
	return s
}

// Start starts a fake; the caller closes it.
func Start(opts Options) *Server {
	if opts.MaxBatch == 0 {
		opts.MaxBatch = 5461
	}
	if opts.MaxBody == 0 {
		opts.MaxBody = 40 << 20
	}
	s := &Server{
		opts: opts, state: newState(), counts: map[string]int{}, running: map[string]int{}, peaks: map[string]int{},
		closing: make(chan struct{}),
	}
	s.http = httptest.NewServer(s.routes())
	s.URL = s.http.URL
	return s
}

// Close ends held requests and stops the server.
func (s *Server) Close() {
	close(s.closing)
	s.http.CloseClientConnections()
	s.http.Close()
}

// Handler is the server without its network, for tests of time (synctest).
func (s *Server) Handler() http.Handler { return s.http.Config.Handler }

// Control sets what decides about every request from now on; nil answers all of them normally. f is called from the
// goroutines of the requests: what it shares needs a lock.
func (s *Server) Control(f func(Request) *Response) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.control = f
}

// OnApplied sets what is called after each applied mutation, one at a time and before its answer: no other mutation happens
// while it runs. It may read the server (Records, Counts), but not write to it.
func (s *Server) OnApplied(f func(Mutation)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.applied = f
}

// Counts returns how many requests arrived, by operation.
func (s *Server) Counts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.counts)
}

// Peak returns how many requests of an operation were in the server at the same time, at most.
func (s *Server) Peak(op string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.peaks[op]
}

// Keep starts to keep requests for Requests, and forgets those kept before.
func (s *Server) Keep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep, s.kept = true, nil
}

// Requests returns the requests of one operation, or of all for "", in the order of their arrival since Keep.
func (s *Server) Requests(op string) []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Request
	for _, r := range s.kept {
		if op == "" || r.Op == op {
			out = append(out, r)
		}
	}
	return out
}

// Records returns a copy of what a collection holds, by id; nil when there is no such collection.
func (s *Server) Records(collection string) map[string]Record { return s.state.records(collection) }

// Collections returns the names of the collections, sorted.
func (s *Server) Collections() []string { return s.state.names() }

// DropCollection removes a collection, as somebody else would; it says whether there was one.
func (s *Server) DropCollection(name string) bool {
	err := s.apply(Mutation{Op: "drop", Collection: name}, func() *failure { return s.state.drop(name) })
	return err == nil
}

// AddTenant makes a tenant with one database.
func (s *Server) AddTenant(tenant, database string) { s.state.addDatabase(tenant, database) }

// apply runs a mutation and tells the observer.
func (s *Server) apply(m Mutation, change func() *failure) *failure {
	s.applying.Lock()
	defer s.applying.Unlock()
	if err := change(); err != nil {
		return err
	}
	s.mu.Lock()
	applied := s.applied
	s.mu.Unlock()
	if applied != nil {
		applied(m)
	}
	return nil
}

// enter counts a request and returns what controls it.
func (s *Server) enter(req *Request) (control func(Request) *Response, leave func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	op := req.Op
	s.counts[op]++
	s.running[op]++
	s.peaks[op] = max(s.peaks[op], s.running[op])
	req.N = s.counts[op]
	if s.keep {
		s.kept = append(s.kept, *req)
	}
	return s.control, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.running[op]--
	}
}

// refuse answers what every request needs first.
func (s *Server) refuse(r *http.Request) *failure {
	if s.opts.Token == "" || r.Header.Get("X-Chroma-Token") == s.opts.Token || r.Header.Get("Authorization") == "Bearer "+s.opts.Token {
		return nil
	}
	return &failure{http.StatusUnauthorized, "AuthError", "Unauthorized"}
}
