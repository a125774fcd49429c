package instance

import (
	"context"
	"runtime"
	"testing"
	"weak"

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

// A letter that is confirmed is out of memory, though others wait behind it.
func TestAQueueKeepsNothingOfWhatWasTaken(t *testing.T) {
	t.Parallel()
	q := newQueue[*[]byte]()
	taken := func() weak.Pointer[[]byte] {
		letter := make([]byte, 1<<20)
		q.add(&letter)
		q.add(new([]byte))
		return weak.Make(q.take(t.Context(), 1)[0])
	}()
	runtime.GC()
	require.True(t, taken.Value() == nil)
	require.Equal(t, 1, q.len())
}
