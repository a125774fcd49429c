package verify

// maxTallied bounds how many rows are remembered as reported: in 104 MiB, where ids are short.
const maxTallied = 1 << 20

// tally counts what was reported by row, over the rounds of a repair: a row once, as what it was reported first.
type tally struct {
	room     int // rows that are remembered
	rows     map[string]verdict
	faults   map[Kind]int // of any round
	standing map[Kind]int // of this one
	closed   bool         // rows were forgotten: one that is reported now may have been counted
}

// verdict is when a row was reported last, and what it was first.
type verdict struct {
	round int
	kind  Kind
}

func newTally(room int) *tally {
	return &tally{room: room, rows: map[string]verdict{}, faults: map[Kind]int{}, standing: map[Kind]int{}}
}

// begin makes room for the rows of another round. Once there was none, no more rows are counted as faults.
func (t *tally) begin() {
	clear(t.standing)
	if len(t.rows) >= t.room {
		clear(t.rows)
		t.closed = true
	}
}

// add notes a row, and reports whether it is known to have been reported in this round before.
func (t *tally) add(id string, kind Kind, round int) (again bool) {
	last, known := t.rows[id]
	switch {
	case known && last.round == round:
		return true
	case known:
		kind = last.kind
	case !t.closed:
		t.faults[kind]++
	}
	t.standing[kind]++
	if known || len(t.rows) < t.room {
		t.rows[id] = verdict{round: round, kind: kind}
	}
	return false
}

// has reports whether a row was reported in a round, or may have been, as not all could be remembered.
func (t *tally) has(id string, round int) bool {
	last, known := t.rows[id]
	if !known {
		return len(t.rows) >= t.room
	}
	return last.round == round
}

// gone returns how many rows were reported in some round, and not in this one.
func (t *tally) gone() map[Kind]int {
	n := make(map[Kind]int, len(t.faults))
	for _, k := range Kinds() {
		n[k] = max(0, t.faults[k]-t.standing[k]) // below zero where what is not counted stands
	}
	return n
}
