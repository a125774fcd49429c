package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/function"
	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/function/document"
)

const (
	maxTop       = 100
	snippetRunes = 72
)

type searchOptions struct {
	file   string
	table  string
	top    int
	asJSON bool
}

func newSearch() *cobra.Command {
	var o searchOptions
	c := &cobra.Command{
		Use:   "search [flags] TEXT",
		Short: "Search a table's collection by meaning",
		Long: `Embed TEXT the way the function's configuration embeds queries, ask Chroma for the nearest rows and print them.
The table may be left out where the configuration has one only.`,
		Example: `  rowvec search -f function.yaml --table app.articles "shoes for muddy trails"`,
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			if o.top < 1 || o.top > maxTop {
				return &usageError{c.CommandPath(), fmt.Errorf("--top: expected 1 to %d, found %d", maxTop, o.top)}
			}
			found, err := search(c.Context(), o, given[0])
			if err != nil {
				return err
			}
			if o.asJSON {
				return found.writeJSON(c.OutOrStdout())
			}
			return found.writeTable(c.OutOrStdout())
		},
	}
	fileFlag(c, &o.file)
	c.Flags().StringVarP(&o.table, "table", "t", "", "the table to search, as schema.table")
	c.Flags().IntVarP(&o.top, "top", "k", 5, "how many results")
	c.Flags().BoolVar(&o.asJSON, "json", false, "print JSON")
	return c
}

// searchResult is what `rowvec search --json` prints: a contract.
type searchResult struct {
	Table      string  `json:"table"`
	Collection string  `json:"collection"`
	Query      string  `json:"query"`
	Results    []match `json:"results"`
}

// match is one record found. Score is 1 - distance for cosine and ip, 1/(1+distance) for l2: more is nearer.
type match struct {
	ID       string         `json:"id"`
	Score    float64        `json:"score"`
	Distance float64        `json:"distance"`
	Text     string         `json:"text"`
	Metadata map[string]any `json:"metadata"`
}

func search(ctx context.Context, o searchOptions, query string) (*searchResult, error) {
	f, err := config.Load(o.file)
	if err != nil {
		return nil, err
	}
	name, err := pickTable(f.Config, o.table)
	if err != nil {
		return nil, err
	}
	endpoint, err := function.NewEmbedding(f.Config.Embedding, f.Secret, nil)
	if err != nil {
		return nil, err
	}
	index, err := function.NewChroma(f.Config.Chroma, f.Secret, nil, nil)
	if err != nil {
		return nil, err
	}
	vector, err := endpoint.EmbedQuery(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("embed the query: %w", err)
	}
	table := f.Config.Tables[name]
	collection, err := index.Collection(ctx, table.Collection)
	if err != nil {
		return nil, fmt.Errorf("open the collection of table %s: %w", name, err)
	}
	matches, err := collection.Query(ctx, vector, o.top, nil)
	if err != nil {
		return nil, fmt.Errorf("search table %s: %w", name, err)
	}
	found := &searchResult{Table: name, Collection: table.Collection, Query: query, Results: make([]match, 0, len(matches))}
	for _, m := range matches {
		found.Results = append(found.Results, newMatch(m, collection.Distance()))
	}
	return found, nil
}

func newMatch(m chroma.Match, distance string) match {
	score := 1 - m.Distance
	if distance == "l2" {
		score = 1 / (1 + m.Distance)
	}
	return match{ID: m.ID, Score: score, Distance: m.Distance, Text: m.Document, Metadata: document.UserMetadata(m.Metadata)}
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

func (r *searchResult) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("print the results: %w", err)
	}
	return nil
}

func (r *searchResult) writeTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SCORE\tROW\tTEXT")
	for _, m := range r.Results {
		fmt.Fprintf(t, "%.3f\t%s\t%s\n", m.Score, m.ID, snippet(m.Text))
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("print the results: %w", err)
	}
	return nil
}

// snippet is a text's beginning on one line, without control characters: a terminal must not obey what a row says.
func snippet(text string) string {
	line := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return ' '
		}
		return r
	}, text)
	runes := []rune(strings.Join(strings.Fields(line), " "))
	if len(runes) > snippetRunes {
		return string(runes[:snippetRunes-1]) + "…"
	}
	return string(runes)
}
