package indexer

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

// TestATextThatACrashTearsIsNeverTakenForWhole: an update without the large column takes it from the insert's second delivery and dies
// while it writes the chunks. A newer update, which has not the column either, comes before it comes again.
func TestATextThatACrashTearsIsNeverTakenForWhole(t *testing.T) {
	t.Parallel()
	for crash := 3; crash < 14; crash++ {
		for seed := range uint64(10) {
			_, err := played(t, tornHistory(crash), seed)
			require.NoError(t, err, "crash %d, seed %d", crash, seed)
		}
	}
}

func tornHistory(crash int) *history {
	h := &history{chunked: true, two: true, both: true, rows: map[*connector.Change]connector.Row{}}
	row := connector.Row{"id": int64(0), "title": "b", "body": otherLong, "notes": "remarks", "price": int64(2)}
	h.add(connector.Insert, 0, row, nil, version3(1000084, 1001701, 1001701))
	row = connector.Row{"id": int64(0), "title": "a", "body": otherLong, "notes": "", "price": nil}
	h.add(connector.Update, 0, row, []string{"body"}, version3(1000113, 1001701, 1001702))
	row = connector.Row{"id": int64(0), "title": "b", "body": otherLong, "notes": "remarks", "price": int64(4)}
	h.add(connector.Update, 0, row, []string{"body"}, version3(1000123, 1001861, 1001861))
	h.lives = []life{{deliver: []int{0, 0, 1}, batch: 2, crash: crash, effect: true}}
	return h
}
