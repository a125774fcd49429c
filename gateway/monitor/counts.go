package monitor

import (
	"context"
	"sync"
	"time"
)

// keepCounting counts every table again and again, some of them at once. Each has a pace of its own, so that one of millions of rows does not
// set that of the others.
func (m *Monitor) keepCounting(ctx context.Context, atOnce int, count func(ctx context.Context, table int)) {
	places := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for i := range m.config.Tables {
		wg.Go(func() {
			for ctx.Err() == nil {
				rest := m.count(ctx, places, func(ctx context.Context) { count(ctx, i) })
				select {
				case <-time.After(rest):
				case <-ctx.Done():
				}
			}
		})
	}
	wg.Wait()
}

// count waits for a place and counts once. It returns how long to rest: at least as long as it took.
func (m *Monitor) count(ctx context.Context, places chan struct{}, count func(context.Context)) (rest time.Duration) {
	select {
	case places <- struct{}{}:
		defer func() { <-places }()
	case <-ctx.Done():
		return 0
	}
	began := time.Now()
	count(ctx)
	return max(countRound, time.Since(began))
}

// countIndex counts a table's rows in Chroma. That it cannot be done says nothing of Chroma: a large collection takes long.
func (m *Monitor) countIndex(ctx context.Context, i int) {
	table := m.config.Tables[i]
	counting, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	counts, err := m.config.Index(counting, table)
	m.health(ctx, "the count of "+table.Table+" in Chroma", err)
	m.update(func(s *Status) {
		t := &s.Tables[i]
		if t.Records, t.Rows = nil, nil; err == nil {
			t.Records, t.Rows = &counts.Records, counts.Rows
		}
		t.Coverage = coverage(t)
	})
}

// countSource counts a table's rows in Postgres. That it cannot be done says nothing of Postgres: askPostgres does.
func (m *Monitor) countSource(ctx context.Context, i int) {
	table := m.config.Tables[i]
	counting, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	rows, err := m.config.Source.Rows(counting, table.Table)
	m.health(ctx, "the count of "+table.Table+" in Postgres", err)
	m.update(func(s *Status) {
		t := &s.Tables[i]
		if t.SourceRows = nil; err == nil {
			t.SourceRows = &rows
		}
		t.Coverage = coverage(t)
	})
}

// coverage compares two counts taken at different moments: over 1 is rows deleted in between.
func coverage(t *TableStatus) *float64 {
	if t.Rows == nil || t.SourceRows == nil {
		return nil
	}
	c := 1.0
	if *t.SourceRows > 0 {
		c = min(1, float64(*t.Rows)/float64(*t.SourceRows))
	}
	return &c
}
