//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/function/document"
)

// records returns everything that a collection holds, by id.
func records(ctx context.Context, collection string) (map[string]chroma.Match, error) {
	c, err := world.chroma.Collection(ctx, collection)
	if err != nil {
		return nil, err
	}
	const page = 1000
	all := make(map[string]chroma.Match)
	for {
		some, err := c.List(ctx, len(all), page, true)
		if err != nil {
			return nil, err
		}
		for _, m := range some {
			all[m.ID] = m
		}
		if len(some) < page {
			return all, nil
		}
	}
}

// counted spares Chroma, while it is being filled, from being read whole again and again.
func counted(ctx context.Context, collection string, want int) error {
	c, err := world.chroma.Collection(ctx, collection)
	if err != nil {
		return err
	}
	n, err := c.Count(ctx)
	if err == nil && n != want {
		err = fmt.Errorf("the table has %d rows, the collection %d", want, n)
	}
	return err
}

// equal tells the first difference between a table and its collection: ids, documents, metadata.
func equal(ctx context.Context, table, collection string) error {
	want, err := rows(ctx, table)
	if err != nil {
		return err
	}
	if err := counted(ctx, collection, len(want)); err != nil {
		return err
	}
	have, err := records(ctx, collection)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(want)) {
		m, ok := have[id]
		if !ok {
			return fmt.Errorf("row %s is missing: the table has %d rows, the collection %d", id, len(want), len(have))
		}
		if err := same(want[id], m); err != nil {
			return fmt.Errorf("row %s: %w", id, err)
		}
	}
	for id := range have {
		if _, ok := want[id]; !ok {
			return fmt.Errorf("row %s is a ghost: the table has %d rows, the collection %d", id, len(want), len(have))
		}
	}
	return nil
}

func same(r row, m chroma.Match) error {
	if m.Document != r.text() {
		return fmt.Errorf("document is %q, the row says %q", m.Document, r.text())
	}
	meta := document.UserMetadata(m.Metadata)
	price, _ := meta["price"].(string) // absent where the row has null
	if meta["title"] != r.Title || price != r.Price {
		return fmt.Errorf("metadata is %v, the row is %+v", meta, r)
	}
	if tags := texts(meta["tags"]); !reflect.DeepEqual(tags, r.Tags) && len(tags)+len(r.Tags) > 0 {
		return fmt.Errorf("tags are %v, the row has %v", meta["tags"], r.Tags)
	}
	return nil
}

func texts(v any) []string {
	switch list := v.(type) {
	case []string:
		return list
	case []any:
		out := make([]string, len(list))
		for i, e := range list {
			out[i] = fmt.Sprint(e)
		}
		return out
	default:
		return nil
	}
}

// requireEqual waits until the collection equals the table.
func requireEqual(t *testing.T, table, collection string, within time.Duration) {
	t.Helper()
	eventually(t, within, func(ctx context.Context) error { return equal(ctx, table, collection) })
}
