package verify

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// A page has as many rows as fit in pageBytes, judged by the page before, and at most growth times as many as that.
const (
	firstPage = 20
	maxPage   = 2000
	pageBytes = 8 << 20
	growth    = 10
)

// nextPage is how many rows to ask for after a page of these.
func nextPage(rows []Row) int {
	bytes := 1
	for _, row := range rows {
		bytes += row.weight()
	}
	return min(max(1, pageBytes*len(rows)/bytes), growth*len(rows), maxPage)
}

// Pages is Source.Pages. Along a primary key each page is a query of its own, so that no snapshot is held open; a table without one is
// read through a cursor, in the order in which it lies.
func (p *Postgres) Pages(ctx context.Context, t *Table, yield func([]Row) error) error {
	if len(t.Order) == 0 {
		return p.cursor(ctx, t, yield)
	}
	var after Row
	for limit := firstPage; ; {
		sql, args := t.pageQuery(after, limit)
		rows, err := patiently(ctx, func(ctx context.Context) ([]Row, error) { return read(ctx, p.pool, len(t.Columns), sql, args...) })
		if err != nil {
			return t.explain("read table", err)
		}
		if len(rows) > 0 {
			if err := yield(rows); err != nil {
				return err
			}
			after = rows[len(rows)-1]
		}
		if len(rows) < limit {
			return nil
		}
		limit = nextPage(rows)
	}
}

func (t *Table) pageQuery(after Row, limit int) (string, []any) {
	names, params := make([]string, len(t.Order)), make([]string, len(t.Order))
	var args []any
	for i, c := range t.Order {
		names[i] = quote(t.Columns[c].Name)
		params[i] = fmt.Sprintf("$%d::text::%s", i+1, t.Columns[c].SQL)
		if after != nil {
			args = append(args, after[c].Text)
		}
	}
	order := strings.Join(names, ", ")
	where := ""
	if after != nil {
		where = fmt.Sprintf(" WHERE (%s) > (%s)", order, strings.Join(params, ", "))
	}
	return fmt.Sprintf("SELECT %s FROM %s%s ORDER BY %s LIMIT %d", t.selected(), t.quoted(), where, order, limit), args
}

func (p *Postgres) cursor(ctx context.Context, t *Table, yield func([]Row) error) error {
	err := pgx.BeginTxFunc(ctx, p.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, fmt.Sprintf("DECLARE rows NO SCROLL CURSOR FOR SELECT %s FROM %s", t.selected(), t.quoted())); err != nil {
			return t.explain("read table", err)
		}
		for limit := firstPage; ; {
			rows, err := read(ctx, tx, len(t.Columns), fmt.Sprintf("FETCH %d FROM rows", limit))
			if err != nil {
				return t.explain("read table", err)
			}
			if len(rows) == 0 {
				return nil
			}
			if err := yield(rows); err != nil {
				return err
			}
			limit = nextPage(rows)
		}
	})
	if err != nil {
		return fmt.Errorf("read through a cursor: %w", err)
	}
	return nil
}

// Find is Source.Find.
func (p *Postgres) Find(ctx context.Context, t *Table, keys []Key) ([]Row, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	whole, null := keys[:0:0], keys[:0:0]
	for _, k := range keys {
		if hasNull(k) {
			null = append(null, k)
		} else {
			whole = append(whole, k)
		}
	}
	rows, err := p.match(ctx, t, whole)
	for _, k := range null {
		if err != nil {
			break
		}
		var more []Row
		more, err = p.matchNull(ctx, t, k)
		rows = append(rows, more...)
	}
	if err != nil {
		return nil, t.explain("look up rows of table", err)
	}
	return rows, nil
}

func hasNull(k Key) bool {
	for _, v := range k {
		if v.Null {
			return true
		}
	}
	return false
}

// match finds rows by keys without nulls. A key that does not fit its type fails the whole query, so that is bisected.
func (p *Postgres) match(ctx context.Context, t *Table, keys []Key) ([]Row, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	sql, args := t.matchQuery(keys)
	rows, err := patiently(ctx, func(ctx context.Context) ([]Row, error) { return read(ctx, p.pool, len(t.Columns), sql, args...) })
	if !unfit(err) {
		return rows, err
	}
	if len(keys) == 1 {
		return nil, nil
	}
	half := len(keys) / 2
	rows, err = p.match(ctx, t, keys[:half])
	if err != nil {
		return nil, err
	}
	more, err := p.match(ctx, t, keys[half:])
	return append(rows, more...), err
}

func (t *Table) matchQuery(keys []Key) (string, []any) {
	columns, lists, equal := make([]string, len(t.Key)), make([]string, len(t.Key)), make([]string, len(t.Key))
	args := make([]any, len(t.Key))
	for i, c := range t.Key {
		texts := make([]string, len(keys))
		for n, k := range keys {
			texts[n] = k[i].Text
		}
		args[i] = texts
		columns[i] = fmt.Sprintf("k%d", i)
		lists[i] = fmt.Sprintf("$%d::text[]::%s[]", i+1, t.Columns[c].SQL)
		equal[i] = fmt.Sprintf("t.%s = k.k%d", quote(t.Columns[c].Name), i)
	}
	names := make([]string, len(t.Columns))
	for i := range t.Columns {
		names[i] = "t." + quote(t.Columns[i].Name)
	}
	return fmt.Sprintf("SELECT %s FROM unnest(%s) AS k(%s) JOIN %s t ON %s", strings.Join(names, ", "), strings.Join(lists, ", "),
		strings.Join(columns, ", "), t.quoted(), strings.Join(equal, " AND ")), args
}

func (p *Postgres) matchNull(ctx context.Context, t *Table, k Key) ([]Row, error) {
	conditions := make([]string, len(k))
	var args []any
	for i, c := range t.Key {
		name := quote(t.Columns[c].Name)
		if k[i].Null {
			conditions[i] = name + " IS NULL"
			continue
		}
		args = append(args, k[i].Text)
		conditions[i] = fmt.Sprintf("%s = $%d::text::%s", name, len(args), t.Columns[c].SQL)
	}
	sql := fmt.Sprintf("SELECT %s FROM %s WHERE %s", t.selected(), t.quoted(), strings.Join(conditions, " AND "))
	rows, err := read(ctx, p.pool, len(t.Columns), sql, args...)
	if unfit(err) {
		return nil, nil
	}
	return rows, err
}

// sampleWidth is how many rows a sample is drawn out of, at least: they lie in a hundred blocks or more, so that it is not the sample of a corner. A table of
// fewer is read whole.
const sampleWidth = 20_000

// Sample is Source.Sample. Of a large table it takes the rows of random blocks, of more of them where these hold too few: the table's statistics may be old.
func (p *Postgres) Sample(ctx context.Context, t *Table, n int) ([]Row, error) {
	for share := float64(max(3*n, sampleWidth)) / float64(max(t.Estimate, 1)); ; share *= 10 {
		from := t.quoted()
		if share < 1 {
			from += fmt.Sprintf(" TABLESAMPLE SYSTEM (%g)", 100*share)
		}
		rows, err := read(ctx, p.pool, len(t.Columns), fmt.Sprintf("SELECT %s FROM %s ORDER BY random() LIMIT %d", t.selected(), from, n))
		if err != nil {
			return nil, t.explain("sample table", err)
		}
		if len(rows) == n || share >= 1 {
			return rows, nil
		}
	}
}
