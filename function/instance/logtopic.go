package instance

import (
	"context"
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

// run sends until stop ends, and then what is left; at the latest until ctx ends.
func (l *LogTopic) run(ctx, stop context.Context, client pulsar.Client, calls *brokercall.Calls, id identity) {
	if l == nil || l.topic == "" {
		return
	}
	producer, err := l.connect(stop, client, calls, id)
	if err != nil {
		return
	}
	defer func() { calls.Start(producer.Close) }()
	ticks, drops := time.NewTicker(logPause), time.NewTicker(logDropsPeriod)
	defer ticks.Stop()
	defer drops.Stop()
	var told int64
	for {
		select {
		case <-ticks.C:
			l.send(ctx, producer, id)
		case <-drops.C:
			if n := l.dropped.Load(); n > told {
				slog.New(l.local).WarnContext(ctx, "log lines did not reach the log topic", "topic", l.topic, "dropped", n-told)
				told = n
			}
		case <-stop.Done():
			l.send(ctx, producer, id)
			_ = producer.FlushWithCtx(ctx) // at best: the process is about to end
			return
		}
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

// send gives what is waiting to the client. The property function is that of the official runtimes.
func (l *LogTopic) send(ctx context.Context, producer pulsar.Producer, id identity) {
	properties := map[string]string{"function": id.function, "instance": id.consumerName()}
	for range logLines {
		select {
		case line := <-l.lines:
			l.bytes.Add(-int64(len(line)))
			producer.SendAsync(ctx, &pulsar.ProducerMessage{Payload: line, Properties: properties}, l.sent)
		default:
			return
		}
	}
}

func (l *LogTopic) sent(_ pulsar.MessageID, _ *pulsar.ProducerMessage, err error) {
	if err != nil {
		l.dropped.Add(1)
	}
}
