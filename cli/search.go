package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rowvec/rowvec/function"
	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/search"
)

type searchOptions struct {
	file     string
	table    string
	top      int
	where    string
	contains string
	minScore float64
	chunks   bool
	asJSON   bool
}

func newSearch() *cobra.Command {
	o := searchOptions{minScore: math.Inf(-1)}
	c := &cobra.Command{
		Use:   "search [flags] TEXT",
		Short: "Search a table's collection by meaning",
		Long: `Embed TEXT the way the function's configuration embeds queries, ask Chroma for the nearest rows and print them, each with its best chunk.
The table may be left out where the configuration has one only.

--where is Chroma's filter over the table's metadata: $eq, $ne, $gt, $gte, $lt, $lte, $in, $nin, $contains and $not_contains for lists,
$and, $or. ROW is the row's id; CHUNK is which of its chunks was found, OFFSETS the bytes of the row's text that it has.`,
		Example: `  rowvec search -f function.yaml --table app.articles "shoes for muddy trails"
  rowvec search --where '{"stock": {"$gt": 0}, "brand": {"$in": ["A", "B"]}}' --contains waterproof "shoes for muddy trails"`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			q, err := o.query(given[0])
			if err != nil {
				return &usageError{c.CommandPath(), err}
			}
			found, err := o.search(c.Context(), q)
			if err != nil {
				return err
			}
			if o.asJSON {
				return found.writeJSON(c.OutOrStdout())
			}
			return found.writeTable(c.OutOrStdout(), o.contains)
		},
	}
	fileFlag(c, &o.file)
	c.Flags().StringVarP(&o.table, "table", "t", "", "the table to search, as schema.table")
	c.Flags().IntVarP(&o.top, "top", "k", 5, "how many results")
	c.Flags().StringVar(&o.where, "where", "", "a filter over the metadata, as JSON")
	c.Flags().StringVar(&o.contains, "contains", "", "a text that the chunk must contain, letter by letter")
	c.Flags().Float64Var(&o.minScore, "min-score", o.minScore, "leave out what scores less")
	c.Flags().Lookup("min-score").DefValue = ""
	c.Flags().BoolVar(&o.chunks, "chunks", false, "show every chunk that is near, not the best one of each row")
	c.Flags().BoolVar(&o.asJSON, "json", false, "print JSON")
	return c
}

// query reads the flags; its errors are wrong usage.
func (o *searchOptions) query(text string) (search.Query, error) {
	q := search.Query{Text: text, TopK: o.top, Contains: o.contains, GroupByRow: !o.chunks}
	if o.top < 1 || o.top > search.MaxTop {
		return q, fmt.Errorf("--top: expected 1 to %d, found %d", search.MaxTop, o.top)
	}
	if math.IsNaN(o.minScore) || math.IsInf(o.minScore, 1) {
		return q, fmt.Errorf("--min-score: expected a number")
	}
	if !math.IsInf(o.minScore, -1) {
		q.MinScore = &o.minScore
	}
	if o.where == "" {
		return q, nil
	}
	d := json.NewDecoder(strings.NewReader(o.where))
	d.UseNumber()
	if err := d.Decode(&q.Where); err != nil || q.Where == nil {
		return q, fmt.Errorf(`--where: expected a JSON object such as {"stock": {"$gt": 0}}`)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return q, fmt.Errorf("--where: expected one JSON object, found more after it")
	}
	return q, nil
}

func (o *searchOptions) search(ctx context.Context, q search.Query) (*searchResult, error) {
	f, err := config.Load(o.file)
	if err != nil {
		return nil, err
	}
	if q.Table, err = pickTable(f.Config, o.table); err != nil {
		return nil, err
	}
	endpoint, err := function.NewEmbedding(f.Config.Embedding, 1, f.Secret, nil)
	if err != nil {
		return nil, err
	}
	defer endpoint.Close()
	server, err := function.NewChroma(f.Config.Chroma, f.Secret, nil, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = server.Close() }()
	// The clients have limits of their own; a slow endpoint may take all of its one.
	index := search.New(f.Config, endpoint, search.From(server), search.Options{Timeout: f.Config.Embedding.Timeout + cliTimeout})
	defer index.Close()
	found, err := index.Search(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("search table %s: %w", q.Table, err)
	}
	return newSearchResult(q, found), nil
}

func pickTable(c *config.Config, name string) (string, error) {
	names := slices.Sorted(maps.Keys(c.Tables))
	if name == "" && len(names) == 1 {
		return names[0], nil
	}
	if slices.Contains(names, name) {
		return name, nil
	}
	if name == "" {
		return "", fmt.Errorf("--table: required, one of %s", strings.Join(names, ", "))
	}
	return "", fmt.Errorf("--table: %s is not in the configuration, which has %s", name, strings.Join(names, ", "))
}
