package verify

import (
	"context"
	"slices"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/wire"
)

// Value is one column of one row as Postgres prints it.
type Value = wire.Value

// Column is a column and what its type is made of.
type Column = wire.Column

// Row is a row's values in the order of Table.Columns.
type Row []Value

// Key is the values of a row's key columns, in the order of Table.Key.
type Key []Value

// Table is what a comparison reads of a Postgres table.
type Table struct {
	Name     connector.Table
	Columns  []Column
	Key      []int // the columns that make a row's id, in their order: indexes into Columns
	Primary  bool  // Key is the key that the source sends; else it is tables.<t>.key
	Order    []int // the columns of a unique index to page along; nil: none
	Estimate int   // rows, as far as Postgres' statistics know
}

// Source is the database. Its errors say what is wrong with it or with the settings.
type Source interface {
	// Describe finds the table. wanted are the columns that a comparison needs, nil for all of them; those that the table does not
	// have are left out. key is tables.<t>.key, empty for the primary key.
	Describe(ctx context.Context, table string, wanted, key []string) (*Table, error)
	// Pages reads all rows in the order of Table.Order, in pages that fit in a few megabytes.
	Pages(ctx context.Context, t *Table, yield func([]Row) error) error
	// Find reads the rows that have one of the keys, each in the state of a moment during the call. A key that cannot be one of the
	// table's, because its text does not fit the type, finds nothing.
	Find(ctx context.Context, t *Table, keys []Key) ([]Row, error)
	// Sample reads n rows taken at random, all of them when there are fewer.
	Sample(ctx context.Context, t *Table, n int) ([]Row, error)
	// Fence returns a version for rows read after it: see Postgres.Fence for what it promises.
	Fence(ctx context.Context) (connector.Version, error)
}

// keysOnly is the table reduced to its id columns.
func (t *Table) keysOnly() *Table {
	reduced := *t
	reduced.Columns, reduced.Key = nil, nil
	for _, i := range t.Key {
		reduced.Key = append(reduced.Key, len(reduced.Columns))
		reduced.Columns = append(reduced.Columns, t.Columns[i])
	}
	return &reduced
}

// key returns a row's key.
func (t *Table) key(r Row) Key {
	k := make(Key, len(t.Key))
	for i, c := range t.Key {
		k[i] = r[c]
	}
	return k
}

// column finds a column by name.
func (t *Table) column(name string) (*Column, bool) {
	i := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
	if i < 0 {
		return nil, false
	}
	return &t.Columns[i], true
}

// change makes of a row the change that a snapshot of the source would send.
func (t *Table) change(r Row, f wire.Form) (*connector.Change, error) {
	c := &connector.Change{Op: connector.Read, Table: t.Name, After: make(connector.Row, len(t.Columns))}
	for i := range t.Columns {
		v, err := wire.Convert(&t.Columns[i], r[i], f)
		if err != nil {
			return nil, err
		}
		c.After[t.Columns[i].Name] = v
	}
	if t.Primary {
		for _, i := range t.Key {
			name := t.Columns[i].Name
			c.Key = append(c.Key, connector.Column{Name: name, Value: c.After[name]})
		}
	}
	return c, nil
}
