package wire

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/rowvec/rowvec/connector"
)

// Session makes values print the same whatever the database's defaults, and writing impossible.
const Session = "SET default_transaction_read_only = on; SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'iso_8601'; " +
	"SET bytea_output = 'hex'; SET extra_float_digits = 3; "

// columnsOf lists a table's columns in their order, with the type below any domain. attgenerated is there since Postgres 12.
const columnsOf = `
WITH RECURSIVE base(attnum, oid, typmod) AS (
  SELECT a.attnum, a.atttypid, a.atttypmod FROM pg_attribute a WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT b.attnum, t.typbasetype, t.typtypmod FROM base b JOIN pg_type t ON t.oid = b.oid WHERE t.typtype = 'd'
)
SELECT a.attname::text, coalesce(e.typname, t.typname)::text, coalesce(e.typtype, t.typtype) = 'e', e.oid IS NOT NULL, b.typmod,
  format_type(t.oid, -1), coalesce(to_jsonb(a) ->> 'attgenerated', '') <> ''
FROM base b JOIN pg_type t ON t.oid = b.oid AND t.typtype <> 'd'
JOIN pg_attribute a ON a.attrelid = to_regclass($1) AND a.attnum = b.attnum
LEFT JOIN pg_type e ON t.typcategory = 'A' AND e.oid = t.typelem
ORDER BY b.attnum`

// Querier is a pool, a connection or a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Describe lists a table's columns, none when there is no such table. Its error is the driver's.
func Describe(ctx context.Context, db Querier, table connector.Table) ([]Column, error) {
	name := pgx.Identifier{table.Schema, table.Name}.Sanitize()
	found, err := db.Query(ctx, columnsOf, pgx.QueryResultFormats{pgx.TextFormatCode}, name)
	if err != nil {
		return nil, err //nolint:wrapcheck // documented
	}
	//nolint:wrapcheck // as above
	return pgx.CollectRows(found, func(row pgx.CollectableRow) (c Column, err error) {
		var enum bool
		var modifier int32
		if err = row.Scan(&c.Name, &c.Type, &enum, &c.Array, &modifier, &c.SQL, &c.Generated); enum {
			c.Type = "enum"
		}
		c.Modifier = int(modifier)
		return c, err
	})
}
