package instance

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestQueue(t *testing.T) {
	t.Parallel()
	q := newQueue[int]()
	for n := range 5 {
		require.True(t, q.add(n))
	}
	require.Equal(t, []int{0, 1, 2}, q.take(t.Context(), 3))
	require.Equal(t, 2, q.len())
	q.finish()
	require.False(t, q.add(9))
	require.Equal(t, []int{3, 4}, q.take(t.Context(), 3))
	require.Empty(t, q.take(t.Context(), 3))

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	open := newQueue[int]()
	open.add(1)
	require.Empty(t, open.take(ended, 1), "after the end of ctx nothing is taken")
}
