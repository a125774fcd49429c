package deadletter

import (
	"cmp"
	"slices"
	"time"
)

// Filter chooses letters. What is not set chooses all; of several values any may match.
type Filter struct {
	IDs, Reasons, Tables, Rows []string
	Since, Until               time.Time // of Letter.Time; Since is included, Until is not
}

// Empty tells whether it chooses all.
func (f *Filter) Empty() bool {
	return len(f.IDs)+len(f.Reasons)+len(f.Tables)+len(f.Rows) == 0 && f.Since.IsZero() && f.Until.IsZero()
}

// Match tells whether a letter is chosen.
func (f *Filter) Match(l *Letter) bool {
	return among(f.IDs, l.ID) && among(f.Reasons, l.Reason) && among(f.Tables, l.Table) && among(f.Rows, l.Row) &&
		(f.Since.IsZero() || !l.Time.Before(f.Since)) && (f.Until.IsZero() || l.Time.Before(f.Until))
}

func among(wanted []string, value string) bool {
	return len(wanted) == 0 || slices.Contains(wanted, value)
}

// Count is how many letters of a table there are for a reason.
type Count struct {
	Reason  string    `json:"reason"`
	Table   string    `json:"table"`
	Letters int       `json:"letters"`
	Oldest  time.Time `json:"oldest"`
	Newest  time.Time `json:"newest"`
}

// Tally counts letters.
type Tally map[[2]string]*Count

// Add counts a letter.
func (t Tally) Add(l *Letter) {
	c := t[[2]string{l.Reason, l.Table}]
	if c == nil {
		c = &Count{Reason: l.Reason, Table: l.Table, Oldest: l.Time, Newest: l.Time}
		t[[2]string{l.Reason, l.Table}] = c
	}
	c.Letters++
	if l.Time.Before(c.Oldest) {
		c.Oldest = l.Time
	}
	if l.Time.After(c.Newest) {
		c.Newest = l.Time
	}
}

// Counts are the counts, the largest first.
func (t Tally) Counts() []Count {
	counts := make([]Count, 0, len(t))
	for _, c := range t {
		counts = append(counts, *c)
	}
	slices.SortFunc(counts, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Letters, a.Letters), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Table, b.Table))
	})
	return counts
}
