package indexer

import (
	"context"
	"slices"
)

// fakeStones is a fakeStore that can expire records.
type fakeStones struct{ *fakeStore }

func (s *fakeStones) Expire(ctx context.Context, key string, bound int64, limit int) (n int, err error) {
	err = s.do(ctx, "expire", nil, func() {
		var old []string
		for id, e := range s.entries {
			if at, ok := e.meta[key].(int64); ok && at < bound {
				old = append(old, id)
			}
		}
		slices.Sort(old)
		old = old[:min(limit, len(old))]
		for _, id := range old {
			s.put(id, nil)
		}
		n = len(old)
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}
