package broker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rowvec/rowvec/event"
	"github.com/rowvec/rowvec/gateway/monitor"
)

// Reader gives a topic's messages one by one.
type Reader interface {
	Next(ctx context.Context) ([]byte, error)
	// Connected is false while the connection is lost: the reader may come back by itself where it was, and Next waits for it.
	Connected() bool
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

// A reader is looked at every lookRound, and given up after lostFor without its connection: the client waits for longer and longer, and
// comes back never from a topic that was deleted.
const (
	lookRound = time.Second
	lostFor   = time.Minute
)

var errLost = errors.New("the connection is lost")

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
	following, giveUp := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { f.watch(following, reader, giveUp) })
	defer wg.Wait()
	defer giveUp(nil)
	for {
		payload, err := reader.Next(following)
		if err != nil {
			return fmt.Errorf("read: %w", cmp.Or(context.Cause(following), err))
		}
		e, err := event.Parse(payload)
		if err != nil {
			f.Log.DebugContext(ctx, "not an outcome event", "topic", f.Topic, "error", err)
			continue
		}
		f.Observe(&e)
	}
}

// watch looks whether the reader has its connection, which Next does not tell.
func (f *Feed) watch(ctx context.Context, reader Reader, giveUp context.CancelCauseFunc) {
	ticker := time.NewTicker(lookRound)
	defer ticker.Stop()
	var lost time.Time
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		switch connected := reader.Connected(); {
		case connected:
			f.connected.Store(true)
		case f.connected.CompareAndSwap(true, false):
			lost = time.Now()
			f.Log.WarnContext(ctx, "lost the connection to the outcome events; waiting for it", "topic", f.Topic)
		case time.Since(lost) > lostFor:
			giveUp(errLost)
			return
		}
	}
}
