// Package problem writes the gateway's errors: problem documents (RFC 9457) that tell a client what to change and nothing of what
// lies behind.
package problem

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ContentType of a problem document (RFC 9457 §3).
const ContentType = "application/problem+json"

// Problem is one problem document.
//
//nolint:errname // RFC 9457's own word
type Problem struct {
	Title  string   `json:"title"`
	Status int      `json:"status"`
	Detail string   `json:"detail,omitempty"`
	Errors []Detail `json:"errors,omitempty"`
	// RetryAfter becomes the Retry-After header, in whole seconds and at least one; 0 leaves it out.
	RetryAfter time.Duration `json:"-"`
}

// Detail is one fault of a request: where it is, for example "body.topK", and what is wrong there.
type Detail struct {
	Location string `json:"location,omitempty"`
	Message  string `json:"message"`
}

// MaxLocation is how many bytes a fault's location has at most. A request names its fields itself, as long as its body may be.
const MaxLocation = 200

// At is a fault at the location, which is cut where it is too long.
func At(location, message string) Detail {
	if len(location) > MaxLocation {
		location = strings.ToValidUTF8(location[:MaxLocation-len(cut)], "") + cut
	}
	return Detail{Location: location, Message: message}
}

const cut = "…"

// New returns a problem whose title is the status's own name.
func New(status int, detail string) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Detail: detail}
}

// Error implements error.
func (p *Problem) Error() string { return strconv.Itoa(p.Status) + ": " + p.Detail }

// GetStatus returns the HTTP status; huma asks its errors for it.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType tells huma how the document is to be labelled.
func (*Problem) ContentType(string) string { return ContentType }

// GetHeaders returns what the answer carries beside the document; huma asks its errors for it.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(p.RetryAfter.Seconds()))))
	}
	return h
}

// Write answers a request with the problem.
func (p *Problem) Write(w http.ResponseWriter) {
	h := w.Header()
	for name, values := range p.GetHeaders() {
		h[name] = values
	}
	h.Set("Content-Type", ContentType)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // a client that is gone cannot be told so
}
