package broker_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/event"
	"github.com/rowvec/rowvec/gateway/broker"
)

// topic is a reader of messages that a test sends.
type topic struct {
	messages chan []byte
	broken   chan struct{}
	closed   chan struct{}
	lost     atomic.Bool
}

func newTopic() *topic {
	return &topic{messages: make(chan []byte, 10), broken: make(chan struct{}), closed: make(chan struct{})}
}

func (r *topic) Next(ctx context.Context) ([]byte, error) {
	select {
	case m := <-r.messages:
		return m, nil
	case <-r.broken:
		return nil, errors.New("connection lost")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (r *topic) Connected() bool { return !r.lost.Load() }
func (r *topic) Close()          { close(r.closed) }

const indexed = `{"version":1,"function":"public/default/f","instance":0,"table":"app.a","row":"1","operation":"update","outcome":"indexed","settledAt":"2026-01-02T03:04:05Z","chunks":1,"texts":1}`

func TestTheFeedGoesOnAfterWhateverFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		opened, heard := make(chan *topic, 10), make(chan string, 10)
		refuse := 3
		f := &broker.Feed{
			Open: func(context.Context) (broker.Reader, error) {
				if refuse--; refuse >= 0 {
					return nil, errors.New("broker away")
				}
				r := newTopic()
				opened <- r
				return r, nil
			},
			Observe: func(e *event.Event) { heard <- e.Row },
			Log:     slog.New(slog.DiscardHandler),
		}
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { f.Run(ctx) })
		synctest.Wait()
		require.False(t, f.Health().OK)
		require.NotEmpty(t, f.Health().Error)

		first := <-opened // the bubble's clock goes on until then
		synctest.Wait()
		require.True(t, f.Health().OK)
		first.messages <- []byte("not an event")
		first.messages <- []byte(indexed)
		require.Equal(t, "1", <-heard)

		close(first.broken)
		<-first.closed
		synctest.Wait()
		require.False(t, f.Health().OK)
		second := <-opened
		synctest.Wait()
		require.True(t, f.Health().OK)

		stop()
		wg.Wait()
		<-second.closed
		require.Empty(t, heard)
	})
}

// TestALostConnectionIsSeen although the reader only waits: it may come back by itself, and then nothing is lost; after a while another is
// opened.
func TestALostConnectionIsSeen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		opened, heard := make(chan *topic, 10), make(chan string, 10)
		f := &broker.Feed{
			Open: func(context.Context) (broker.Reader, error) {
				r := newTopic()
				opened <- r
				return r, nil
			},
			Observe: func(e *event.Event) { heard <- e.Row },
			Log:     slog.New(slog.DiscardHandler),
		}
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { f.Run(ctx) })
		pass := func(d time.Duration) {
			<-time.After(d)
			synctest.Wait()
		}
		first := <-opened
		pass(2 * time.Second)
		require.True(t, f.Health().OK)
		for range 3 { // each time it is back before it is given up
			first.lost.Store(true)
			pass(50 * time.Second)
			require.False(t, f.Health().OK)
			require.NotEmpty(t, f.Health().Error)
			first.lost.Store(false)
			pass(2 * time.Second)
			require.True(t, f.Health().OK)
		}
		first.messages <- []byte(indexed)
		require.Equal(t, "1", <-heard)
		require.Empty(t, opened)

		first.lost.Store(true)
		<-first.closed
		second := <-opened
		pass(2 * time.Second)
		require.True(t, f.Health().OK)
		second.messages <- []byte(indexed)
		require.Equal(t, "1", <-heard)
		stop()
		wg.Wait()
		<-second.closed
		require.False(t, f.Health().OK)
	})
}
