package search

import (
	"context"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of a question.
const (
	MaxTop      = 100
	maxText     = 32 << 10 // bytes of a question
	maxContains = 1 << 10  // bytes of a text to be contained
)

// Query is a question.
type Query struct {
	Table string // "schema.table"; may be empty where one table is configured
	// Tables are several of one collection, instead of Table: all are asked with one vector, within one Options.Timeout. Those that lack
	// a column of Where are left out (Result.Skipped), unless all do.
	Tables []string
	Text   string // what to look for, by meaning
	TopK   int    // how many hits at most, 1 to MaxTop
	// Where filters by the table's metadata columns with Chroma's operators ($eq, $ne, $gt, $gte, $lt, $lte, $in, $nin, $contains and
	// $not_contains on lists, $and, $or); several keys of one object must all hold. Values are string, bool, any number, json.Number
	// or, for $in and $nin, []any of one of these. Nil or empty: all.
	Where map[string]any
	// Contains is a text that a hit's chunk must contain, letter by letter. Empty: all.
	Contains string
	MinScore *float64 // the least score of a hit; nil: any
	// GroupByRow gives the best chunk of each row; else each chunk is a hit.
	GroupByRow bool
}

// Result is the answer to a question.
type Result struct {
	Table      string   // empty where several were asked
	Skipped    []string // tables left out, as they lack a column of the filter
	Collection string
	Distance   string // of the collection: cosine, l2 or ip
	Hits       []Hit  // best first
	// Partial says that there may be more hits: the table's rows are so rare among the collection's records, or so few match, that the
	// search gave up.
	Partial bool

	CachedVector         bool          // no request to the endpoint was needed
	EmbedTook, IndexTook time.Duration // what the question waited for: the vector, and Chroma
}

// Search returns the hits nearest to the question's text. Errors are *Error, or ctx's own.
func (x *Index) Search(ctx context.Context, q Query) (*Result, error) {
	parts, skipped, err := x.prepare(q)
	if err != nil {
		return nil, err
	}
	limited, cancel := x.limited(ctx)
	defer cancel()
	result, err := x.search(limited, parts, q.Text)
	if err != nil {
		return nil, parts[0].table.settled(ctx, limited, "search in", err)
	}
	if result.Skipped = skipped; len(skipped) > 0 {
		result.Table = ""
	}
	return result, nil
}

// prepare checks a question.
func (x *Index) prepare(q Query) (parts []part, skipped []string, err error) {
	tables, err := x.tablesOf(q)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case strings.TrimSpace(q.Text) == "":
		return nil, nil, invalid("query", "required: a text to look for")
	case len(q.Text) > maxText:
		return nil, nil, invalid("query", "expected at most %d bytes, found %d", maxText, len(q.Text))
	case !utf8.ValidString(q.Text):
		return nil, nil, invalid("query", "expected UTF-8")
	case len(q.Contains) > maxContains:
		return nil, nil, invalid("contains", "expected at most %d bytes, found %d", maxContains, len(q.Contains))
	case !utf8.ValidString(q.Contains):
		return nil, nil, invalid("contains", "expected UTF-8")
	case q.MinScore != nil && (math.IsNaN(*q.MinScore) || math.IsInf(*q.MinScore, 0)):
		return nil, nil, invalid("minScore", "expected a number")
	}
	if err := checkTop(q.TopK); err != nil {
		return nil, nil, err
	}
	return x.parts(q, tables)
}

func checkTop(k int) error {
	if k < 1 || k > MaxTop {
		return invalid("topK", "expected 1 to %d, found %d", MaxTop, k)
	}
	return nil
}
