package instance

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"golang.org/x/time/rate"
)

// settler turns messages into deliveries and ends them. It is the only place that acknowledges or dead-letters.
type settler struct {
	observer observer
	letters  *deadLetters
	log      *slog.Logger
	open     atomic.Int64 // handed out and neither queued for acknowledgement nor confirmed by the dead-letter topic
	ackFault rate.Sometimes
}

// parcel is a delivery and what it takes to settle it.
type parcel struct {
	*Delivery
	feed        *feed
	consumer    pulsar.Consumer // the one that received it: no other can acknowledge its id (contract §6.3)
	id          pulsar.MessageID
	orderingKey string
	bytes       int // that it counts for in the intake
}

func newSettler(o observer, letters *deadLetters, log *slog.Logger) *settler {
	s := &settler{observer: o, letters: letters, log: log}
	s.ackFault = rate.Sometimes{First: 1, Interval: time.Minute}
	letters.confirmed = s.confirmed
	return s
}

// deliver makes the delivery of a message.
func (s *settler) deliver(f *feed, consumer pulsar.Consumer, msg pulsar.Message) *Delivery {
	d := &Delivery{
		Topic:         withoutPartition(msg.Topic()),
		Pattern:       f.in.Pattern,
		Key:           msg.Key(),
		Payload:       msg.Payload(),
		Properties:    msg.Properties(),
		SchemaVersion: schemaVersion(msg.Properties(), msg.SchemaVersion()),
		ID:            messageID(msg.ID()),
		PublishTime:   msg.PublishTime(),
		EventTime:     eventTime(msg),
		Redelivered:   int(msg.RedeliveryCount()),
		Received:      time.Now(),
	}
	s.open.Add(1)
	s.observer.received()
	p := &parcel{Delivery: d, feed: f, consumer: consumer, id: msg.ID(), orderingKey: msg.OrderingKey(), bytes: d.size()}
	f.room.enter(p.bytes)
	return d.OnSettle(func(st Settlement) { s.settle(p, st) })
}

// settle puts the delivery on its way. A verdict that comes after the queues were finished, or that is none, leaves the message
// unacknowledged: it comes again.
func (s *settler) settle(p *parcel, st Settlement) {
	if st.Verdict == DeadLetter {
		s.condemn(p, st)
		return
	}
	p.feed.room.leave(p.bytes)
	switch st.Verdict {
	case Ack:
		if p.feed.acks.add(receipt{p.consumer, p.id}) {
			s.open.Add(-1)
			s.observer.processed(time.Since(p.Received))
		}
	case Abandon:
	default:
		s.log.Error("delivery settled without a verdict; it comes again", "topic", p.Topic, "message_id", p.ID)
	}
}

// condemn hands a delivery to the dead letters.
func (s *settler) condemn(p *parcel, st Settlement) {
	p.feed.gate.enter(p.bytes)
	if !s.letters.queue.add(letter{parcel: p, Settlement: st, at: time.Now()}) {
		p.feed.gate.leave(p.bytes)
		p.feed.room.leave(p.bytes)
	}
}

// confirmed acknowledges a message whose dead letter the broker has stored.
func (s *settler) confirmed(l letter) {
	l.feed.gate.leave(l.bytes)
	l.feed.room.leave(l.bytes)
	if l.feed.acks.add(receipt{l.consumer, l.id}) {
		s.open.Add(-1)
	}
	s.observer.rejected(fmt.Errorf("%s dead-lettered: %s: %s", l.describe(), l.Reason, l.Message))
}

// receipt is an acknowledgement on its way.
type receipt struct {
	consumer pulsar.Consumer
	id       pulsar.MessageID
}

// acknowledge gives receipts to the client until the queue is finished and empty. It is a goroutine of its own because the
// client's Ack blocks while the consumer is disconnected. An error means that this consumer is closed: the message comes again,
// which is harmless.
func (s *settler) acknowledge(ctx context.Context, receipts *queue[receipt]) {
	for {
		batch := receipts.take(ctx, 1000)
		if len(batch) == 0 {
			return
		}
		for _, r := range batch {
			if err := r.consumer.AckID(r.id); err != nil {
				s.ackFault.Do(func() {
					s.log.WarnContext(ctx, "acknowledgement failed; the message comes again", "message_id", messageID(r.id), "error", err)
				})
			}
		}
	}
}

// messageID is ledger:entry:partition:batch, -1 where there is no partition or batch.
func messageID(id pulsar.MessageID) string {
	return fmt.Sprintf("%d:%d:%d:%d", id.LedgerID(), id.EntryID(), id.PartitionIdx(), id.BatchIdx())
}

// eventTime is zero when the producer set none: the client gives 1970 then (contract §6.7).
func eventTime(msg pulsar.Message) time.Time {
	if t := msg.EventTime(); t.UnixMilli() > 0 {
		return t
	}
	return time.Time{}
}

// withoutPartition is the name of the topic that a partition belongs to.
func withoutPartition(topic string) string {
	const mark = "-partition-"
	i := strings.LastIndex(topic, mark)
	if i < 0 || strings.Trim(topic[i+len(mark):], "0123456789") != "" || i+len(mark) == len(topic) {
		return topic
	}
	return topic[:i]
}
