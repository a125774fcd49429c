package mailbox

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/apache/pulsar-client-go/pulsar"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/rowvec/rowvec/brokercall"
)

// firstPart returns where a message begins whose id is last: of one that the producer cut into chunks the client tells it in the id's
// wire form alone (MessageIdData of PulsarApi.proto: ledger 1, entry 2, first chunk 7).
func firstPart(id []byte, last position) position {
	const firstChunk = 7
	for len(id) > 0 {
		field, kind, n := protowire.ConsumeTag(id)
		if n < 0 {
			return last
		}
		id = id[n:]
		if field == firstChunk && kind == protowire.BytesType {
			inner, n := protowire.ConsumeBytes(id)
			if n < 0 {
				return last
			}
			return readPosition(inner, last)
		}
		if n = protowire.ConsumeFieldValue(field, kind, id); n < 0 {
			return last
		}
		id = id[n:]
	}
	return last
}

func readPosition(id []byte, otherwise position) position {
	const ledger, entry = 1, 2
	found := otherwise
	for len(id) > 0 {
		field, kind, n := protowire.ConsumeTag(id)
		if n < 0 {
			return otherwise
		}
		id = id[n:]
		size := protowire.ConsumeFieldValue(field, kind, id)
		if size < 0 {
			return otherwise
		}
		value, _ := protowire.ConsumeVarint(id[:size])
		if kind == protowire.VarintType && field == ledger {
			found.ledger = int64(value)
		}
		if kind == protowire.VarintType && field == entry {
			found.entry = int64(value)
		}
		id = id[size:]
	}
	return found
}

// entries are all entries of letters. The client tells the first and the last one; between them may stand those of letters that other
// instances published at the same time. Letters of three parts and more are therefore read once more, by a consumer that leaves no trace:
// the client tells its interceptors each part that it acknowledges.
func (m *Mailbox) entries(ctx context.Context, letters []*Letter) (map[*place][]position, error) {
	all := map[*place][]position{}
	long := map[*place][]*Letter{}
	for _, l := range letters {
		switch {
		case l.first == l.last:
			all[l.place] = append(all[l.place], l.last)
		case l.first.ledger == l.last.ledger && l.first.entry+1 == l.last.entry:
			all[l.place] = append(all[l.place], l.first, l.last)
		default:
			long[l.place] = append(long[l.place], l)
		}
	}
	for p, wanted := range long {
		entries, err := m.parts(ctx, p, wanted)
		if err != nil {
			return nil, fmt.Errorf("find the parts of letter %s: %w", wanted[0].ID, err)
		}
		all[p] = append(all[p], entries...)
	}
	return all, nil
}

// parts are the entries of long letters of one place.
func (m *Mailbox) parts(ctx context.Context, p *place, letters []*Letter) ([]position, error) {
	heard := &listener{}
	consumer, err := brokercall.Await(ctx, &m.calls, func() (pulsar.Consumer, error) {
		return m.client.Subscribe(pulsar.ConsumerOptions{
			Topic: p.topic.full(), SubscriptionName: fmt.Sprintf("parts-of-letters-%x", rand.Uint64()), //nolint:gosec // a name, no secret
			Type: pulsar.Exclusive, SubscriptionMode: pulsar.NonDurable, SubscriptionInitialPosition: pulsar.SubscriptionPositionEarliest,
			ReceiverQueueSize: prefetched, Interceptors: pulsar.ConsumerInterceptors{heard},
		})
	}, pulsar.Consumer.Close)
	if err != nil {
		return nil, err
	}
	defer m.calls.Start(consumer.Close)
	wanted := map[position]position{}
	for _, l := range letters {
		wanted[l.first] = l.last
	}
	var entries []position
	for len(wanted) > 0 {
		msg, err := m.next(ctx, consumer.Receive)
		if err != nil {
			return nil, err
		}
		id := msg.ID()
		last := position{id.LedgerID(), id.EntryID()}
		first := firstPart(id.Serialize(), last)
		heard.parts = heard.parts[:0]
		if err := consumer.AckID(id); err != nil {
			return nil, err
		}
		if end, ok := wanted[first]; ok && end == last && len(heard.parts) > 0 {
			entries = append(entries, heard.parts...)
			delete(wanted, first)
		}
	}
	return entries, nil
}

// listener notes what the client acknowledges, in the goroutine that acknowledges.
type listener struct{ parts []position }

func (*listener) BeforeConsume(pulsar.ConsumerMessage) {}

func (l *listener) OnAcknowledge(_ pulsar.Consumer, id pulsar.MessageID) {
	l.parts = append(l.parts, position{id.LedgerID(), id.EntryID()})
}

func (*listener) OnNegativeAcksSend(pulsar.Consumer, []pulsar.MessageID) {}
