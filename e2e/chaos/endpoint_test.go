//go:build e2e

package chaos

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/rowvec/rowvec/e2e/chaos/plant"
	"github.com/rowvec/rowvec/embed/embedtest"
)

// model and dimensions of the endpoint.
const (
	model      = "fake"
	dimensions = 32
)

// endpoint is the fake with a switch. Poison is refused in any state in which it answers at all.
type endpoint struct {
	*embedtest.Server

	mu       sync.Mutex
	fault    embedtest.Control
	requests int
	refused  int // requests that met a fault
	texts    int // embedded and answered, poison and faults aside
}

func newEndpoint() *endpoint {
	e := &endpoint{Server: embedtest.New(embedtest.Options{Model: model, Dimensions: dimensions})}
	e.Control(e.decide)
	return e
}

// set switches to a fault; nil is a sound endpoint.
func (e *endpoint) set(fault embedtest.Control) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fault = fault
}

func (e *endpoint) decide(r *embedtest.Request) *embedtest.Response {
	e.mu.Lock()
	fault := e.fault
	e.requests++
	e.mu.Unlock()
	if fault == nil {
		return e.answer(r)
	}
	failure := fault(r)
	if failure == nil {
		return e.answer(r)
	}
	e.count(&e.refused, 1)
	if failure.Until == nil {
		return failure
	}
	late := e.answer(r) // a slow endpoint knows poison, too
	if late == nil {
		return failure
	}
	late.Until = failure.Until
	return late
}

// answer is what a sound endpoint says; nil is a good vector for each text.
func (e *endpoint) answer(r *embedtest.Request) *embedtest.Response {
	if response := embedtest.Poison(plant.Refused)(r); response != nil {
		return response
	}
	e.count(&e.texts, len(r.Texts))
	return embedtest.BadVector(plant.Unnumbered)(r)
}

func (e *endpoint) count(what *int, n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	*what += n
}

// counted returns requests, how many of them met a fault, and the texts that were embedded and answered.
func (e *endpoint) counted() (requests, refused, texts int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.requests, e.refused, e.texts
}

// second gives every second request to a control.
func second(control embedtest.Control) embedtest.Control {
	return func(r *embedtest.Request) *embedtest.Response {
		if r.N%2 == 0 {
			return nil
		}
		return control(r)
	}
}

// slow answers properly, and late.
func slow(by time.Duration) embedtest.Control {
	return func(*embedtest.Request) *embedtest.Response {
		over := make(chan struct{})
		time.AfterFunc(by, func() { close(over) })
		return embedtest.Hold(over)
	}
}

func garbage(r *embedtest.Request) *embedtest.Response {
	switch r.N % 3 {
	case 0:
		return embedtest.Page(http.StatusOK, "<html>welcome to the hotel's network</html>")
	case 1:
		return &embedtest.Response{Status: http.StatusOK, Body: []byte(`{"data":[{"embedding":"` + strconv.Itoa(r.N) + `"`)}
	default:
		return embedtest.Page(http.StatusBadGateway, "<html>bad gateway</html>")
	}
}
