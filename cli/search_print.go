package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/rowvec/rowvec/search"
)

const (
	snippetRunes = 72
	cliTimeout   = 30 * time.Second // of a search, besides the time that embedding.timeout gives the endpoint
)

// searchResult is what `rowvec search --json` prints: a contract (README, "Search").
type searchResult struct {
	Table      string  `json:"table"`
	Collection string  `json:"collection"`
	Distance   string  `json:"distance"`
	Query      string  `json:"query"`
	Partial    bool    `json:"partial"` // there may be more
	Results    []match `json:"results"`
}

// match is one row found by its best chunk, or with --chunks one chunk. Score is 1 - distance for cosine and ip, 1/(1+distance) for l2:
// more is nearer. Text is the chunk's, bytes start to end of the row's text.
type match struct {
	ID         string         `json:"id"`
	Key        []keyColumn    `json:"key,omitempty"`
	Record     string         `json:"record"`
	Chunk      int            `json:"chunk"`
	Chunks     int            `json:"chunks"`
	Start      int            `json:"start"`
	End        int            `json:"end"`
	Score      float64        `json:"score"`
	Distance   float64        `json:"distance"`
	Text       string         `json:"text"`
	Metadata   map[string]any `json:"metadata"`
	LSN        uint64         `json:"lsn,omitempty"`
	CommitTime time.Time      `json:"commitTime,omitzero"`
}

// keyColumn is one column of a row's key; the name is there where the settings name it.
type keyColumn struct {
	Column string  `json:"column,omitempty"`
	Value  *string `json:"value"`
}

func newSearchResult(q search.Query, found *search.Result) *searchResult {
	r := &searchResult{
		Table: found.Table, Collection: found.Collection, Distance: found.Distance, Query: q.Text, Partial: found.Partial,
		Results: make([]match, 0, len(found.Hits)),
	}
	for _, h := range found.Hits {
		m := match{
			ID: h.Row, Record: h.Record, Chunk: h.Chunk, Chunks: h.Chunks, Start: h.Start, End: h.End,
			Score: h.Score, Distance: h.Distance, Text: h.Text, Metadata: h.Metadata,
		}
		for _, k := range h.Key {
			m.Key = append(m.Key, keyColumn(k))
		}
		if h.Version != nil {
			m.LSN, m.CommitTime = h.Version.LSN, h.Version.CommitTime
		}
		r.Results = append(r.Results, m)
	}
	return r
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

// writeTable prints a line for each result. Chunks are counted from 1 here, as people do.
func (r *searchResult) writeTable(w io.Writer, contains string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SCORE\tROW\tCHUNK\tOFFSETS\tTEXT")
	for _, m := range r.Results {
		fmt.Fprintf(t, "%.3f\t%s\t%d/%d\t%d-%d\t%s\n", m.Score, m.ID, m.Chunk+1, m.Chunks, m.Start, m.End, search.Snippet(m.Text, contains, snippetRunes))
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("print the results: %w", err)
	}
	if r.Partial {
		fmt.Fprintln(w, "There may be more: the search looked at as many records as it does at most.")
	}
	return nil
}

// snippet is a text's beginning on one line.
func snippet(text string) string { return search.Snippet(text, "", snippetRunes) }
