package instance

import (
	"bytes"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"

	"github.com/rowvec/rowvec/brokercall"
)

const (
	// watchPeriod is how soon new partitions of an input are consumed. Until then they hold what is published to them.
	watchPeriod = 15 * time.Second
	// silence is how long an input may bring nothing while its topic moves on before its consumer is replaced. With Key_Shared an instance may
	// rightly get nothing; to replace an idle consumer costs nothing, since it holds no messages.
	silence = 10 * time.Minute
	// noDiscovery keeps the client from looking for new partitions by itself: a single failure while it subscribes to a new one ends
	// consumption without a word (contract §6.9).
	noDiscovery = 100 * 365 * 24 * time.Hour
)

// idle tells since when an input waits for a message; zero while it works on one.
type idle struct{ since atomic.Int64 }

func (i *idle) begin() { i.since.Store(time.Now().UnixNano()) }
func (i *idle) end()   { i.since.Store(0) }

// span is how long nothing has come although something could have.
func (i *idle) span() time.Duration {
	since := i.since.Load()
	if since == 0 {
		return 0
	}
	return time.Since(time.Unix(0, since))
}

// watch looks after a consumer of a topic until ctx ends, and returns why it must be replaced. A pattern's consumer is the client's own
// affair: what it has subscribed to cannot be asked safely while it discovers topics.
func (f *feed) watch(ctx context.Context, consumer pulsar.Consumer, partitions int) error {
	ticker := time.NewTicker(watchPeriod)
	defer ticker.Stop()
	var quiet []byte // where the topic ended when it was first seen to be quiet; nil: it is not
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		if now, err := f.partitions(ctx); err == nil && now != partitions {
			return fmt.Errorf("the topic has %d partitions now, and had %d", now, partitions)
		}
		span := f.idle.span()
		if span < silence {
			quiet = nil
			continue
		}
		end, err := f.end(ctx, consumer)
		switch {
		case err != nil: // the client says itself that it cannot reach the broker
		case quiet == nil:
			quiet = end
		case !bytes.Equal(quiet, end):
			return fmt.Errorf("nothing came for %v although the topic moved on", span.Round(time.Second))
		}
	}
}

// partitions is how many partitions the input's topic has now; 1 where it has none.
func (f *feed) partitions(ctx context.Context) (int, error) {
	names, err := brokercall.Await(ctx, &f.c.calls, func() ([]string, error) { return f.c.client.TopicPartitions(f.in.Topic) }, func([]string) {})
	return len(names), err
}

// end says where the topic's partitions end.
func (f *feed) end(ctx context.Context, consumer pulsar.Consumer) ([]byte, error) {
	ids, err := brokercall.Await(ctx, &f.c.calls, consumer.GetLastMessageIDs, func([]pulsar.TopicMessageID) {})
	if err != nil {
		return nil, err
	}
	end := []byte{}
	for _, id := range ids {
		end = fmt.Appendf(end, "%s %d:%d\n", id.Topic(), id.LedgerID(), id.EntryID())
	}
	return end, nil
}
