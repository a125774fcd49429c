package instance

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync/atomic"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"

	"github.com/rowvec/rowvec/brokercall"
)

const (
	// watchPeriod is how soon new partitions of an input are consumed. Until then they hold what is published to them.
	watchPeriod = 15 * time.Second
	// silence is how long an input may bring nothing before its consumer is asked where the topic ends, and may be replaced. With Key_Shared an
	// instance may rightly get nothing; to replace an idle consumer costs little, since the client holds no messages for it.
	silence = 10 * time.Minute
	// silenceMost bounds the time after which a consumer is replaced that may be behind: it doubles from silence on.
	silenceMost = 4 * time.Hour
	// tolerance is how many failures in a row pass unheeded: a broker that restarts causes one.
	tolerance = 1
	// endTimeout is for the client to say where the topic ends. What its own limit (operationTimeout, for each partition) leaves out is
	// the wait for its event loop, which a reconnect keeps busy.
	endTimeout = 30 * time.Second
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

// errPerhaps is why a consumer is replaced that may well be in order: nothing that the status or a warning need tell.
var errPerhaps = errors.New("the topic has messages that this consumer was not given")

var errNoEnd = fmt.Errorf("no answer in %v", endTimeout)

// watch looks after a consumer of a topic until ctx ends, and returns why it must be replaced. A pattern's consumer is the client's own
// affair: what it has subscribed to cannot be asked safely while it discovers topics.
func (f *feed) watch(ctx context.Context, consumer pulsar.Consumer, partitions int) error {
	w := watcher{feed: f, consumer: consumer, partitions: partitions}
	ticker := time.NewTicker(watchPeriod)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := w.look(ctx); err != nil {
			return err
		}
	}
}

// watcher is what watch remembers of one consumer.
type watcher struct {
	*feed

	consumer   pulsar.Consumer
	partitions int
	cutOff     int                 // how many times in a row the topic could not be looked up
	lost       int                 // how many times in a row the consumer could not say where its topic ends
	quiet      map[string]position // where the topic ended when it was first seen to be quiet; nil: it is not
}

// look returns why the consumer must be replaced, if it must.
func (w *watcher) look(ctx context.Context) error {
	began := time.Now()
	now, err := w.count(ctx)
	if !w.reachable(ctx, err, began) {
		w.lost = 0
		return nil // the client tries by itself, and another consumer would come no further
	}
	if now != w.partitions {
		return fmt.Errorf("the topic has %d partitions now, and had %d", now, w.partitions)
	}
	if w.reach.further() {
		w.patience = silence
	}
	if w.idle.span() < silence {
		w.quiet, w.lost = nil, 0
		return nil
	}
	ends, err := w.ends(ctx)
	if err != nil {
		return w.lose(ctx, err)
	}
	w.lost = 0
	return w.judge(ends, w.idle.span()) // anew: the answer may have taken the time of a reconnection, and messages come with that
}

// reachable tells whether the topic could be looked up; the status says so when it repeatedly could not. The client says nothing of a
// consumer that it cannot connect again, whether the broker is gone, a token has expired or a right was revoked: a look-up fails for the
// same reasons.
func (w *watcher) reachable(ctx context.Context, err error, began time.Time) bool {
	if err == nil {
		w.cutOff = 0
		w.condition("")
		return true
	}
	if w.cutOff++; w.cutOff > tolerance && ctx.Err() == nil {
		w.condition(fmt.Sprintf("cannot reach the topic at %s: %s; trying again", w.c.server, oneLine(w.c.reason.Explain(err, began))))
	}
	return false
}

// lose tells when a consumer is lost that cannot say where its topic ends, although the topic can be looked up: the client has given it up,
// for good and without a word where the topic was deleted, even when it is there again.
func (w *watcher) lose(ctx context.Context, err error) error {
	w.lost++
	if ctx.Err() == nil && (w.lost > tolerance || errors.Is(err, errNoEnd)) {
		return fmt.Errorf("the consumer cannot say where its topic ends: %w", err)
	}
	return nil
}

// judge tells a silent consumer from a quiet topic. One that was given the last message is in order. Of one that was not, nobody can say: the rest may be a
// backlog, may be another instance's, may be acknowledged since long (the client does not tell up to where), or be markers that no consumer gets. So it is replaced,
// which costs little, but each time after twice the time, until one is given what none was before; and not while something is in hand, which would be
// given again. It is a fault only where the topic moves on and no other instance can have what comes.
func (w *watcher) judge(ends map[string]position, span time.Duration) error {
	if w.quiet == nil || !w.reach.behind(ends) {
		w.quiet = ends
		return nil
	}
	if span < w.patience || w.room.holds() {
		return nil
	}
	first := w.patience == silence
	w.patience = min(2*w.patience, silenceMost)
	if first && w.c.identity.instances == 1 && !maps.Equal(w.quiet, ends) {
		return fmt.Errorf("nothing came for %v although the topic moved on", span.Round(time.Second))
	}
	return fmt.Errorf("nothing came for %v: %w", span.Round(time.Second), errPerhaps)
}

// count is how many partitions the input's topic has now; 1 where it has none.
func (w *watcher) count(ctx context.Context) (int, error) {
	names, err := brokercall.Await(ctx, &w.c.calls, func() ([]string, error) { return w.c.client.TopicPartitions(w.in.Topic) }, func([]string) {})
	return len(names), err
}

// ends says where the topic's partitions end.
func (w *watcher) ends(ctx context.Context) (map[string]position, error) {
	limit, cancel := context.WithTimeoutCause(ctx, endTimeout, errNoEnd)
	defer cancel()
	ids, err := brokercall.Await(limit, &w.c.calls, w.consumer.GetLastMessageIDs, func([]pulsar.TopicMessageID) {})
	if limit.Err() != nil {
		return nil, context.Cause(limit)
	}
	if err != nil {
		return nil, err
	}
	ends := map[string]position{}
	for _, id := range ids {
		ends[id.Topic()] = positionOf(id)
	}
	return ends, nil
}
