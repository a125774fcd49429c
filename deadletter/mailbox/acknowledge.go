package mailbox

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"

	"github.com/rowvec/rowvec/brokercall"
	"github.com/rowvec/rowvec/deadletter"
)

// registrar acknowledges letters on the durable subscription.
type registrar struct {
	box       *Mailbox
	consumers map[int]pulsar.Consumer // by partition
}

func (m *Mailbox) registrar() *registrar { return &registrar{m, map[int]pulsar.Consumer{}} }

func (r *registrar) close() {
	for _, c := range r.consumers {
		r.box.calls.Start(c.Close)
	}
}

const (
	ackAttempts = 3
	ackPause    = time.Second // a topic that moves to another broker is back after that
)

// acknowledge ends letters; it returns when the broker has said so.
func (r *registrar) acknowledge(ctx context.Context, letters []*Letter) error {
	entries, err := r.box.entries(ctx, letters)
	if err != nil {
		return err
	}
	for p, list := range entries {
		ids := make([]pulsar.MessageID, len(list))
		for i, e := range list {
			ids[i] = pulsar.NewMessageID(e.ledger, e.entry, -1, int32(p.partition))
		}
		if err := r.tell(ctx, p, ids); err != nil {
			return fmt.Errorf("acknowledge on %s of %s: %w", deadletter.Subscription, p.topic.full(), err)
		}
	}
	return nil
}

func (r *registrar) tell(ctx context.Context, p *place, ids []pulsar.MessageID) error {
	for attempt := 1; ; attempt++ {
		consumer, err := r.consumer(ctx, p)
		if err != nil {
			return err
		}
		_, err = brokercall.Await(ctx, &r.box.calls, func() (struct{}, error) { return struct{}{}, consumer.AckIDList(ids) }, func(struct{}) {})
		if err == nil || ctx.Err() != nil || attempt == ackAttempts {
			return err
		}
		pause := time.NewTimer(ackPause)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return ctx.Err()
		}
	}
}

// attach makes sure that the letters can be acknowledged, before anything is done with them: somebody may consume exclusively.
func (r *registrar) attach(ctx context.Context, letters []*Letter) error {
	for _, l := range letters {
		if _, err := r.consumer(ctx, l.place); err != nil {
			return fmt.Errorf("attach to %s of %s: %w", deadletter.Subscription, l.place.topic.full(), err)
		}
	}
	return nil
}

// consumer attaches to the subscription without asking for messages: none is withheld from others who read there.
func (r *registrar) consumer(ctx context.Context, p *place) (pulsar.Consumer, error) {
	if c := r.consumers[p.partition]; c != nil {
		return c, nil
	}
	c, err := brokercall.Await(ctx, &r.box.calls, func() (pulsar.Consumer, error) {
		return r.box.client.Subscribe(pulsar.ConsumerOptions{
			Topic:                       p.topic.full(),
			SubscriptionName:            deadletter.Subscription,
			Type:                        pulsar.Shared,
			SubscriptionInitialPosition: pulsar.SubscriptionPositionEarliest,
			SubscriptionMode:            pulsar.Durable,
			EnableZeroQueueConsumer:     true,
			AckWithResponse:             true,
		})
	}, pulsar.Consumer.Close)
	if err == nil {
		r.consumers[p.partition] = c
	}
	return c, err
}
