package indexer

import (
	"math/rand/v2"

	"github.com/rowvec/rowvec/connector"
)

// overtake begins a history with updates that arrive before the insert, and the truncate, that came before them: the first of them
// while the index knows of no truncate, the others when everybody does.
func (h *history) overtake(rng *rand.Rand, rows map[int]connector.Row, clock *clocks) {
	h.add(connector.Insert, 0, h.randomRow(rng, 0), nil, clock.next(false))
	h.truncate(clock.next(false))
	row := h.randomRow(rng, 0)
	h.add(connector.Insert, 0, row, nil, clock.next(false))
	for range 2 + rng.IntN(2) {
		left, next := someLarge(rng, row), h.randomRow(rng, 0)
		for _, name := range left {
			next[name] = row[name]
		}
		h.add(connector.Update, 0, next, left, clock.next(false))
		row = next
	}
	rows[0] = row
	later := life{batch: 1 + rng.IntN(4)}
	for at := 4; at < len(h.changes); at++ {
		later.deliver = append(later.deliver, at)
	}
	h.lives = append(h.lives, life{deliver: []int{0}, batch: 1}, life{deliver: []int{3}, batch: 1}, life{deliver: []int{1}, batch: 1}, later)
}

// truncate notes one.
func (h *history) truncate(v connector.Version) {
	h.changes = append(h.changes, &connector.Change{Op: connector.Truncate, Table: connector.Table{Schema: "app", Name: "articles"}, Version: v})
}
