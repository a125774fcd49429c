package mailbox

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"

	"github.com/rowvec/rowvec/brokercall"
	"github.com/rowvec/rowvec/deadletter"
)

// refusal says why a topic cannot be sent to: its letters stay.
type refusal struct {
	topic   string
	problem string // with the cure
}

func (r *refusal) text() string {
	return "cannot redrive to " + r.topic + ": " + r.problem + "; its letters stay"
}

// check tells whether what is sent to a source topic reaches the function. A producer would make a topic that is gone again, and the
// broker discards what comes to a topic without subscription.
func (m *Mailbox) check(ctx context.Context, topic string) (*refusal, error) {
	t, malformed := parseTopic(topic)
	if malformed != nil {
		return &refusal{topic, malformed.Error()}, nil //nolint:nilerr // the refusal tells it
	}
	for _, question := range []string{"stats", "partitioned-stats"} {
		var s stats
		found, err := m.ask(ctx, t, question, &s)
		if err != nil {
			return nil, err
		}
		if _, subscribed := s.Subscriptions[m.subscription]; found && !subscribed {
			return &refusal{topic, fmt.Sprintf("it has no subscription %s, so what is sent there would be lost. Deploy the function with this topic among its inputs, then redrive", m.subscription)}, nil
		}
		if found {
			return nil, nil //nolint:nilnil // nothing is wrong
		}
	}
	return &refusal{topic, "the topic is gone. Make it again (start the function, then the source) and redrive; or drop these letters, " +
		"and have `rowvec verify --repair` bring what the rows have now"}, nil
}

// sendTimeout is how long the answers to a round may take. The client itself gives up nothing (-1; 0 would be its 30 s): of a letter in chunks it tells how the last
// one fared, and would confirm one whose first chunk it had given up. A producer whose topic was deleted never answers.
const (
	sendTimeout = 30 * time.Second
	noTimeout   = time.Duration(-1)
)

var errUnanswered = fmt.Errorf("the client's producer does not answer: no confirmation from the broker in %v", sendTimeout)

// post sends letters, with a producer for each source topic.
type post struct {
	box       *Mailbox
	producers map[string]pulsar.Producer
	refused   map[string]*refusal
	approved  map[string]bool
}

func (m *Mailbox) post() *post {
	return &post{m, map[string]pulsar.Producer{}, map[string]*refusal{}, map[string]bool{}}
}

func (p *post) close() {
	for _, producer := range p.producers {
		p.box.calls.Start(producer.Close)
	}
}

// open tells whether a topic can be sent to. A topic that cannot is remembered in refused.
func (p *post) open(ctx context.Context, topic string) (bool, error) {
	if p.refused[topic] != nil || p.approved[topic] {
		return p.approved[topic], nil
	}
	refused, err := p.box.check(ctx, topic)
	if err != nil {
		return false, err
	}
	if refused != nil {
		p.refused[topic] = refused
		return false, nil
	}
	p.approved[topic] = true
	return true, nil
}

func (p *post) producer(ctx context.Context, topic string) (pulsar.Producer, error) {
	if producer := p.producers[topic]; producer != nil {
		return producer, nil
	}
	producer, err := brokercall.Await(ctx, &p.box.calls, func() (pulsar.Producer, error) {
		return p.box.client.CreateProducer(pulsar.ProducerOptions{
			Topic: topic, SendTimeout: noTimeout, CompressionType: pulsar.LZ4, MessageRouter: route,
			DisableBatching: true, EnableChunking: true, // as the letter is: each by itself, by its own key
		})
	}, pulsar.Producer.Close)
	if err != nil {
		return nil, fmt.Errorf("make a producer for %s: %w", topic, err)
	}
	p.producers[topic] = producer
	return producer, nil
}

// route sends a letter to the partition that its message came from: the client would go by the ordering key, the source went by the key.
func route(m *pulsar.ProducerMessage, topic pulsar.TopicMetadata) int {
	parts := strings.Split(m.Properties[deadletter.PropMessageID], ":") // ledger:entry:partition:batch
	if len(parts) == 4 {
		if n, err := strconv.Atoi(parts[2]); err == nil && n >= 0 && n < int(topic.NumPartitions()) {
			return n
		}
	}
	return 0
}

// send gives a letter to the client; answered gets what becomes of it, from another goroutine.
func send(ctx context.Context, producer pulsar.Producer, l *Letter, answered func(error)) {
	producer.SendAsync(ctx, &pulsar.ProducerMessage{
		Payload: l.Payload, Key: l.Key, OrderingKey: l.OrderingKey, Properties: l.Properties, EventTime: l.EventTime,
	}, func(_ pulsar.MessageID, _ *pulsar.ProducerMessage, err error) { answered(err) })
}
