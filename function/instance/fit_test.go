package instance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/rowvec/rowvec/deadletter"
	"github.com/rowvec/rowvec/function/instance/pulsartest"
)

// metadata is the MessageMetadata of PulsarApi.proto that the client makes of a message in chunks, with the longest of what is not the
// message's own.
func metadata(m *pulsar.ProducerMessage) []byte {
	var b []byte
	text := func(field protowire.Number, value string) {
		b = protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), value)
	}
	text(1, strings.Repeat("p", 64)) // producer_name
	for _, field := range []protowire.Number{2, 3, 8, 9, 12, 27, 28, 29} {
		b = protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), 1<<62)
	}
	for name, value := range m.Properties {
		var pair []byte
		pair = protowire.AppendString(protowire.AppendTag(pair, 1, protowire.BytesType), name)
		pair = protowire.AppendString(protowire.AppendTag(pair, 2, protowire.BytesType), value)
		text(4, string(pair))
	}
	text(6, m.Key)
	text(18, m.OrderingKey)
	text(26, strings.Repeat("u", 64+20)) // uuid
	return b
}

// brokerLimit is maxMessageSize of a broker that is not configured.
const brokerLimit = 5 << 20

// long is a letter whose own properties are as long as they get.
func long(properties map[string]string, key, ordering string) letter {
	word := strings.Repeat("w", longText)
	return letter{
		parcel: &parcel{orderingKey: ordering, Delivery: &Delivery{
			Topic: word, ID: word, Key: key, Payload: []byte("body"), Properties: properties, PublishTime: time.Now(), SchemaVersion: make([]byte, 8),
		}},
		Settlement: Settlement{Reason: word, Stage: word, Message: word, Table: word, RowID: word, Version: word},
		at:         time.Now(),
	}
}

func many(n, size int) map[string]string {
	properties := map[string]string{}
	for i := range n {
		properties[fmt.Sprintf("p%07d", i)] = strings.Repeat("v", size)
	}
	return properties
}

func TestALetterFitsWhateverTheMessageHad(t *testing.T) {
	t.Parallel()
	text := func(n int) string { return strings.Repeat("x", n) }
	const largest = brokerLimit - 1024
	for name, c := range map[string]struct {
		properties    map[string]string
		key, ordering string

		left         int // inherited properties
		hasKey       bool
		hasOrdering  bool
		omitted      []string
		nothingToSay bool
	}{
		"nothing":               {hasKey: true, hasOrdering: true, nothingToSay: true},
		"as much as is kept":    {properties: many(2, longProperty/2-64), key: "k", ordering: "o", left: 2, hasKey: true, hasOrdering: true, nothingToSay: true},
		"one large property":    {properties: map[string]string{"big": text(largest), "small": "s"}, key: "k", left: 1, hasKey: true, hasOrdering: true, omitted: []string{"big (5241856 bytes)"}},
		"a large name":          {properties: map[string]string{text(largest): ""}, hasKey: true, hasOrdering: true, omitted: []string{strings.Repeat("x", 61) + "... (0 bytes)"}},
		"several":               {properties: many(5, brokerLimit/5-1024), key: "k", left: 1, hasKey: true, hasOrdering: true, omitted: []string{"p0000000 (1047552 bytes), p0000001"}},
		"a great many":          {properties: many(200_000, 8), left: longProperty / 32, hasKey: true, hasOrdering: true, omitted: []string{"p0000015 (8 bytes), and 167216 more"}},
		"a large key":           {key: text(longMetadata - 64<<10), ordering: text(64 << 10), properties: many(9, 9), hasKey: true, omitted: []string{"the ordering key (65536 bytes)"}, left: 9},
		"the largest key":       {key: text(largest), properties: many(3, 9), left: 3, hasOrdering: true, omitted: []string{"the key (5241856 bytes)"}},
		"a long ordering key":   {ordering: text(longKey + 1), key: text(longKey + 1), hasKey: true, omitted: []string{"the ordering key (1048577 bytes)"}},
		"both keys, properties": {key: text(2 << 20), ordering: text(longKey), properties: many(16, 64<<10), hasKey: true, hasOrdering: true, left: 15, omitted: []string{"p0000000 (65536 bytes)"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := long(c.properties, c.key, c.ordering)
			whole := l.message(identity{function: "a/b/c"})
			m := fit(l.message(identity{function: "a/b/c"}), longMetadata)
			require.LessOrEqual(t, len(metadata(m)), longMetadata)
			require.Equal(t, "body", string(m.Payload))
			require.Equal(t, c.hasKey, m.Key == c.key)
			require.Equal(t, c.hasOrdering, m.OrderingKey == c.ordering)
			inherited := 0
			for name, value := range whole.Properties {
				if strings.HasPrefix(name, deadletter.Prefix) {
					require.Equal(t, value, m.Properties[name], "what the letter says stays")
				} else if kept, ok := m.Properties[name]; ok {
					require.Equal(t, value, kept)
					inherited++
				}
			}
			require.Equal(t, c.left, inherited)
			require.Equal(t, c.nothingToSay, m.Properties[deadletter.PropOmitted] == "")
			require.LessOrEqual(t, len(m.Properties[deadletter.PropOmitted]), longText)
			for _, text := range c.omitted {
				require.Contains(t, m.Properties[deadletter.PropOmitted], text)
			}
			require.Equal(t, m, fit(l.message(identity{function: "a/b/c"}), longMetadata), "published again it is the same")
		})
	}
}

// A redriven letter that fails again is as large as before, and still says what the original had.
func TestWhatWasLeftOutIsNotForgotten(t *testing.T) {
	t.Parallel()
	properties := many(5, brokerLimit/5-1024)
	first := fit(long(properties, "k", "").message(identity{}), longMetadata)
	second := fit(long(first.Properties, first.Key, "").message(identity{}), longMetadata)
	require.Equal(t, first.Properties[deadletter.PropOmitted], second.Properties[deadletter.PropOmitted])
	require.Equal(t, properties["p0000004"], second.Properties["p0000004"])
	second.Properties["new"] = strings.Repeat("n", longProperty)
	third := fit(long(second.Properties, "k", "").message(identity{}), longMetadata)
	require.Equal(t, first.Properties[deadletter.PropOmitted]+", new (1048576 bytes)", third.Properties[deadletter.PropOmitted])
}

// A message that came with properties of ours, none of which a function wrote.
func TestALetterFitsWhateverALetterClaims(t *testing.T) {
	t.Parallel()
	huge := strings.Repeat("\x01", brokerLimit/4)
	claims := map[string]string{
		deadletter.PropHistory: `[{"reason":"` + strings.Repeat("r", brokerLimit/4) + `","times":1}]`,
		deadletter.PropReason:  huge, deadletter.PropStage: huge, deadletter.PropOmitted: huge, deadletter.PropSchemaVersion: huge, "rowvec.odd": huge,
	}
	require.Less(t, len(metadata(fit(long(claims, "", "").message(identity{}), longMetadata))), leastMetadata)
}

// The broker's limit can be configured, and the client tells of it only by refusing.
func TestALetterFitsABrokerThatTakesLess(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		refusal error
		omitted string
	}{
		"its metadata is too large":    {pulsar.ErrMetaTooLarge, "big (1048512 bytes)"},
		"the broker takes nothing now": {errBroker, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				f.worker.handle = settleAs(poison("malformed"))
				f.broker.Script("send "+deadTopic, slices.Repeat([]pulsartest.Fault{{Err: c.refusal}}, 6)...)
				f.start()
				f.broker.Publish(articles, &pulsartest.Message{K: "k", Body: []byte("body"), Props: map[string]string{"big": strings.Repeat("b", longProperty-64)}})
				f.pass(time.Minute)
				stored := f.broker.Stored(deadTopic)
				require.Len(t, stored, 1)
				require.Equal(t, c.omitted, stored[0].Props[deadletter.PropOmitted])
				require.Equal(t, c.omitted == "", stored[0].Props["big"] != "")
				require.Equal(t, "body", string(stored[0].Body))
				require.Equal(t, 1, f.broker.Count("ack "+articles))
				require.Empty(t, f.seen.snapshot().conditions)
				f.end()
			})
		})
	}
}
