package monitor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// searches are those of one second over the same tables.
type searches struct {
	tables []string
	took   durations
	errors int64
}

// seen reports whether they are of any table that may be seen.
func (s *searches) seen(see func(string) bool) bool {
	return see == nil || slices.ContainsFunc(s.tables, see)
}

// Query takes in a search over tables that the gateway answered, or failed to: one, however many they are. What the asker did wrong is no
// failure, and a table that only he knows is not counted.
func (m *Monitor) Query(tables []string, took time.Duration, err error) {
	known := slices.DeleteFunc(slices.Clone(tables), func(t string) bool { return m.known(t) == "" })
	if len(known) == 0 || asked(err) {
		return
	}
	slices.Sort(known)
	m.mu.Lock()
	defer m.mu.Unlock()
	key := strings.Join(known, "\x00") // which no name of a table has
	s, ok := m.searches[key]
	if !ok {
		s = &searches{tables: known}
		m.searches[key] = s
	}
	if err != nil {
		s.errors++
		return
	}
	s.took.add(milliseconds(took))
}

// asked reports whether the question itself is at fault, or was given up by who asked.
func asked(err error) bool {
	var classified interface{ Class() string }
	return errors.Is(err, context.Canceled) || errors.As(err, &classified) && classified.Class() == "poison"
}
