package verify

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rowvec/rowvec/connector"
)

// fakeTable is a Source in memory, with what Postgres would print.
type fakeTable struct {
	name    connector.Table
	columns []Column
	key     []int
	primary bool

	mu     sync.Mutex
	rows   map[string]Row // by the texts of the key
	fences uint64
	reads  int
	onFind func() // called before each Find, without the lock
	err    error  // of every call
}

// articles is a table of the types that most tests need: its key is id.
func articles() *fakeTable {
	return &fakeTable{
		name: connector.Table{Schema: "app", Name: "articles"}, key: []int{0}, primary: true, rows: map[string]Row{},
		columns: []Column{
			{Name: "id", Type: "int8", Modifier: -1, SQL: "bigint"},
			{Name: "title", Type: "text", Modifier: -1, SQL: "text"},
			{Name: "body", Type: "text", Modifier: -1, SQL: "text"},
			{Name: "price", Type: "numeric", Modifier: 10<<16 + 2 + 4, SQL: "numeric"},
			{Name: "tags", Type: "text", Array: true, Modifier: -1, SQL: "text[]"},
			{Name: "at", Type: "timestamptz", Modifier: -1, SQL: "timestamp with time zone"},
		},
	}
}

// text makes a row of what Postgres would print; "\x00" is null.
func text(values ...string) Row {
	row := make(Row, len(values))
	for i, v := range values {
		row[i] = Value{Text: v, Null: v == "\x00"}
		if row[i].Null {
			row[i].Text = ""
		}
	}
	return row
}

func article(id int) Row {
	return text(strconv.Itoa(id), fmt.Sprintf("Article %d", id), fmt.Sprintf("What is to be said of %d.", id),
		fmt.Sprintf("%d.50", id), `{new,"a b"}`, "2026-01-02 03:04:05.678+00")
}

func (f *fakeTable) keyText(k Key) string {
	parts := make([]string, len(k))
	for i, v := range k {
		parts[i] = strconv.FormatBool(v.Null) + v.Text
	}
	return strings.Join(parts, "\x00")
}

func (f *fakeTable) put(rows ...Row) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, row := range rows {
		k := make(Key, len(f.key))
		for i, c := range f.key {
			k[i] = row[c]
		}
		f.rows[f.keyText(k)] = row
	}
}

func (f *fakeTable) remove(ids ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range ids {
		delete(f.rows, f.keyText(Key{{Text: id}}))
	}
}

func (f *fakeTable) Describe(_ context.Context, _ string, wanted, _ []string) (*Table, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return nil, f.err
	}
	for _, name := range wanted {
		if !slices.ContainsFunc(f.columns, func(c Column) bool { return c.Name == name }) {
			return nil, fmt.Errorf("no column %s", name)
		}
	}
	return &Table{Name: f.name, Columns: f.columns, Key: f.key, Primary: f.primary, Order: f.key, Estimate: len(f.rows)}, nil
}

func (f *fakeTable) sorted() []Row {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.SortedFunc(maps.Values(f.rows), func(a, b Row) int {
		x, _ := strconv.Atoi(a[f.key[0]].Text)
		y, _ := strconv.Atoi(b[f.key[0]].Text)
		return cmp.Or(cmp.Compare(x, y), cmp.Compare(a[f.key[0]].Text, b[f.key[0]].Text))
	})
}

func (f *fakeTable) Pages(_ context.Context, _ *Table, yield func([]Row) error) error {
	for page := range slices.Chunk(f.sorted(), 64) {
		if err := yield(page); err != nil {
			return err
		}
	}
	return nil
}

// Find gives the columns of t, which may be the key's alone.
func (f *fakeTable) Find(_ context.Context, t *Table, keys []Key) ([]Row, error) {
	if f.onFind != nil {
		f.onFind()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads++
	var found []Row
	for _, k := range keys {
		row, has := f.rows[f.keyText(k)]
		if !has {
			continue
		}
		found = append(found, f.reduced(t, row))
	}
	return found, nil
}

func (f *fakeTable) reduced(t *Table, row Row) Row {
	reduced := make(Row, len(t.Columns))
	for i := range t.Columns {
		at := slices.IndexFunc(f.columns, func(c Column) bool { return c.Name == t.Columns[i].Name })
		reduced[i] = row[at]
	}
	return reduced
}

func (f *fakeTable) Sample(_ context.Context, t *Table, n int) ([]Row, error) {
	rows := f.sorted()
	rows = rows[:min(n, len(rows))]
	for i, row := range rows {
		rows[i] = f.reduced(t, row)
	}
	return rows, nil
}

// fenceEpoch is later than every version that the tests index with.
var fenceEpoch = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

func (f *fakeTable) Fence(context.Context) (connector.Version, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fences++
	at := fenceEpoch.Add(time.Duration(f.fences) * time.Second)
	return connector.Version{LSN: 1<<40 + f.fences, CommitTime: at, Emitted: at}, nil
}
