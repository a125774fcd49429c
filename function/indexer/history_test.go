package indexer

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// A history is what happened to the rows of a table and how it reached the index: everything that the property tests need, as plain
// data, so that one that fails can be cut down and printed.
type history struct {
	chunked   bool // texts make several records
	two       bool // the text is of two columns
	fetches   bool // columns can be read from the table
	truncates bool // the table is truncated now and then
	changes   []*connector.Change
	lives     []life
}

// life is one process: what is delivered to it, and when it dies.
type life struct {
	deliver []int // changes, by their place in the history
	batch   int   // records in a batch at most
	crash   int   // the store's call at which it dies; 0: it does not
	effect  bool  // that call still has its effect
}

const (
	historyRows    = 3
	historyChanges = 9
)

// randomHistory draws a history. A single trouble befalls its versions (connector.Version.Compare), any number its deliveries.
func randomHistory(rng *rand.Rand) *history {
	h := &history{chunked: rng.IntN(3) == 0, two: rng.IntN(2) == 0, fetches: rng.IntN(2) == 0, truncates: rng.IntN(3) == 0}
	clock := clocks{rng: rng, trouble: rng.IntN(5), lsn: 1_000_000, commit: 1_000_000}
	rows := make(map[int]connector.Row)
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
		h.changes = append(h.changes, &connector.Change{Op: connector.Truncate, Table: connector.Table{Schema: "app", Name: "articles"}, Version: v})
	case !exists:
		rows[id] = h.randomRow(rng, id)
		h.add(connector.Insert, id, rows[id], v)
	case kind == 0:
		delete(rows, id)
		h.add(connector.Delete, id, nil, v)
	case kind == 1: // the key changes: both events have one version
		to := (id + 1) % historyRows
		if _, taken := rows[to]; taken {
			return
		}
		delete(rows, id)
		moved := connector.Row{}
		for k, value := range row {
			moved[k] = value
		}
		moved["id"] = int64(to)
		rows[to] = moved
		h.add(connector.Delete, id, nil, v)
		h.add(connector.Insert, to, moved, v)
	case kind == 2: // a snapshot reads it
		h.add(connector.Read, id, row, clock.next(true))
	case kind <= 5 && row["body"] != "": // the large column is left as it is and not sent
		next := h.randomRow(rng, id)
		if next["body"] = row["body"]; rng.IntN(2) == 0 {
			next["title"] = row["title"]
		}
		rows[id] = next
		h.add(connector.Update, id, connector.Row{
			"id": next["id"], "title": next["title"], "price": next["price"], "body": connector.Unavailable{},
		}, v)
	default:
		next := h.randomRow(rng, id)
		if kind == 6 {
			next["title"], next["body"] = row["title"], row["body"]
		}
		rows[id] = next
		h.add(connector.Update, id, next, v)
	}
}

// bodies are what a column may hold. Postgres never leaves out the empty one.
var bodies = []string{"few words", long, otherLong, long + " " + otherLong, ""}

func (h *history) randomRow(rng *rand.Rand, id int) connector.Row {
	return connector.Row{
		"id": int64(id), "title": string(rune('a' + rng.IntN(3))), "body": bodies[rng.IntN(len(bodies))],
		"price": []any{int64(len(h.changes)), nil}[rng.IntN(2)],
	}
}

func (h *history) add(op connector.Op, id int, after connector.Row, v connector.Version) {
	h.changes = append(h.changes, &connector.Change{
		Op: op, Table: connector.Table{Schema: "app", Name: "articles"}, Key: []connector.Column{{Name: "id", Value: int64(id)}},
		After: after, Version: v,
	})
}

// spec is the table's settings.
func (h *history) spec() document.Spec {
	spec := document.Spec{Table: "app.articles", Text: "{{.body}}", Identity: "m", Metadata: []document.Field{{Column: "price"}}}
	if h.two {
		spec.Text = "{{.title}}{{with .body}}: {{.}}{{end}}"
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
	fmt.Fprintf(&b, "chunked=%v two=%v fetches=%v\n", h.chunked, h.two, h.fetches)
	for i, c := range h.changes {
		fmt.Fprintf(&b, "%2d %s row %v %d@%d/%d", i, c.Op, rowID(c), c.Version.LSN, c.Version.CommitTime.UnixMilli(), c.Version.Emitted.UnixMilli())
		for _, name := range []string{"title", "body", "price"} {
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

// shrink returns a smaller history that fails as well: fewer lives, deliveries and changes, for as long as that succeeds.
func (h *history) shrink(fails func(*history) bool) *history {
	for {
		smaller := h.smaller()
		i := slices.IndexFunc(smaller, fails)
		if i < 0 {
			return h
		}
		h = smaller[i]
	}
}

// smaller lists histories with one thing less.
func (h *history) smaller() []*history {
	var list []*history
	alter := func(change func(*history)) {
		c := *h
		c.changes, c.lives = slices.Clone(h.changes), slices.Clone(h.lives)
		if change(&c); c.possible() {
			list = append(list, &c)
		}
	}
	for i := range h.lives {
		alter(func(c *history) { c.lives = slices.Delete(c.lives, i, i+1) })
	}
	for i := len(h.changes) - 1; i >= 0 && len(h.changes) > 1; i-- {
		alter(func(c *history) { c.drop(i) })
	}
	for i, l := range h.lives {
		for j := range l.deliver {
			alter(func(c *history) {
				c.lives[i].deliver = slices.Delete(slices.Clone(l.deliver), j, j+1)
			})
		}
		if l.crash > 0 {
			alter(func(c *history) { c.lives[i].crash = 0 })
		}
	}
	if h.chunked {
		alter(func(c *history) { c.chunked = false })
	}
	return list
}

// possible reports whether a table can have had the history: what is changed is there, and what comes is not.
func (h *history) possible() bool {
	there := make(map[string]bool)
	for _, c := range h.changes {
		if c.Op == connector.Truncate {
			clear(there)
			continue
		}
		if id := rowID(c); there[id] == (c.Op == connector.Insert) {
			return false
		}
		there[rowID(c)] = c.Op != connector.Delete
	}
	return true
}

// drop takes a change out.
func (h *history) drop(gone int) {
	h.changes = slices.Delete(h.changes, gone, gone+1)
	for i, l := range h.lives {
		var kept []int
		for _, at := range l.deliver {
			if at > gone {
				at--
			} else if at == gone {
				continue
			}
			kept = append(kept, at)
		}
		h.lives[i].deliver = kept
	}
}
