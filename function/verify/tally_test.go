package verify

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTally counts a row once over the rounds of a repair, and not among what was mended while it is at fault.
func TestTally(t *testing.T) {
	t.Parallel()
	type row struct {
		id   string
		kind Kind
	}
	for name, c := range map[string]struct {
		room   int
		rounds [][]row
		last   map[Kind]int // faults of the last round
		mended map[Kind]int
	}{
		"a row that is met twice": {
			room: 9, rounds: [][]row{{{"1", Stale}, {"2", Stale}, {"2", Chunks}}, {{"2", Stale}, {"3", Stale}, {"2", Stale}}, {{"3", Stale}}},
			last: map[Kind]int{Stale: 1}, mended: map[Kind]int{Stale: 2},
		},
		"a row that is another fault by now": {
			room: 9, rounds: [][]row{{{"1", Missing}, {"2", Stale}}, {{"1", Stale}}},
			last: map[Kind]int{Stale: 1}, mended: map[Kind]int{Stale: 1},
		},
		"and is mended then": {
			room: 9, rounds: [][]row{{{"1", Missing}}, {{"1", Stale}}, {{"1", Chunks}}, {}},
			last: map[Kind]int{}, mended: map[Kind]int{Missing: 1},
		},
		"as many rows as are remembered": {
			room: 3, rounds: [][]row{{{"1", Stale}, {"2", Stale}}, {{"2", Stale}, {"3", Stale}}, {}},
			last: map[Kind]int{}, mended: map[Kind]int{Stale: 3},
		},
		"a row that is known though there is no more room": {
			room: 2, rounds: [][]row{{{"1", Stale}}, {{"2", Stale}, {"1", Stale}, {"1", Stale}}},
			last: map[Kind]int{Stale: 2}, mended: map[Kind]int{},
		},
		"more rows than that": { // 2 and 3 may be those that were counted, and are known again in this round
			room: 2, rounds: [][]row{{{"1", Stale}, {"2", Stale}, {"3", Stale}}, {{"2", Stale}, {"3", Chunks}, {"3", Chunks}}, {{"3", Stale}}},
			last: map[Kind]int{Stale: 1}, mended: map[Kind]int{Stale: 2},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tally, report := newTally(c.room), newReport("app.articles", 0)
			for round, rows := range c.rounds {
				tally.begin()
				report = newReport("app.articles", 0)
				for _, row := range rows {
					if !tally.add(row.id, row.kind, round) {
						report.add(row.id, &finding{kind: row.kind})
					}
				}
			}
			require.Equal(t, c.last, found(report.Faults))
			require.Equal(t, c.mended, found(tally.gone()))
		})
	}
}

// TestTallyHas what was reported in a round, and may have what it had no room for.
func TestTallyHas(t *testing.T) {
	t.Parallel()
	tally := newTally(2)
	tally.add("1", Stale, 0)
	require.True(t, tally.has("1", 0))
	require.False(t, tally.has("2", 0))
	tally.begin()
	require.False(t, tally.has("1", 1))
	tally.add("2", Stale, 1)
	require.True(t, tally.has("3", 1), "it is full")
	require.False(t, tally.has("1", 1))
	tally.begin()
	require.False(t, tally.has("3", 2))
}
