package broker

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAReaderIsConnectedWithAllItsPartitions: the client makes a back-off for each connection that it has lost, and resets it once it is back.
func TestAReaderIsConnectedWithAllItsPartitions(t *testing.T) {
	t.Parallel()
	tail := &tail{link: &link{}}
	require.True(t, tail.Connected())
	first, second := tail.link.reconnect(), tail.link.reconnect()
	require.False(t, tail.Connected())
	require.Positive(t, first.Next(), "it waits as the client's own does")
	first.Reset()
	first.Reset()
	require.False(t, tail.Connected(), "one of two is back")
	second.Reset()
	require.True(t, tail.Connected())
	again := tail.link.reconnect()
	require.False(t, tail.Connected())
	again.Reset()
	require.True(t, tail.Connected())
}
