package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/wire"
)

// keyOf is the primary key's columns in key order; for a table without one, those of its first unique index that covers every row, as
// Debezium takes them.
const keyOf = `
SELECT a.attname, i.indisprimary
FROM (SELECT x.indexrelid, x.indrelid, x.indkey, x.indnkeyatts, x.indisprimary FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
      WHERE x.indrelid = $1 AND x.indisunique AND x.indisvalid AND x.indpred IS NULL AND x.indexprs IS NULL
      ORDER BY x.indisprimary DESC, c.relname LIMIT 1) i,
  unnest(i.indkey) WITH ORDINALITY AS k(attnum, n)
JOIN pg_attribute a ON a.attnum = k.attnum
WHERE a.attrelid = i.indrelid AND k.n <= i.indnkeyatts
ORDER BY k.n`

// Describe is Source.Describe.
func (p *Postgres) Describe(ctx context.Context, name string, wanted, key []string) (*Table, error) {
	schema, table, _ := strings.Cut(name, ".")
	t := &Table{Name: connector.Table{Schema: schema, Name: table}}
	var oid uint32
	var estimate float64
	err := p.pool.QueryRow(ctx, `SELECT c.oid, CASE WHEN c.relkind = 'p' THEN (SELECT sum(greatest(l.reltuples, 0))::float8 FROM
		pg_partition_tree(c.oid) q JOIN pg_class l ON l.oid = q.relid WHERE q.isleaf) ELSE c.reltuples::float8 END
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')`,
		schema, table).Scan(&oid, &estimate)
	if err == pgx.ErrNoRows { //nolint:errorlint // Scan documents this very value
		return nil, fmt.Errorf("table %s is not in the database of postgres.url", name)
	}
	if err != nil {
		return nil, t.explain("find table", err)
	}
	if err := p.describe(ctx, t, oid, wanted, key); err != nil {
		return nil, err
	}
	if t.Estimate = int(estimate); t.Estimate <= 0 { // never analysed
		if err := p.pool.QueryRow(ctx, "SELECT count(*) FROM "+t.quoted()).Scan(&t.Estimate); err != nil {
			return nil, t.explain("count table", err)
		}
	}
	return t, nil
}

func (p *Postgres) describe(ctx context.Context, t *Table, oid uint32, wanted, key []string) error {
	columns, err := wire.Describe(ctx, p.pool, t.Name)
	if err != nil {
		return t.explain("read the columns of", err)
	}
	unique, primary, err := p.key(ctx, oid)
	if err != nil {
		return t.explain("read the key of", err)
	}
	id := key
	if len(id) == 0 {
		id, t.Primary = unique, true
	}
	if len(id) == 0 {
		return fmt.Errorf("table %s has no primary key: set tables.%s.key to the columns that identify a row", t.Name, t.Name)
	}
	for _, c := range columns {
		if wanted == nil || slices.Contains(wanted, c.Name) || slices.Contains(id, c.Name) || slices.Contains(unique, c.Name) {
			t.Columns = append(t.Columns, c)
		}
	}
	if t.Key, err = t.positions(id); err != nil {
		return err
	}
	if primary { // another unique index may hold nulls, along which there is no paging
		t.Order, err = t.positions(unique)
	}
	return err
}

func (t *Table) positions(names []string) ([]int, error) {
	var at []int
	for _, name := range names {
		i := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("tables.%s.key: table %s has no column %q", t.Name, t.Name, name)
		}
		at = append(at, i)
	}
	return at, nil
}

func (p *Postgres) key(ctx context.Context, oid uint32) (names []string, primary bool, err error) {
	found, err := p.pool.Query(ctx, keyOf, oid)
	if err != nil {
		return nil, false, err //nolint:wrapcheck // describe says what was read
	}
	var name string
	_, err = pgx.ForEachRow(found, []any{&name, &primary}, func() error {
		names = append(names, name)
		return nil
	})
	return names, primary, err //nolint:wrapcheck // as above
}
