package gateway

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/rowvec/rowvec/gateway/access"
	"github.com/rowvec/rowvec/gateway/problem"
	"github.com/rowvec/rowvec/search"
)

// Question is the body of a search.
type Question struct {
	Table      string         `json:"table,omitempty" maxLength:"256" doc:"schema.table; may be left out where one table is configured"`
	Collection string         `json:"collection,omitempty" maxLength:"512" doc:"Instead of a table: all tables of this collection"`
	Query      string         `json:"query" minLength:"1" maxLength:"32768" doc:"What to look for, by meaning"`
	TopK       int            `json:"topK,omitempty" minimum:"1" maximum:"100" default:"10" doc:"How many rows at most"`
	Where      map[string]any `json:"where,omitempty" doc:"Filter over the table's metadata: {\"price\": {\"$lt\": 50}}, {\"$and\": […]}"`
	Contains   string         `json:"contains,omitempty" maxLength:"1024" doc:"A text that a chunk must contain, letter by letter"`
	MinScore   *float64       `json:"minScore,omitempty" doc:"The least score"`
	GroupByRow *bool          `json:"groupByRow,omitempty" default:"true" doc:"The best chunk of each row; false: each chunk is a result of its own"`
}

// query is what the question asks of one table.
func (q *Question) query(table string) search.Query {
	return search.Query{
		Table: table, Text: q.Query, TopK: q.TopK, Where: q.Where, Contains: q.Contains, MinScore: q.MinScore,
		GroupByRow: q.GroupByRow == nil || *q.GroupByRow,
	}
}

// search answers a question. where is what holds its fields.
func (g *Gateway) search(ctx context.Context, where string, q *Question) (*Answer, error) {
	tables, err := g.asked(ctx, where, q)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	answer := &Answer{Collection: g.collections[tables[0]], Query: q.Query, Rows: []Found{}}
	if len(tables) == 1 {
		answer.Table = tables[0]
	}
	for _, table := range tables {
		if err := g.searchTable(ctx, answer, q, table); err != nil {
			return nil, g.problemOf(ctx, where, err)
		}
	}
	if len(tables) > 1 { // distances within one collection compare
		slices.SortStableFunc(answer.Rows, func(a, b Found) int { return cmp.Compare(b.Score, a.Score) })
		answer.Rows = answer.Rows[:min(len(answer.Rows), q.TopK)]
	}
	answer.TookMs.Total = milliseconds(time.Since(start))
	return answer, nil
}

func (g *Gateway) searchTable(ctx context.Context, answer *Answer, q *Question, table string) error {
	start := time.Now()
	result, err := g.config.Index.Search(ctx, q.query(table))
	if g.config.Monitor != nil && ctx.Err() == nil {
		g.config.Monitor.Query(table, time.Since(start), err)
	}
	if err != nil {
		return err
	}
	answer.Rows = append(answer.Rows, founds(result.Hits, q.Contains)...)
	answer.Partial = answer.Partial || result.Partial
	answer.TookMs.Embed += milliseconds(result.EmbedTook)
	answer.TookMs.Index += milliseconds(result.IndexTook)
	answer.TookMs.Cached = answer.TookMs.Cached || result.CachedVector
	return nil
}

// asked finds the tables that a question is about, at least one, all of them open to the request.
func (g *Gateway) asked(ctx context.Context, where string, q *Question) ([]string, error) {
	switch {
	case q.Table != "" && q.Collection != "":
		return nil, fault(where, "collection", "expected a table or a collection, found both")
	case q.Collection != "":
		return g.within(ctx, where, q.Collection)
	case q.Table != "":
		return []string{q.Table}, allowed(ctx, q.Table)
	}
	open := g.open(ctx)
	if len(open) != 1 {
		return nil, fault(where, "table", "required: which table to search")
	}
	return open, nil
}

// within returns the tables of a collection that the request may see.
func (g *Gateway) within(ctx context.Context, where, collection string) ([]string, error) {
	tables := g.open(ctx)
	tables = slices.DeleteFunc(tables, func(t string) bool { return g.collections[t] != collection })
	if len(tables) == 0 {
		return nil, fault(where, "collection", "no table that is open to this request has this collection")
	}
	return tables, nil
}

// open lists the tables that the request may see.
func (g *Gateway) open(ctx context.Context) []string {
	grant := access.From(ctx)
	return slices.DeleteFunc(slices.Clone(g.config.Index.Tables()), func(t string) bool { return !grant.Allows(t) })
}

func fault(where, field, message string) *problem.Problem {
	p := problem.New(http.StatusBadRequest, message)
	p.Errors = []problem.Detail{{Location: where + "." + field, Message: message}}
	return p
}
