package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/function/document"
)

// difference is how a collection differs from a table.
type difference struct {
	right  int      // rows that the collection holds exactly
	faults []string // one for each row that it does not, and each record without a row
}

// compare holds records against rows: ids, documents, metadata.
func compare(rows map[string]article, records map[string]chroma.Match) difference {
	var d difference
	for _, id := range sortedIDs(rows) {
		record, ok := records[id]
		fault := "is missing"
		if ok {
			fault = rows[id].fault(record)
		}
		if fault == "" {
			d.right++
			continue
		}
		d.faults = append(d.faults, "row "+id+": "+fault)
	}
	for _, id := range sortedIDs(records) {
		if _, ok := rows[id]; !ok {
			d.faults = append(d.faults, "row "+id+": is in the collection and not in the table")
		}
	}
	return d
}

// err tells the first faults; nil when there are none.
func (d difference) err() error {
	const most = 5
	if len(d.faults) == 0 {
		return nil
	}
	shown := slices.Clone(d.faults[:min(most, len(d.faults))])
	if more := len(d.faults) - len(shown); more > 0 {
		shown = append(shown, fmt.Sprintf("and %d more", more))
	}
	return errors.New(strings.Join(shown, "\n"))
}

// document is the text that the function's template makes of the row.
func (a article) document() string { return strings.TrimSpace(a.Title + ": " + a.Body) }

// fault is how a record differs from the row, or "".
func (a article) fault(m chroma.Match) string {
	if m.Document != a.document() {
		return fmt.Sprintf("the document is %q, expected %q", m.Document, a.document())
	}
	meta := document.UserMetadata(m.Metadata)
	keys := slices.Sorted(maps.Keys(meta))
	if want := []string{"created_at", "price", "tags", "title"}; !slices.Equal(keys, want) {
		return fmt.Sprintf("the metadata has %v, expected %v", keys, want)
	}
	switch {
	case meta["title"] != a.Title:
		return fmt.Sprintf("title is %q, expected %q", meta["title"], a.Title)
	case meta["price"] != a.Price:
		return fmt.Sprintf("price is %v, expected %q", meta["price"], a.Price)
	case !slices.Equal(texts(meta["tags"]), a.Tags):
		return fmt.Sprintf("tags are %v, expected %v", meta["tags"], a.Tags)
	case !sameTime(meta["created_at"], a.Created):
		return fmt.Sprintf("created_at is %v, expected %s", meta["created_at"], a.Created.UTC().Format(time.RFC3339Nano))
	}
	return ""
}

func texts(v any) []string {
	if list, ok := v.([]any); ok {
		out := make([]string, len(list))
		for i, e := range list {
			out[i] = fmt.Sprint(e)
		}
		return out
	}
	list, _ := v.([]string)
	return list
}

func sameTime(v any, want time.Time) bool {
	text, _ := v.(string)
	have, err := time.Parse(time.RFC3339Nano, text)
	return err == nil && have.Equal(want)
}

// sortedIDs are the keys in the order of their numbers.
func sortedIDs[V any](m map[string]V) []string {
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		x, errX := strconv.Atoi(a)
		y, errY := strconv.Atoi(b)
		if errX != nil || errY != nil {
			return strings.Compare(a, b)
		}
		return cmp.Compare(x, y)
	})
}

// records reads the whole collection, by id. One that does not exist yet has none.
func (d *demo) records(ctx context.Context) (map[string]chroma.Match, error) {
	all := make(map[string]chroma.Match)
	c, err := d.chroma.Collection(ctx, collection)
	for page := 1000; err == nil; {
		var some []chroma.Match
		if some, err = c.List(ctx, len(all), page, true); err != nil {
			break
		}
		for _, m := range some {
			all[m.ID] = m
		}
		if len(some) < page {
			return all, nil
		}
	}
	if reason := (*chroma.Error)(nil); errors.As(err, &reason) && reason.Reason() == chroma.ReasonCollectionMissing {
		return nil, nil
	}
	return nil, fmt.Errorf("read the collection: %w", err)
}

// verify holds the collection against the table.
func (d *demo) verify(ctx context.Context) error {
	rows, err := d.articles(ctx)
	if err != nil {
		return err
	}
	records, err := d.records(ctx)
	if err != nil {
		return err
	}
	if err := compare(rows, records).err(); err != nil {
		return advise(fmt.Errorf("the collection does not equal the table (%d rows, %d records):\n%w%s", len(rows), len(records), err, d.complaints(ctx)),
			"this must not happen: please report it, with %s", d.stack.Pulsar.Log())
	}
	d.screen.line("Equal: %d rows in Postgres, %d records in Chroma, the same ids, and every document and every metadata value as its row has it.", len(rows), len(records))
	return nil
}
