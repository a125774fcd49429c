package verify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/function/document"
)

// sighting is a row of which the index has records.
type sighting struct {
	id      string
	key     Key      // nil: the id bears the table's name, but can be no row's
	records []string // that were seen of it
}

// sight groups ids by row, leaves out those of other tables and of others altogether, and finds the rows' keys.
func (c *comparison) sight(ctx context.Context, ids []string) ([]*sighting, error) {
	var rows []*sighting
	byID := map[string]*sighting{}
	var hashes []string
	for _, id := range ids {
		if id == document.ProbeID {
			continue // of no row, and gone in a moment
		}
		row, _ := document.RowOf(id)
		s := byID[row]
		if s == nil {
			s = &sighting{id: row}
			byID[row] = s
			rows = append(rows, s)
			if document.IsHashed(row) {
				hashes = append(hashes, id)
			}
		}
		s.records = append(s.records, id)
	}
	full, err := c.fullKeys(ctx, hashes)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(rows, func(s *sighting) bool { return !c.mine(s, full[s.id]) }), nil
}

// mine finds a row's key and reports whether the row may be the table's. What can be no row of any of the tables is counted: it is of an
// application, of another function or of an earlier state of the settings, and nobody here can say whether it is still of use.
func (c *comparison) mine(s *sighting, full string) bool {
	if s.key = c.parse(s.id, full); s.key != nil {
		return true
	}
	if c.Shared != nil && c.ids.Owns(s.id, full) {
		return true
	}
	if (c.Answers || c.Shared == nil) && !slices.ContainsFunc(c.others, func(other document.IDs) bool { return other.Owns(s.id, full) }) {
		c.report.Foreign += len(s.records)
	}
	return false
}

// parse turns an id into a key of the table; nil when it cannot be one.
func (c *comparison) parse(rowID, full string) Key {
	texts, ok := c.ids.Key(rowID, full, len(c.table.Key))
	if !ok {
		return nil
	}
	key := make(Key, len(texts))
	for i, text := range texts {
		if key[i].Null = text == nil; !key[i].Null {
			key[i].Text = *text
		}
		if strings.ContainsRune(key[i].Text, 0) { // no text of Postgres has one
			return nil
		}
		if key[i], ok = c.table.Columns[c.table.Key[i]].Stored(key[i], c.form); !ok {
			return nil
		}
	}
	return key
}

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
	counts := make(map[string]int, len(ids))
	return counts, c.metadata(ctx, ids, func(id string, meta map[string]any) {
		if state, err := document.ParseState(meta); err == nil {
			counts[id] = state.Chunks
		}
	})
}

// fullKeys reads the keys behind hashed ids, by the row's id.
func (c *comparison) fullKeys(ctx context.Context, records []string) (map[string]string, error) {
	full := make(map[string]string, len(records))
	return full, c.metadata(ctx, records, func(record string, meta map[string]any) {
		row, _ := document.RowOf(record)
		full[row], _ = meta[document.KeyFullKey].(string)
	})
}

// marked tells which of the records bear a mark of rowvec's; those that do not are counted as foreign.
func (c *comparison) marked(ctx context.Context, records []string) (map[string]bool, error) {
	marked := make(map[string]bool, len(records))
	return marked, c.metadata(ctx, records, func(id string, meta map[string]any) {
		if marked[id] = hasMark(meta); !marked[id] {
			c.report.Foreign++
		}
	})
}

// hasMark reports whether rowvec wrote a record: each one that it writes has reserved metadata.
func hasMark(meta map[string]any) bool {
	for key, value := range meta {
		if value != nil && document.IsReserved(key) {
			return true
		}
	}
	return false
}

// metadata reads the metadata of the ids that exist, about pageBytes at a time, judged by what came before.
func (c *comparison) metadata(ctx context.Context, ids []string, yield func(id string, meta map[string]any)) error {
	for len(ids) > 0 {
		n := min(len(ids), max(1, pageBytes/c.heaviest), c.sizes.check)
		stored, err := c.Index.Get(ctx, ids[:n])
		if err != nil {
			return fmt.Errorf("read the collection of table %s: %w", c.Table, err)
		}
		heaviest := 1
		for _, id := range slices.Sorted(maps.Keys(stored)) {
			heaviest = max(heaviest, recordWeight(chroma.Match{ID: id, Metadata: stored[id]}))
			yield(id, stored[id])
		}
		c.heaviest = max(heaviest, c.heaviest/2)
		ids = ids[n:]
	}
	return nil
}
