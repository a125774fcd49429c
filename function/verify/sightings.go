package verify

import (
	"context"
	"fmt"

	"github.com/rowvec/rowvec/function/document"
)

// there tells which of the keys the table has, by id.
func (c *comparison) there(ctx context.Context, keys []Key) (map[string]bool, error) {
	rows, err := c.Source.Find(ctx, c.keys, keys)
	if err != nil {
		return nil, err
	}
	found := make(map[string]bool, len(rows))
	for _, row := range rows {
		change, err := c.keys.change(row, c.form)
		if err != nil {
			return nil, err
		}
		id, err := c.Builder.ID(change)
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", c.Table, err)
		}
		found[id] = true
	}
	return found, nil
}

// counts reads how many records the rows' first records say there are; 0 for what has no readable first record, which makes each of
// its chunks a suspect.
func (c *comparison) counts(ctx context.Context, ids []string) (map[string]int, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	stored, err := c.Index.Get(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read the collection of table %s: %w", c.Table, err)
	}
	counts := make(map[string]int, len(stored))
	for id, meta := range stored {
		if state, err := document.ParseState(meta); err == nil {
			counts[id] = state.Chunks
		}
	}
	return counts, nil
}

// fullKeys reads the keys behind hashed ids, by the row's id.
func (c *comparison) fullKeys(ctx context.Context, records []string) (map[string]string, error) {
	if len(records) == 0 {
		return nil, nil
	}
	stored, err := c.Index.Get(ctx, records)
	if err != nil {
		return nil, fmt.Errorf("read the collection of table %s: %w", c.Table, err)
	}
	full := make(map[string]string, len(stored))
	for record, meta := range stored {
		row, _ := recordID(record)
		full[row], _ = meta[document.KeyFullKey].(string)
	}
	return full, nil
}
