// Package brokercall owns the calls of Pulsar's client that block and take no context (pulsar-client-go v0.19): to subscribe, to make a producer, to close either. Who waits can give up;
// the call goes on, and somebody still waits for it in the end.
package brokercall

import (
	"context"
	"sync"
)

// Calls owns the goroutines of the calls. The zero value is ready; it is safe for concurrent use.
type Calls struct {
	mu      sync.Mutex
	running int
	idle    chan struct{} // closed when running falls to 0
}

// Await runs call and waits for it or for the end of ctx, whose error it then returns. What call returns without an error after the end of ctx goes to late.
func Await[T any](ctx context.Context, c *Calls, call func() (T, error), late func(T)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer)
	c.Start(func() {
		value, err := call()
		select {
		case answers <- answer{value, err}:
		case <-ctx.Done():
			if err == nil {
				late(value)
			}
		}
	})
	select {
	case a := <-answers:
		return a.value, a.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// Start runs a call and does not wait for it.
func (c *Calls) Start(call func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running++; c.running == 1 {
		c.idle = make(chan struct{})
	}
	go func() {
		defer c.end()
		call()
	}()
}

func (c *Calls) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running--; c.running == 0 {
		close(c.idle)
	}
}

// Wait waits until no call is running, which it reports, or for the end of ctx. A WaitGroup could not be used again after a wait that was given up.
func (c *Calls) Wait(ctx context.Context) bool {
	c.mu.Lock()
	idle, running := c.idle, c.running
	c.mu.Unlock()
	if running == 0 {
		return true
	}
	select {
	case <-idle:
		return true
	case <-ctx.Done():
		return false
	}
}
