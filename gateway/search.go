package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/rowvec/rowvec/gateway/access"
	"github.com/rowvec/rowvec/gateway/problem"
	"github.com/rowvec/rowvec/search"
)

// Question is the body of a search.
type Question struct {
	Table      string   `json:"table,omitempty" maxLength:"256" doc:"schema.table; may be left out where one table is configured"`
	Collection string   `json:"collection,omitempty" maxLength:"512" doc:"Instead of a table: all tables of this collection"`
	Query      string   `json:"query" minLength:"1" maxLength:"32768" doc:"What to look for, by meaning"`
	TopK       int      `json:"topK,omitempty" minimum:"1" maximum:"100" default:"10" doc:"How many rows at most"`
	Where      Filter   `json:"where,omitempty" doc:"Filter over the table's metadata: {\"price\": {\"$lt\": 50}}, {\"$and\": […]}. Columns are those of the configuration; a value of another type than the column's matches nothing. Of a collection's tables those that lack a column of it are left out (skipped), and 400 where all do"`
	Contains   string   `json:"contains,omitempty" maxLength:"1024" doc:"A text that a chunk must contain, letter by letter"`
	MinScore   *float64 `json:"minScore,omitempty" doc:"The least score"`
	GroupByRow *bool    `json:"groupByRow,omitempty" default:"true" doc:"The best chunk of each row; false: each chunk is a result of its own"`
}

// Filter keeps whole numbers whole: those over 2^53 are no float64.
type Filter map[string]any

// UnmarshalJSON implements json.Unmarshaler.
func (f *Filter) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		return fmt.Errorf("read where: %w", err)
	}
	*f = m
	return nil
}

// query is what the question asks of its tables.
func (q *Question) query(tables []string) search.Query {
	one := search.Query{
		Text: q.Query, TopK: q.TopK, Where: q.Where, Contains: q.Contains, MinScore: q.MinScore,
		GroupByRow: q.GroupByRow == nil || *q.GroupByRow,
	}
	if len(tables) == 1 {
		one.Table = tables[0]
	} else {
		one.Tables = tables
	}
	return one
}

// search answers a question. where is what holds its fields.
func (g *Gateway) search(ctx context.Context, where string, q *Question) (*Answer, error) {
	tables, err := g.asked(ctx, where, q)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	result, err := g.config.Index.Search(ctx, q.query(tables))
	took := time.Since(start)
	if g.config.Monitor != nil && ctx.Err() == nil {
		g.config.Monitor.Query(searched(tables, result), took, err)
	}
	if err != nil {
		return nil, g.problemOf(ctx, where, err)
	}
	answer := &Answer{
		Collection: g.collections[tables[0]], Query: q.Query, Skipped: result.Skipped, Partial: result.Partial, Rows: founds(result.Hits, q.Contains),
		TookMs: Took{Embed: milliseconds(result.EmbedTook), Index: milliseconds(result.IndexTook), Total: milliseconds(took), Cached: result.CachedVector},
	}
	if len(tables) == 1 {
		answer.Table = tables[0]
	}
	return answer, nil
}

// searched leaves out the tables that the search did. Without a result it was to be all of them.
func searched(tables []string, result *search.Result) []string {
	if result == nil || len(result.Skipped) == 0 {
		return tables
	}
	return slices.DeleteFunc(slices.Clone(tables), func(t string) bool { return slices.Contains(result.Skipped, t) })
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
	p.Errors = []problem.Detail{problem.At(where+"."+field, message)}
	return p
}
