package instance

import (
	"testing"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/stretchr/testify/require"
)

// given is a message as far as reach looks at it.
type given struct {
	pulsar.Message

	topic         string
	ledger, entry int64
}

func (g given) Topic() string        { return g.topic }
func (g given) ID() pulsar.MessageID { return pulsar.NewMessageID(g.ledger, g.entry, 3, 0) }

func TestReachIsByPartitionAndOfTheLastMessage(t *testing.T) {
	t.Parallel()
	var r reach
	r.begin()
	require.False(t, r.further())
	require.False(t, r.behind(map[string]position{"p0": {-1, -1}, "p1": {7, -1}}), "an empty topic has nothing to give")
	require.True(t, r.behind(map[string]position{"p0": {-1, -1}, "p1": {7, 0}}))
	r.note(given{topic: "p1", ledger: 7, entry: 5})
	require.True(t, r.further())
	for _, end := range []position{{7, 5}, {7, 4}, {6, 9}} {
		require.False(t, r.behind(map[string]position{"p1": end}), end)
	}
	for _, end := range []position{{7, 6}, {8, 0}} {
		require.True(t, r.behind(map[string]position{"p1": end}), end)
	}
	require.True(t, r.behind(map[string]position{"p0": {7, 0}, "p1": {7, 5}}), "nothing of the other partition")
	r.note(given{topic: "p1", ledger: 7, entry: 2})
	require.True(t, r.behind(map[string]position{"p1": {7, 5}}), "given again, and only the beginning of it")
	r.begin()
	r.note(given{topic: "p1", ledger: 7, entry: 5})
	require.False(t, r.further(), "given again to another consumer")
	r.note(given{topic: "p1", ledger: 7, entry: 6})
	require.True(t, r.further())
}
