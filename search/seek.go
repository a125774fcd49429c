package search

import (
	"cmp"
	"context"
	"slices"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/function/document"
)

const (
	perRow  = 3      // chunks of one row that are near where one is: asked for at first
	growth  = 4      // how many times as many records the next request asks for
	maxSeen = 20_000 // records that a question looks at, at most: without texts 0.1 s of Chroma 1.5.9's time for 10,000
	rounds  = 4      // of choosing anew, where chosen records turn out not to be of their rows any more
)

// seek is a question as it goes to the index.
type seek struct {
	vector   []float32
	where    map[string]any
	contains string
	top      int
	minScore *float64
	group    bool   // one hit per row
	without  string // a row that is left out; empty: none
	spare    int    // records of that row

	// has is how many chunks rows turned out to have, of which records were found beyond that: they wait to be removed.
	has map[string]int
}

// candidate is a record that was found and is the table's.
type candidate struct {
	chroma.Match

	row   string
	chunk int
	whole bool // Document and Metadata are there
}

// seek finds the hits.
func (x *Index) seek(ctx context.Context, t *table, s *seek) (*Result, error) {
	result := &Result{Table: t.name, Collection: t.collection}
	err := x.on(ctx, t, func(ctx context.Context, col Collection) error {
		result.Distance = col.Distance()
		s.has = map[string]int{}
		for range rounds {
			if all, err := s.find(ctx, t, col, result); err != nil || all {
				return err
			}
		}
		result.Partial = true // the index changes faster than it is read
		return nil
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// find sets the result's hits. Where records took a place among them that is not theirs any more, all is false, and s.has tells how
// much their rows have.
func (s *seek) find(ctx context.Context, t *table, col Collection, result *Result) (all bool, err error) {
	chosen, partial, err := s.choose(ctx, t, col)
	if err != nil {
		return false, behind(Chroma, s.poisoned(), err)
	}
	result.Partial = partial
	result.Hits, err = t.hits(ctx, col, chosen, s.has)
	return len(result.Hits) == len(chosen), behind(Chroma, "", err)
}

// outdated reports whether a record is known not to be its row's any more.
func (s *seek) outdated(c candidate) bool {
	has, known := s.has[c.row]
	return known && c.chunk >= has
}

// poisoned is what Chroma refuses when it refuses the question.
func (s *seek) poisoned() string {
	switch {
	case s.where != nil:
		return "where"
	case s.contains != "":
		return "contains"
	}
	return ""
}

// choose asks for more and more records until enough of them are hits, or there are no more. The first request brings the records whole,
// as it mostly is the only one; the others bring ids, which tell table, row and chunk.
func (s *seek) choose(ctx context.Context, t *table, col Collection) (chosen []candidate, partial bool, err error) {
	k := s.top + s.spare
	if s.group && t.chunked {
		k *= perRow
	}
	if t.shared {
		k *= 2
	}
	for whole := true; ; whole = false {
		k = min(k, maxSeen)
		found, err := col.Nearest(ctx, chroma.Question{Vector: s.vector, K: k, Where: s.where, Contains: s.contains, Bare: !whole})
		if err != nil {
			return nil, false, err //nolint:wrapcheck // classified by the caller
		}
		candidates, err := t.own(ctx, col, found, whole)
		if err != nil {
			return nil, false, err
		}
		chosen, enough := s.pick(candidates, col.Distance())
		if enough || len(found) < k || s.below(found, col.Distance()) {
			return chosen, false, nil
		}
		if k == maxSeen {
			return chosen, true, nil
		}
		k *= growth
	}
}

// own leaves the table's records. Whose a hashed id is, only its record tells.
func (t *table) own(ctx context.Context, col Collection, found []chroma.Match, whole bool) ([]candidate, error) {
	candidates := make([]candidate, 0, len(found))
	var ask []string
	for _, m := range found {
		if m.ID == document.ProbeID {
			continue
		}
		row, chunk := document.RowOf(m.ID)
		candidates = append(candidates, candidate{Match: m, row: row, chunk: chunk, whole: whole})
		if t.shared && !whole && document.IsHashed(row) {
			ask = append(ask, m.ID)
		}
	}
	if !t.shared {
		return candidates, nil
	}
	if len(ask) > 0 {
		records, err := col.Records(ctx, ask)
		if err != nil {
			return nil, err //nolint:wrapcheck // classified by the caller
		}
		for i := range candidates {
			candidates[i].complete(records)
		}
	}
	return slices.DeleteFunc(candidates, func(c candidate) bool { return !t.ids.Owns(c.row, fullKey(c.Metadata)) }), nil
}

// complete takes document and metadata from the record, if it is among them.
func (c *candidate) complete(records map[string]chroma.Match) bool {
	if c.whole {
		return true
	}
	record, has := records[c.ID]
	if has {
		c.Document, c.Metadata, c.whole = record.Document, record.Metadata, true
	}
	return has
}

// pick takes the best candidates, and tells whether more would change nothing.
func (s *seek) pick(candidates []candidate, distance string) (chosen []candidate, enough bool) {
	slices.SortStableFunc(candidates, func(a, b candidate) int { return cmp.Compare(a.Distance, b.Distance) })
	seen := map[string]bool{s.without: s.without != ""}
	for _, c := range candidates {
		if s.minScore != nil && score(distance, c.Distance) < *s.minScore {
			return chosen, true
		}
		if seen[c.row] || s.outdated(c) {
			continue
		}
		seen[c.row] = s.group
		if chosen = append(chosen, c); len(chosen) == s.top {
			return chosen, true
		}
	}
	return chosen, false
}

// below reports whether what was not asked for is worse than the least score.
func (s *seek) below(found []chroma.Match, distance string) bool {
	return s.minScore != nil && len(found) > 0 && score(distance, found[len(found)-1].Distance) < *s.minScore
}

func fullKey(metadata map[string]any) string {
	full, _ := metadata[document.KeyFullKey].(string)
	return full
}
