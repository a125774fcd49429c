//go:build e2e

package e2e

import (
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	pulsarlog "github.com/apache/pulsar-client-go/pulsar/log"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deadletter"
	"github.com/rowvec/rowvec/embed/embedtest"
	"github.com/rowvec/rowvec/event"
	"github.com/rowvec/rowvec/function/document"
)

// tape reads the outcome events of a function from the beginning of its output topic.
type tape struct {
	*testing.T
	consumer pulsar.Consumer
	read     int
}

func (d *deployment) outputTopic() string { return "persistent://public/default/" + d.name + "-events" }

// next takes one event and checks what holds for all of them.
func (p *tape) next() (key string, e event.Event) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Context(), 30*time.Second)
	defer cancel()
	m, err := p.consumer.Receive(ctx)
	require.NoError(p, err, "after %d events", p.read)
	require.NoError(p, p.consumer.Ack(m))
	p.read++
	e, err = event.Parse(m.Payload())
	require.NoError(p, err, "%s", m.Payload())
	require.Equal(p, "public/default/rowvec-events", e.Function)
	require.Equal(p, "persistent://public/default/store.app.events", e.Topic)
	require.NotEmpty(p, e.MessageID)
	require.False(p, e.ReceivedAt.After(e.SettledAt))
	if e.Table != "" {
		require.Equal(p, "app.events", e.Table)
		require.Equal(p, "app.events/"+e.Row, m.Key())
		require.WithinDuration(p, e.ReceivedAt, e.CommittedAt, 3*time.Minute)
		require.NotEmpty(p, e.LSN)
	}
	if e.Outcome.Durable() {
		require.Equal(p, e.DurableAt.Sub(e.CommittedAt).Milliseconds(), *e.FreshnessMs)
	}
	require.NotContains(p, string(m.Payload()), "said", "no row text")
	return m.Key(), e
}

// of takes the next event, which is of a row, and compares its main words.
func (p *tape) of(row string, operation event.Operation, outcome event.Outcome) event.Event {
	p.Helper()
	_, e := p.next()
	require.Equal(p, []any{row, operation, outcome}, []any{e.Row, e.Operation, e.Outcome}, "%+v", e)
	return e
}

// TestOutcomeEvents: what becomes of each change is told on the output topic, in the order of each row, with figures that agree with
// Chroma, the endpoint and the dead letters; and a topic that takes nothing holds no record up.
func TestOutcomeEvents(t *testing.T) {
	endpoint := embedtest.New(embedtest.Options{})
	t.Cleanup(endpoint.Close)
	endpoint.Control(embedtest.Poison("cannot-be-embedded"))
	client, err := pulsar.NewClient(pulsar.ClientOptions{URL: world.env.PulsarURL, Logger: pulsarlog.NewLoggerWithSlog(slog.New(slog.DiscardHandler))})
	require.NoError(t, err)
	t.Cleanup(client.Close)
	d := deploy(t, "events", map[string]any{
		"userConfig/embedding/baseURL": endpoint.URL(), "userConfig/tables/app.events/chunk": map[string]any{"tokens": 24},
	})
	consumer, err := client.Subscribe(pulsar.ConsumerOptions{Topic: d.outputTopic(), SubscriptionName: "audit", Type: pulsar.Exclusive})
	require.NoError(t, err)
	t.Cleanup(consumer.Close)
	p := &tape{T: t, consumer: consumer}
	d.subscribed(t, 1)
	startSource(t)

	rowEvents(p, d)
	deadLetterEvents(p, d, client)
	bulkEvents(p, d, endpoint)
	stuckEvents(t, d)
}

// rowEvents follows one row.
func rowEvents(p *tape, d *deployment) {
	p.Helper()
	long := makeRow(1)
	long.Body = "First something is said that takes up a chunk of its own. Then something is said that takes up a second one. " +
		"At last something is said that is long enough to need a third."
	insert(p.T, "events", long)
	e := p.of("1", event.Insert, event.Indexed)
	require.Greater(p, e.Chunks, 2)
	require.Equal(p, e.Chunks, e.Texts)
	have, err := records(p.Context(), d.collection)
	require.NoError(p, err)
	require.Len(p, have, e.Chunks)
	lsn, err := strconv.ParseInt(e.LSN, 10, 64)
	require.NoError(p, err)
	require.EqualValues(p, lsn, have["1"].Metadata[document.KeyLSN])
	p.Logf("the first event: %+v", e)

	execute(p.T, "UPDATE app.events SET price = 2 WHERE id = 1")
	updated := p.of("1", event.Update, event.MetadataOnly)
	require.Equal(p, [2]int{e.Chunks, 0}, [2]int{updated.Chunks, updated.Texts})
	execute(p.T, "UPDATE app.events SET body = 'Short.' WHERE id = 1")
	updated = p.of("1", event.Update, event.Indexed)
	require.Equal(p, [2]int{1, 1}, [2]int{updated.Chunks, updated.Texts})
	execute(p.T, "DELETE FROM app.events WHERE id = 1")
	gone := p.of("1", event.Delete, event.Deleted)
	require.Equal(p, [2]int{0, 0}, [2]int{gone.Chunks, gone.Texts})
}

// deadLetterEvents compares the events of what can never succeed with the dead letters.
func deadLetterEvents(p *tape, d *deployment, client pulsar.Client) {
	p.Helper()
	producer, err := client.CreateProducer(pulsar.ProducerOptions{Topic: "persistent://" + d.topic()})
	require.NoError(p, err)
	defer producer.Close()
	key := base64.StdEncoding.EncodeToString([]byte(`{"id":7}`))
	_, err = producer.Send(p.Context(), &pulsar.ProducerMessage{Key: key, Payload: []byte("what is said here is not JSON")})
	require.NoError(p, err)
	eventKey, malformed := p.next()
	require.Equal(p, key, eventKey)
	require.Empty(p, malformed.Table)
	insert(p.T, "events", row{ID: 2, Title: "cannot-be-embedded", Body: "said", Price: "1.00", Tags: []string{}})
	refused := p.of("2", event.Insert, event.Poison)

	letters := map[string]pulsar.Message{}
	for _, m := range d.letters(p.T, client, 2) {
		letters[m.Properties()[deadletter.PropReason]] = m
	}
	for reason, e := range map[string]event.Event{"bad_payload": malformed, "bad_request": refused} {
		letter, ok := letters[reason]
		require.True(p, ok, "no dead letter for %s; there are %v", reason, letters)
		require.Equal(p, event.Poison, e.Outcome)
		require.Equal(p, reason, e.Reason)
		require.Equal(p, letter.Properties()[deadletter.PropStage], e.Stage)
		require.Equal(p, letter.Properties()[deadletter.PropMessageID], e.MessageID, "finds the letter")
		require.Equal(p, letter.Properties()[deadletter.PropSourceTopic], e.Topic)
	}
}

// bulkEvents changes many rows several times and adds up.
func bulkEvents(p *tape, d *deployment, endpoint *embedtest.Server) {
	p.Helper()
	const rows, updates = 1000, 3
	before, start := endpoint.Stats().Texts, time.Now()
	require.NoError(p, insertMany(p.Context(), "events", 1000, 1000+rows-1))
	for n := range updates {
		execute(p.T, "UPDATE app.events SET body = 'Said again ' || id || $1, price = price + 1 WHERE id >= 1000", strconv.Itoa(n))
	}
	texts, last := 0, map[string]int64{}
	for range rows * (1 + updates) {
		_, e := p.next()
		lsn, err := strconv.ParseInt(e.LSN, 10, 64)
		require.NoError(p, err)
		require.Contains(p, []event.Outcome{event.Indexed, event.Superseded}, e.Outcome)
		if e.Outcome == event.Indexed {
			require.Greater(p, lsn, last[e.Row], "row %s: what becomes durable is told in order", e.Row)
			last[e.Row] = lsn
		}
		texts += e.Texts
	}
	took := time.Since(start)
	require.Len(p, last, rows)
	require.Equal(p, endpoint.Stats().Texts-before, texts, "every embedded text is told of")
	p.Logf("%d changes settled and told in %v: %.0f/s", rows*(1+updates), took, float64(rows*(1+updates))/took.Seconds())

	eventually(p.T, 10*time.Second, func(ctx context.Context) error {
		s, err := world.pulsar.FunctionStats(ctx, d.name)
		if err != nil {
			return err
		}
		if told, lost := s.UserMetric("rowvec_events_total"), s.UserMetric("rowvec_events_dropped_total"); int(told) != p.read || lost != 0 {
			return fmt.Errorf("%v events were published and %v dropped, %d were read", told, lost, p.read)
		}
		return nil
	})
	d.isWell(p.T, 10*time.Second, 1)
}

// stuckEvents terminates the output topic: the records go on, the status says so, and a new topic is taken up.
func stuckEvents(t *testing.T, d *deployment) {
	t.Helper()
	execute(t, "DELETE FROM app.events")
	requireRecords(t, d, 0)
	command(t, "topics", "terminate", d.outputTopic())
	insert(t, "events", makeRow(1), makeRow(2), makeRow(3))
	requireRecords(t, d, 3)
	d.says(t, 30*time.Second, "output topic: cannot publish to "+d.outputTopic())
	execute(t, "DELETE FROM app.events WHERE id = 2")
	requireRecords(t, d, 2)

	command(t, "topics", "delete", "-f", d.outputTopic())
	d.isWell(t, time.Minute, 1)
	eventually(t, 10*time.Second, func(ctx context.Context) error {
		s, err := world.pulsar.TopicStats(ctx, d.outputTopic()[len("persistent://"):])
		if err == nil && s.MessagesIn != 4 {
			err = fmt.Errorf("the new topic got %d events, not the 4 that waited", s.MessagesIn)
		}
		return err
	})
}

// requireRecords waits for the number of records; the texts are of one chunk.
func requireRecords(t *testing.T, d *deployment, want int) {
	t.Helper()
	eventually(t, 30*time.Second, func(ctx context.Context) error { return counted(ctx, d.collection, want) })
}
