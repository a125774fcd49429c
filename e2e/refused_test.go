//go:build e2e

package e2e

import (
	"context"
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deadletter"
	"github.com/rowvec/rowvec/embed/embedtest"
)

const envelope = `{"before":null,"after":{"id":%d,"title":"t"},"op":%q,"source":{"schema":"app","table":"refused","lsn":1,"sequence":"[null,\"1\"]","ts_ms":1700000000000,"snapshot":"false"}}`

// TestBadInputIsDeadLetteredOnceWithItsReason plants records that can never succeed between good ones. Each goes to the dead-letter
// topic with its reason, those behind it go on, and the numbers add up: received = processed + dead-lettered.
func TestBadInputIsDeadLetteredOnceWithItsReason(t *testing.T) {
	endpoint := embedtest.New(embedtest.Options{})
	t.Cleanup(endpoint.Close)
	endpoint.Control(embedtest.Poison("cannot-be-embedded"))
	d := deploy(t, "refused", map[string]any{"userConfig/embedding/baseURL": endpoint.URL()})
	startSource(t)
	d.subscribed(t, 1)

	client := newClient(t)
	producer, err := client.CreateProducer(pulsar.ProducerOptions{Topic: "persistent://" + d.topic()})
	require.NoError(t, err)
	t.Cleanup(producer.Close)

	planted := map[string]string{ // reason -> payload
		"bad_payload":       `this is not JSON`,
		"bad_envelope":      `{"some":"other","schema":1}`,
		"unknown_operation": fmt.Sprintf(envelope, 7, "x"),
		"key_mismatch":      `{"before":null,"after":{"id":8},"op":"c","source":{"schema":"app","table":"refused","lsn":1,"sequence":"[null,\"1\"]","ts_ms":1700000000000,"snapshot":"false"}}`,
	}
	insert(t, "refused", makeRow(1))
	for reason, payload := range planted {
		_, err := producer.Send(t.Context(), &pulsar.ProducerMessage{
			Key: base64.StdEncoding.EncodeToString([]byte(`{"id":7}`)), Payload: []byte(payload), Properties: map[string]string{"planted": reason},
		})
		require.NoError(t, err)
	}
	insert(t, "refused", makeRow(2), row{ID: 3, Title: "cannot-be-embedded", Body: "x", Price: "1.00", Tags: []string{}}, makeRow(4))

	letters := make(map[string]pulsar.Message)
	for _, m := range d.letters(t, client, len(planted)+1) {
		letters[m.Properties()[deadletter.PropReason]] = m
	}
	for reason, payload := range planted {
		letter, ok := letters[reason]
		require.True(t, ok, "no dead letter for %s; there are %v", reason, letters)
		require.Equal(t, payload, string(letter.Payload()))
		require.Equal(t, reason, letter.Properties()["planted"], "the original properties stay")
		require.Equal(t, "persistent://"+d.topic(), letter.Properties()[deadletter.PropSourceTopic])
		require.NotEmpty(t, letter.Properties()[deadletter.PropMessageID])
		require.NotEmpty(t, letter.Properties()[deadletter.PropMessage])
		require.Equal(t, "public/default/"+d.name, letter.Properties()[deadletter.PropFunction])
	}
	refused, ok := letters["bad_request"]
	require.True(t, ok)
	require.Equal(t, "embed", refused.Properties()[deadletter.PropStage])
	require.Equal(t, "3", refused.Properties()[deadletter.PropRow])
	require.Contains(t, refused.Properties()[deadletter.PropMessage], "this text cannot be embedded")

	execute(t, "DELETE FROM app.refused WHERE id = 3")
	requireEqual(t, "refused", d.collection, time.Minute)
	eventually(t, 30*time.Second, func(ctx context.Context) error {
		s, err := world.pulsar.FunctionStats(ctx, d.name)
		if err != nil {
			return err
		}
		bad := int64(len(planted) + 1)
		if s.Received != 4+1+bad-1 || s.Processed != 4 || s.UserExceptions != bad {
			return fmt.Errorf("received %d, processed %d, user exceptions %d", s.Received, s.Processed, s.UserExceptions)
		}
		return nil
	})
	d.isWell(t, 10*time.Second, 1)
}
