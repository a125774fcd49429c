package broker

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/rowvec/rowvec/event"
	"github.com/rowvec/rowvec/gateway/monitor"
)

// Reader gives a topic's messages one by one.
type Reader interface {
	Next(ctx context.Context) ([]byte, error)
	Close()
}

// Feed reads the function's outcome events from now on. It has no subscription that outlives it.
type Feed struct {
	Open    func(ctx context.Context) (Reader, error)
	Topic   string // for the log
	Observe func(e *event.Event)
	Log     *slog.Logger

	connected atomic.Bool
}

// Waits between two tries to reach the topic.
const (
	firstWait = 500 * time.Millisecond
	mostWait  = 15 * time.Second
)

// Health tells whether events arrive.
func (f *Feed) Health() monitor.Health {
	if f.connected.Load() {
		return monitor.Health{OK: true}
	}
	return monitor.Health{Error: "the output topic cannot be read; the gateway's log says why"}
}

// Run hands on events until ctx ends. What it cannot read it tries again, without end.
func (f *Feed) Run(ctx context.Context) {
	wait := firstWait
	for ctx.Err() == nil {
		began := time.Now()
		err := f.follow(ctx)
		f.connected.Store(false)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > mostWait {
			wait = firstWait
		}
		f.Log.WarnContext(ctx, "cannot read the outcome events; trying again", "topic", f.Topic, "wait", wait, "error", err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
		wait = min(2*wait, mostWait)
	}
}

// follow reads from the topic's end until something fails.
func (f *Feed) follow(ctx context.Context) error {
	reader, err := f.Open(ctx)
	if err != nil {
		return err
	}
	defer reader.Close()
	f.connected.Store(true)
	for {
		payload, err := reader.Next(ctx)
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		e, err := event.Parse(payload)
		if err != nil {
			f.Log.DebugContext(ctx, "not an outcome event", "topic", f.Topic, "error", err)
			continue
		}
		f.Observe(&e)
	}
}
