package search

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// atOnce is how many tables of one question are asked of Chroma at the same time.
const atOnce = 4

// part is what a question asks of one table.
type part struct {
	table *table
	seek  *seek
}

// tablesOf are those that a question is about, all of one collection: only there do distances compare.
func (x *Index) tablesOf(q Query) ([]*table, error) {
	names := q.Tables
	switch {
	case len(names) > 0 && q.Table != "":
		return nil, invalid("tables", "expected table or tables, found both")
	case len(names) == 0:
		names = []string{q.Table}
	}
	tables := make([]*table, len(names))
	for i, name := range names {
		var err error
		if tables[i], err = x.table(name); err != nil {
			return nil, err
		}
		if tables[i].collection != tables[0].collection {
			return nil, invalid("tables", "expected tables of one collection: %s is in %s, %s in %s",
				tables[0].name, tables[0].collection, tables[i].name, tables[i].collection)
		}
	}
	return tables, nil
}

// parts reads the filter for each table. One table must have every column of it; of several those that lack one are left out, as long as
// there is another.
func (x *Index) parts(q Query, tables []*table) (parts []part, skipped []string, err error) {
	var all, lacking []string
	for _, t := range tables {
		all = append(all, t.fields...)
	}
	for _, t := range tables {
		fields := t.fields
		if len(tables) > 1 {
			fields = slices.Compact(slices.Sorted(slices.Values(all)))
		}
		where, used, err := parseWhere(q.Where, fields)
		if err != nil {
			return nil, nil, err
		}
		if missing := t.lacks(used); len(missing) > 0 {
			skipped = append(skipped, t.name)
			lacking = append(lacking, t.name+" has no "+strings.Join(missing, ", "))
			continue
		}
		parts = append(parts, part{t, &seek{top: q.TopK, where: where, contains: q.Contains, minScore: q.MinScore, group: q.GroupByRow}})
	}
	if len(parts) == 0 {
		return nil, nil, invalid(whereField, "no table of the collection has all of these columns: %s", strings.Join(lacking, "; "))
	}
	return parts, skipped, nil
}

// lacks lists the columns that are none of the table's.
func (t *table) lacks(columns map[string]bool) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(columns)), func(c string) bool { return slices.Contains(t.fields, c) })
}

// search asks for one vector, and with it all tables at once.
func (x *Index) search(ctx context.Context, parts []part, text string) (_ *Result, err error) {
	defer func() { x.vectors.doubt(text, err) }()
	start := time.Now()
	first := parts[0].table
	// The model is looked at first: a question must not cost an embedding that cannot be used.
	if err := x.comparable(ctx, first, x.dimensions); err != nil {
		return nil, err
	}
	opened := time.Since(start)
	vector, cached, err := x.vectors.of(ctx, text)
	if err != nil {
		return nil, behind(Embedding, "query", err)
	}
	embedded := time.Since(start)
	if err := x.comparable(ctx, first, len(vector)); err != nil {
		return nil, err
	}
	results := make([]*Result, len(parts))
	asking, ctx := errgroup.WithContext(ctx)
	asking.SetLimit(atOnce)
	for i, p := range parts {
		p.seek.vector = vector
		asking.Go(func() (err error) {
			results[i], err = x.seek(ctx, p.table, p.seek)
			return err
		})
	}
	if err := asking.Wait(); err != nil {
		return nil, err //nolint:wrapcheck // it is ours
	}
	result := together(results, parts[0].seek.top)
	result.CachedVector, result.EmbedTook, result.IndexTook = cached, embedded-opened, time.Since(start)-embedded+opened
	return result, nil
}

// together takes the best hits of all.
func together(results []*Result, top int) *Result {
	all := results[0]
	if len(results) == 1 {
		return all
	}
	all.Table = ""
	for _, r := range results[1:] {
		all.Hits = append(all.Hits, r.Hits...)
		all.Partial = all.Partial || r.Partial
	}
	slices.SortStableFunc(all.Hits, func(a, b Hit) int { return cmp.Compare(b.Score, a.Score) })
	all.Hits = all.Hits[:min(len(all.Hits), top)]
	return all
}
