package indexer

import (
	"slices"

	"github.com/rowvec/rowvec/connector"
)

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
	for _, flag := range []func(*history) *bool{
		func(c *history) *bool { return &c.chunked }, func(c *history) *bool { return &c.full }, func(c *history) *bool { return &c.fetches },
	} {
		if *flag(h) {
			alter(func(c *history) { *flag(c) = false })
		}
	}
	return list
}

// possible reports whether a table can have had the history: what is changed is there, what comes is not, and what an update leaves
// out is as it was.
func (h *history) possible() bool {
	there := make(map[string]connector.Row)
	for _, c := range h.changes {
		if c.Op == connector.Truncate {
			clear(there)
			continue
		}
		old, is := there[rowID(c)]
		if is == (c.Op == connector.Insert) {
			return false
		}
		for name, value := range c.After {
			if _, left := value.(connector.Unavailable); left && is && old[name] != h.rows[c][name] {
				return false
			}
		}
		if there[rowID(c)] = h.rows[c]; c.Op == connector.Delete {
			delete(there, rowID(c))
		}
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
