package indexer

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// A history is what happened to the rows of a table and how it reached the index: everything that the property tests need, as plain
// data, so that one that fails can be cut down and printed.
type history struct {
	chunked   bool // texts make several records
	two       bool // the text is of the title and the body
	both      bool // the text is of two large columns
	full      bool // the large columns are metadata, too
	fetches   bool // columns can be read from the table
	truncates bool // the table is truncated now and then
	changes   []*connector.Change
	rows      map[*connector.Change]connector.Row // the row after a change, with what the change left out
	lives     []life
}

// life is one process: what is delivered to it, and when it dies.
type life struct {
	deliver []int // changes, by their place in the history
	batch   int   // records in a batch at most
	crash   int   // the store's call at which it dies; 0: it does not
	effect  bool  // that call still has its effect
	mark    bool  // it dies when it has written the mark of a truncate
	away    int   // reads from the table that fail at first
}

const (
	historyRows    = 3
	historyChanges = 9
)

// randomHistory draws a history. A single trouble befalls its versions (connector.Version.Compare), any number its deliveries.
func randomHistory(rng *rand.Rand) *history {
	h := &history{
		chunked: rng.IntN(3) == 0, two: rng.IntN(2) == 0, both: rng.IntN(3) == 0, full: rng.IntN(2) == 0, fetches: rng.IntN(2) == 0, truncates: rng.IntN(3) == 0,
		rows: map[*connector.Change]connector.Row{},
	}
	clock := clocks{rng: rng, trouble: rng.IntN(5), lsn: 1_000_000, commit: 1_000_000}
	rows := make(map[int]connector.Row)
	if h.truncates && rng.IntN(10) == 0 {
		h.overtake(rng, rows, &clock)
	}
	for n := 2 + rng.IntN(historyChanges-1); len(h.changes) < n; {
		h.happen(rng, rows, &clock)
	}
	for range rng.IntN(4) {
		h.lives = append(h.lives, h.randomLife(rng))
	}
	return h
}

// happen does something to a row.
func (h *history) happen(rng *rand.Rand, rows map[int]connector.Row, clock *clocks) {
	id := rng.IntN(historyRows)
	row, exists := rows[id]
	kind := rng.IntN(10)
	v := clock.next(false)
	switch {
	case h.truncates && rng.IntN(6) == 0:
		clear(rows)
		h.truncate(v)
	case !exists:
		rows[id] = h.randomRow(rng, id)
		h.add(connector.Insert, id, rows[id], nil, v)
	case kind == 0:
		delete(rows, id)
		h.add(connector.Delete, id, nil, nil, v)
	case kind == 1: // the key changes: both events have one version
		to := (id + 1) % historyRows
		if _, taken := rows[to]; taken {
			return
		}
		delete(rows, id)
		moved := maps.Clone(row)
		moved["id"] = int64(to)
		rows[to] = moved
		h.add(connector.Delete, id, nil, nil, v)
		h.add(connector.Insert, to, moved, someLarge(rng, moved), v)
	case kind == 2: // a snapshot reads it
		h.add(connector.Read, id, row, nil, clock.next(true))
	case kind <= 5: // large columns are left as they are and not sent
		left := someLarge(rng, row)
		next := h.randomRow(rng, id)
		for _, name := range left {
			next[name] = row[name]
		}
		if rng.IntN(2) == 0 {
			next["title"] = row["title"]
		}
		rows[id] = next
		h.add(connector.Update, id, next, left, v)
	default:
		next := h.randomRow(rng, id)
		if kind == 6 {
			next["title"], next["body"] = row["title"], row["body"]
		}
		rows[id] = next
		h.add(connector.Update, id, next, nil, v)
	}
}

// someLarge draws columns that Postgres may leave out: never those that are empty.
func someLarge(rng *rand.Rand, row connector.Row) (names []string) {
	for _, name := range []string{"body", "notes"} {
		if row[name] != "" && row[name] != nil && rng.IntN(3) > 0 {
			names = append(names, name)
		}
	}
	return names
}

// bodies are what a column may hold. Postgres never leaves out the empty one.
var bodies = []string{"few words", long, otherLong, long + " " + otherLong, ""}

func (h *history) randomRow(rng *rand.Rand, id int) connector.Row {
	return connector.Row{
		"id": int64(id), "title": string(rune('a' + rng.IntN(3))), "body": bodies[rng.IntN(len(bodies))],
		"price": []any{int64(len(h.changes)), nil}[rng.IntN(2)], "notes": []any{"a note", "remarks", nil, ""}[rng.IntN(4)],
	}
}

// add notes a change after which the row is as given, without the columns that it leaves out.
func (h *history) add(op connector.Op, id int, row connector.Row, left []string, v connector.Version) {
	c := &connector.Change{
		Op: op, Table: connector.Table{Schema: "app", Name: "articles"}, Key: []connector.Column{{Name: "id", Value: int64(id)}},
		After: maps.Clone(row), Version: v,
	}
	for _, name := range left {
		c.After[name] = connector.Unavailable{}
	}
	h.changes = append(h.changes, c)
	h.rows[c] = row
}

// spec is the table's settings.
func (h *history) spec() document.Spec {
	spec := document.Spec{Table: "app.articles", Text: "{{.body}}", Identity: "m", Metadata: []document.Field{{Column: "price"}}}
	if h.two {
		spec.Text = "{{.title}}{{with .body}}: {{.}}{{end}}"
	}
	if h.both {
		spec.Text = "{{.title}}{{with .body}}: {{.}}{{end}}{{with .notes}} {{.}}{{end}}"
	}
	if h.full {
		spec.Metadata = append(spec.Metadata, document.Field{Column: "body", As: "full"}, document.Field{Column: "notes"})
	}
	if h.chunked {
		spec.Chunk = &document.ChunkSpec{Tokens: 8}
	}
	return spec
}

// randomLife delivers some of the changes, in order or not, some twice.
func (h *history) randomLife(rng *rand.Rand) life {
	l := life{batch: 1 + rng.IntN(4), effect: rng.IntN(2) == 0}
	from := rng.IntN(len(h.changes))
	for i := from; i < len(h.changes); i++ {
		for range []int{1, 1, 1, 0, 2}[rng.IntN(5)] {
			l.deliver = append(l.deliver, i)
		}
	}
	if rng.IntN(2) == 0 {
		rng.Shuffle(len(l.deliver), func(i, j int) { l.deliver[i], l.deliver[j] = l.deliver[j], l.deliver[i] })
	}
	if rng.IntN(2) == 0 {
		l.crash = 1 + rng.IntN(12)
	}
	if rng.IntN(3) == 0 {
		l.away = rng.IntN(5)
	}
	l.mark = h.truncates && rng.IntN(2) == 0
	return l
}

// clocks give versions.
type clocks struct {
	rng     *rand.Rand
	trouble int
	lsn     uint64
	commit  int64
	emitted int64
}

// next is the version of the next change. Each trouble makes one of the clocks go wrong, sometimes.
func (c *clocks) next(snapshot bool) connector.Version {
	hit := c.rng.IntN(3) == 0
	if hit && c.trouble == 0 { // fail-over
		c.lsn = 1 + c.rng.Uint64N(c.lsn)
		c.commit += 5
	}
	c.lsn += 1 + c.rng.Uint64N(50)
	if c.rng.IntN(3) > 0 { // else in the transaction of the one before
		c.commit += 1 + c.rng.Int64N(1000)
	}
	if hit && c.trouble == 1 { // the clock is set back
		c.commit -= c.rng.Int64N(3000)
	}
	c.emitted = max(c.emitted+1, c.commit)
	if snapshot && c.trouble == 2 { // read late
		c.emitted += c.rng.Int64N(10_000)
		return version3(c.lsn, c.emitted, c.emitted)
	}
	if hit && c.trouble == 3 { // sent again by a restarted connector
		return version3(c.lsn, c.commit, c.emitted+c.rng.Int64N(10_000))
	}
	return version3(c.lsn, c.commit, c.emitted)
}

func version3(lsn uint64, commit, emitted int64) connector.Version {
	return connector.Version{LSN: lsn, CommitTime: time.UnixMilli(commit).UTC(), Emitted: time.UnixMilli(emitted).UTC()}
}

// String prints a history as its reproducer.
func (h *history) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "chunked=%v two=%v both=%v full=%v fetches=%v\n", h.chunked, h.two, h.both, h.full, h.fetches)
	for i, c := range h.changes {
		fmt.Fprintf(&b, "%2d %s row %v %d@%d/%d", i, c.Op, rowID(c), c.Version.LSN, c.Version.CommitTime.UnixMilli(), c.Version.Emitted.UnixMilli())
		for _, name := range []string{"title", "body", "notes", "price"} {
			if value, has := c.After[name]; has {
				fmt.Fprintf(&b, " %s=%.20v", name, value)
			}
		}
		b.WriteByte('\n')
	}
	for _, l := range h.lives {
		fmt.Fprintf(&b, "life %+v\n", l)
	}
	return b.String()
}
