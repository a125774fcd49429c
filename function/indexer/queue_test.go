package indexer

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func queued(q *queue, id string, bytes int) *item {
	it := &item{Record: Record{Bytes: bytes}, id: id}
	q.put(it)
	return it
}

func TestQueueTakesInOrderAndLeavesBusyRows(t *testing.T) {
	t.Parallel()
	q := newQueue(Batch{MaxRecords: 3, MaxBytes: 1000})
	a1, b1, a2 := queued(&q, "a", 1), queued(&q, "b", 1), queued(&q, "a", 1)
	c1 := queued(&q, "c", 1)
	require.Equal(t, []*item{a1, b1, a2}, q.take(), "a row may come with several records")
	a3 := queued(&q, "a", 1)
	require.Equal(t, []*item{c1}, q.take())
	require.Nil(t, q.take(), "the only record is of a busy row")
	require.False(t, q.free("b"))
	require.True(t, q.free("a"), "somebody waits for it")
	require.Equal(t, []*item{a3}, q.take())
	require.Zero(t, q.bytes)
}

func TestQueueBoundsBatchesByBytes(t *testing.T) {
	t.Parallel()
	q := newQueue(Batch{MaxRecords: 10, MaxBytes: 100})
	big := queued(&q, "a", 500)
	require.False(t, q.fits(1), "over the bound")
	require.Equal(t, []*item{big}, q.take(), "a record over the bound goes alone")
	require.True(t, q.fits(500), "and comes in alone")
	b, c := queued(&q, "b", 60), queued(&q, "c", 40)
	require.False(t, q.fits(1))
	d := queued(&q, "d", 1)
	require.Equal(t, []*item{b, c}, q.take())
	require.Equal(t, []*item{d}, q.take())
}

func TestQueueBoundsByCount(t *testing.T) {
	t.Parallel()
	q := newQueue(Batch{MaxRecords: 2, MaxBytes: 100})
	for range 4 {
		require.True(t, q.fits(1))
		queued(&q, "a", 1)
	}
	require.False(t, q.fits(1))
}

func TestQueueCountsWhoWaitsForARow(t *testing.T) {
	t.Parallel()
	q := newQueue(Batch{MaxRecords: 1, MaxBytes: 100})
	queued(&q, "a", 1)
	queued(&q, "a", 1)
	q.take()
	require.True(t, q.free("a"), "the second was left behind when the first was taken")
	require.Len(t, q.empty(), 1)
	require.Nil(t, q.take())
}

// A row that comes back brings what waits for it, whatever a batch holds, and nobody overtakes.
func TestQueueGivesARowThatComesBackAllThatIsItsOwn(t *testing.T) {
	t.Parallel()
	q := newQueue(Batch{MaxRecords: 2, MaxBytes: 100})
	queued(&q, "a", 1)
	items := q.take()
	r := &row{id: "a", items: items}
	q.shelve([]*row{r})
	b1, a1, a2, c1 := queued(&q, "b", 1), queued(&q, "a", 80), queued(&q, "a", 80), queued(&q, "c", 1)
	b2, a3 := queued(&q, "b", 1), queued(&q, "a", 1)
	require.Equal(t, []*item{b1, a1, a2, a3}, q.take(r))
	require.Equal(t, 2, q.bytes)
	require.False(t, q.free("a"))
	require.True(t, q.free("b"), "one was left")
	require.Equal(t, []*item{c1, b2}, q.take())
	require.Zero(t, q.shelved)
}
