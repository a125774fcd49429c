//go:build e2e

package endurance

import (
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/rowvec/rowvec/e2e/endurance/door"
	"github.com/rowvec/rowvec/embed/embedtest"
)

// model and dimensions of the endpoints.
const (
	model      = "fake"
	dimensions = 32
)

// endpoint is the fake behind a door. It takes some time for each request, as a model does.
type endpoint struct {
	door   *door.Door
	server *embedtest.Server

	mu      sync.Mutex
	takes   time.Duration
	control embedtest.Control
	sent    []time.Time // one for each text
}

func newEndpoint() (*endpoint, error) {
	e := &endpoint{server: embedtest.New(embedtest.Options{Model: model, Dimensions: dimensions})}
	e.server.Control(e.decide)
	target, err := url.Parse(e.server.URL())
	if err == nil {
		target.Path = ""
		e.door, err = door.New(target)
	}
	if err != nil {
		e.server.Close()
	}
	return e, err
}

// URL is the base URL for embedding.baseURL.
func (e *endpoint) URL() string { return e.door.URL() + "/v1" }

func (e *endpoint) close() error {
	err := e.door.Close()
	e.server.Close()
	return err
}

// becomes has the endpoint take some time for each request, and a control decide how it is answered; nil answers properly.
func (e *endpoint) becomes(takes time.Duration, control embedtest.Control) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.takes, e.control = takes, control
}

// embedded is when each text was sent that was then embedded.
func (e *endpoint) embedded() []time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.sent)
}

func (e *endpoint) note(texts int) {
	now := time.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	for range texts {
		e.sent = append(e.sent, now)
	}
}

func (e *endpoint) decide(r *embedtest.Request) *embedtest.Response {
	e.mu.Lock()
	control, takes := e.control, e.takes
	e.mu.Unlock()
	var response embedtest.Response
	if control != nil {
		if answer := control(r); answer != nil {
			response = *answer // others may get the same
		}
	}
	if response.Status == 0 {
		e.note(len(r.Texts))
	}
	over := make(chan struct{})
	time.AfterFunc(takes, func() { close(over) })
	response.Until = over
	return &response
}
