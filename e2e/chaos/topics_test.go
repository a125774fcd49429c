//go:build e2e

package chaos

import (
	"context"
	"testing"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deadletter"
	"github.com/rowvec/rowvec/e2e/broker"
	"github.com/rowvec/rowvec/e2e/chaos/plant"
	"github.com/rowvec/rowvec/event"
)

func (w *world) client() (pulsar.Client, error) { return broker.Connect(w.env.PulsarURL) }

// keep has topics keep all that is published to them. They are read when all is over, as a whole.
func (w *world) keep(t *testing.T, topics ...string) {
	t.Helper()
	require.NoError(t, broker.Keep(t.Context(), w.env.PulsarURL, topics...))
}

// read hands over all that a topic holds now.
func (w *world) read(ctx context.Context, name string, each func(pulsar.Message) error) error {
	return broker.Read(ctx, w.env.PulsarURL, name, each)
}

// letters reads the dead-letter topic.
func (w *world) letters(ctx context.Context) (found []plant.Letter, err error) {
	err = w.read(ctx, letters, func(m pulsar.Message) error {
		p := m.Properties()
		found = append(found, plant.Letter{
			Payload: string(m.Payload()), Row: p[deadletter.PropRow], Stage: p[deadletter.PropStage], Reason: p[deadletter.PropReason], MessageID: p[deadletter.PropMessageID],
		})
		return nil
	})
	return found, err
}

// told are the outcome events, added up.
type told struct {
	events   []event.Event
	distinct int // messages that the events are of
	useful   int // texts embedded for changes that became durable
}

func (w *world) events(ctx context.Context) (all told, err error) {
	seen := map[string]bool{}
	err = w.read(ctx, events, func(m pulsar.Message) error {
		e, err := event.Parse(m.Payload())
		if err != nil {
			return err
		}
		all.events = append(all.events, e)
		seen[e.MessageID] = true
		if e.Outcome == event.Indexed {
			all.useful += e.Texts
		}
		return nil
	})
	all.distinct = len(seen)
	return all, err
}

// messages counts what the source, and the planter, have published to the table's topic.
func (w *world) messages(ctx context.Context) (n int, err error) {
	err = w.read(ctx, topic, func(pulsar.Message) error { n++; return nil })
	return n, err
}
