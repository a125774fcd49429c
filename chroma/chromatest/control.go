package chromatest

import (
	"net/http"
	"strconv"
)

// Request is one request as it arrived.
type Request struct {
	// Op is heartbeat, preflight, create, collection, drop, tenant, database, get, upsert, update, delete, query, count or annotate.
	Op         string
	Collection string // name, where the request concerns one that exists (or names one)
	N          int    // how many of this Op came, this one included
	IDs        []string
	Header     http.Header
	Body       []byte
}

// Response says what to do with a request instead of answering it normally. Without Apply, and without a hold, the request
// is not applied at all.
type Response struct {
	// Status, Header and Body are answered; Status 0 means the normal answer.
	Status int
	Header http.Header
	Body   string
	// Apply applies the request although something else is answered: done, but the client does not know.
	Apply bool
	// Drop closes the connection instead of answering; Truncate in the middle of the answer.
	Drop, Truncate bool
	// Before and After hold the request until the channel is closed, before and after it is applied. A held request ends
	// with its client or the server.
	Before, After <-chan struct{}
}

// serve takes one request through control, change and answer. run applies it and returns the answer's body.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, req Request, run func() (any, *failure)) {
	req.Header = r.Header.Clone()
	control, leave := s.enter(&req)
	defer leave()
	planned := &Response{}
	if control != nil {
		if chosen := control(req); chosen != nil {
			planned = chosen
		}
	}
	if !s.hold(r, planned.Before) {
		drop(w)
		return
	}
	var answer any
	var failed *failure
	if planned.Apply || (planned.Status == 0 && !planned.Drop && !planned.Truncate) {
		if failed = s.refuse(r); failed == nil {
			answer, failed = run()
		}
	}
	if !s.hold(r, planned.After) || planned.Drop || answer == dropped {
		drop(w)
		return
	}
	if planned.Status != 0 || planned.Truncate {
		planned.write(w)
		return
	}
	writeAnswer(w, answer, failed)
}

// hold waits; false means that the client or the server has gone.
func (s *Server) hold(r *http.Request, until <-chan struct{}) bool {
	if until == nil {
		return true
	}
	select {
	case <-until:
		return true
	case <-r.Context().Done():
	case <-s.closing:
	}
	return false
}

func (p *Response) write(w http.ResponseWriter) {
	for key, values := range p.Header {
		w.Header()[key] = values
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	status := p.Status
	if status == 0 {
		status = http.StatusOK
	}
	if p.Truncate {
		w.Header().Set("Content-Length", strconv.Itoa(len(p.Body)+100))
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(p.Body))
}

// drop closes the connection without an answer.
func drop(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}
