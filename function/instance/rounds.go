package instance

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"

	"github.com/rowvec/rowvec/brokercall"
)

// sendTimeout is when the client gives up a message that the broker does not confirm. answerGrace is for its answer: a producer that the
// client closes by itself, because its topic was deleted, forgets what it has not sent yet and never answers. With noTimeout the client gives
// up nothing; zero would be 30 s.
const (
	sendTimeout = 10 * time.Second
	answerGrace = 5 * time.Second
	noTimeout   = time.Duration(-1)
)

var errUnanswered = fmt.Errorf("the client's producer does not answer: no confirmation from the broker in %v", sendTimeout+answerGrace)

// sender is the producer of rounds: made when it is first needed, and anew after it was discarded. One goroutine owns it.
type sender struct {
	client   pulsar.Client
	calls    *brokercall.Calls
	producer pulsar.Producer // nil: there is none
}

// ensure returns the producer that is there, or makes it with the options.
func (s *sender) ensure(ctx context.Context, options pulsar.ProducerOptions) (pulsar.Producer, error) {
	if s.producer != nil {
		return s.producer, nil
	}
	producer, err := brokercall.Await(ctx, s.calls, func() (pulsar.Producer, error) { return s.client.CreateProducer(options) }, pulsar.Producer.Close)
	if err != nil {
		return nil, fmt.Errorf("make the producer: %w", err)
	}
	s.producer = producer
	return producer, nil
}

// discard leaves the producer to be closed.
func (s *sender) discard() {
	if s.producer != nil {
		s.calls.Start(s.producer.Close)
		s.producer = nil
	}
}

// publishRound gives items to the producer in their order and waits until it has answered for each, or ctx has ended. It calls
// confirmed for those that the broker has stored, and returns the others, in their order, with the first error.
func publishRound[T any](
	ctx context.Context, producer pulsar.Producer, items []T, message func(T) *pulsar.ProducerMessage, confirmed func(T),
) (left []T, err error) {
	type result struct {
		index int
		err   error
	}
	results := make(chan result, len(items)) // a late callback never blocks
	handing, cancel := context.WithTimeout(ctx, sendTimeout+answerGrace)
	defer cancel()
	for i, item := range items { // the client may wait for room here, for as long as it is let
		producer.SendAsync(handing, message(item), func(_ pulsar.MessageID, _ *pulsar.ProducerMessage, err error) {
			results <- result{i, err}
		})
	}
	silence := time.NewTimer(sendTimeout + answerGrace)
	defer silence.Stop()
	sent := make([]bool, len(items))
	for range items {
		select {
		case r := <-results:
			if sent[r.index] = r.err == nil; sent[r.index] {
				confirmed(items[r.index])
			} else if err == nil {
				err = r.err
			}
		case <-silence.C:
			return unsent(items, sent), errUnanswered
		case <-ctx.Done():
			return unsent(items, sent), ctx.Err()
		}
	}
	return unsent(items, sent), err
}

func unsent[T any](items []T, sent []bool) []T {
	var left []T
	for i, item := range items {
		if !sent[i] {
			left = append(left, item)
		}
	}
	return left
}
