package instance

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"

	"github.com/rowvec/rowvec/brokercall"
)

// LogTopic copies the log to the function's logTopic while Consume runs. Logging never waits for it and never fails because of it:
// what does not fit in its buffer, and what cannot be sent, is dropped and counted. What it has to say itself, and what the Pulsar
// client says, goes to the local handler alone, so that a failure to send is never sent.
type LogTopic struct {
	topic   string // empty: there is none
	local   slog.Handler
	remote  slog.Handler
	lines   chan []byte
	bytes   atomic.Int64 // in lines
	dropped atomic.Int64
	told    int64 // of dropped, in the log; owned by run
}

const (
	logLines       = 4096 // that wait while the topic cannot be reached
	logBytes       = 4 << 20
	logPause       = 250 * time.Millisecond
	logSendTimeout = 5 * time.Second
	logDropsPeriod = time.Minute
)

// NewLogTopic makes the copy of what local gets, from level on. topic may be empty: then nothing is copied.
func NewLogTopic(local slog.Handler, topic string, level slog.Leveler) *LogTopic {
	l := &LogTopic{topic: topic, local: local, lines: make(chan []byte, logLines)}
	l.remote = slog.NewJSONHandler(lineWriter{l}, &slog.HandlerOptions{Level: level})
	return l
}

// Handler gives every record to the local handler and to the topic.
func (l *LogTopic) Handler() slog.Handler {
	if l.topic == "" {
		return l.local
	}
	return slog.NewMultiHandler(l.local, l.remote)
}

// Dropped is how many lines the topic did not get.
func (l *LogTopic) Dropped() int64 { return l.dropped.Load() }

// lineWriter takes the lines of the JSON handler, which writes each with one call.
type lineWriter struct{ l *LogTopic }

// Write never blocks and never fails.
func (w lineWriter) Write(line []byte) (int, error) {
	size := int64(len(line))
	if w.l.bytes.Add(size) > logBytes {
		w.l.bytes.Add(-size)
		w.l.dropped.Add(1)
		return len(line), nil
	}
	select {
	case w.l.lines <- append([]byte(nil), line...):
	default:
		w.l.bytes.Add(-size)
		w.l.dropped.Add(1)
	}
	return len(line), nil
}

// run sends until stop ends, and then what is left; at the latest until ctx ends. A producer that the client has closed, because the topic
// was deleted or terminated, is replaced.
func (l *LogTopic) run(ctx, stop context.Context, client pulsar.Client, calls *brokercall.Calls, id identity) {
	if l == nil || l.topic == "" {
		return
	}
	delay := newRetryDelay()
	for {
		producer, err := l.connect(stop, client, calls, id)
		if err != nil {
			return
		}
		began := time.Now()
		l.serve(ctx, stop, producer, id)
		calls.Start(producer.Close)
		if time.Since(began) > retryMost {
			delay.Reset()
		}
		if delay.sleep(stop) != nil {
			return
		}
		slog.New(l.local).WarnContext(ctx, "the producer of the log topic was closed; connecting again", "topic", l.topic)
	}
}

// serve sends until stop ends, and then what is left, or until the producer is closed.
func (l *LogTopic) serve(ctx, stop context.Context, producer pulsar.Producer, id identity) {
	ticks, drops := time.NewTicker(logPause), time.NewTicker(logDropsPeriod)
	defer ticks.Stop()
	defer drops.Stop()
	var closed atomic.Bool
	for !closed.Load() {
		select {
		case <-ticks.C:
			l.send(ctx, producer, id, &closed)
		case <-drops.C:
			l.tell(ctx)
		case <-stop.Done():
			l.send(ctx, producer, id, &closed)
			_ = producer.FlushWithCtx(ctx) // at best: the process is about to end
			return
		}
	}
}

// tell logs how many lines were dropped since the last time.
func (l *LogTopic) tell(ctx context.Context) {
	if n := l.dropped.Load(); n > l.told {
		slog.New(l.local).WarnContext(ctx, "log lines did not reach the log topic", "topic", l.topic, "dropped", n-l.told)
		l.told = n
	}
}

// connect tries until it succeeds; its error is that of ctx.
func (l *LogTopic) connect(ctx context.Context, client pulsar.Client, calls *brokercall.Calls, id identity) (pulsar.Producer, error) {
	delay := newRetryDelay()
	for {
		producer, err := brokercall.Await(ctx, calls, func() (pulsar.Producer, error) {
			return client.CreateProducer(pulsar.ProducerOptions{
				Topic:                   l.topic,
				Properties:              id.properties(),
				CompressionType:         pulsar.LZ4,
				BatchingMaxPublishDelay: 100 * time.Millisecond,
				SendTimeout:             logSendTimeout,
				DisableBlockIfQueueFull: true,
				BackOffPolicyFunc:       newReconnectPolicy,
			})
		}, pulsar.Producer.Close)
		if err == nil {
			return producer, nil
		}
		if ctx.Err() == nil {
			slog.New(l.local).WarnContext(ctx, "cannot write to the log topic; trying again", "topic", l.topic, "error", err)
		}
		if err := delay.sleep(ctx); err != nil {
			return nil, err
		}
	}
}

// send gives what is waiting to the client, until that says that the producer is closed. The property function is that of the official
// runtimes.
func (l *LogTopic) send(ctx context.Context, producer pulsar.Producer, id identity, closed *atomic.Bool) {
	properties := map[string]string{"function": id.function, "instance": id.consumerName()}
	sent := func(_ pulsar.MessageID, _ *pulsar.ProducerMessage, err error) {
		if err == nil {
			return
		}
		l.dropped.Add(1)
		if errors.Is(err, pulsar.ErrProducerClosed) {
			closed.Store(true)
		}
	}
	for range logLines {
		if closed.Load() {
			return
		}
		select {
		case line := <-l.lines:
			l.bytes.Add(-int64(len(line)))
			producer.SendAsync(ctx, &pulsar.ProducerMessage{Payload: line, Properties: properties}, sent)
		default:
			return
		}
	}
}
