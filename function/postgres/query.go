package postgres

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/rowvec/rowvec/connector"
)

// query selects each column as text, followed by the name of its type. The key's values go as text, too: Postgres reads them as the
// types of the key's columns, so that their index serves.
func query(table connector.Table, key []connector.Column, columns []string) (sql string, args []any, err error) {
	if len(key) == 0 {
		return "", nil, &Error{class: classHalt, reason: ReasonNoKey, text: fmt.Sprintf("table %s has no key to find a row by", table)}
	}
	selected := make([]string, len(columns))
	for i, name := range columns {
		c := pgx.Identifier{name}.Sanitize()
		// An array's own notation is ambiguous without its element's type; json's is not.
		selected[i] = fmt.Sprintf("CASE WHEN pg_typeof(%[1]s)::text LIKE '%%[]' THEN to_json(%[1]s)::text ELSE %[1]s::text END, pg_typeof(%[1]s)::text", c)
	}
	conditions := make([]string, len(key))
	for i, column := range key {
		name := pgx.Identifier{column.Name}.Sanitize()
		if column.Value == nil {
			conditions[i] = name + " IS NULL"
			continue
		}
		text, err := parameter(column)
		if err != nil {
			return "", nil, err
		}
		args = append(args, text)
		conditions[i] = fmt.Sprintf("%s = $%d", name, len(args))
	}
	return "SELECT " + strings.Join(selected, ", ") + " FROM " + pgx.Identifier{table.Schema, table.Name}.Sanitize() +
		" WHERE " + strings.Join(conditions, " AND ") + " LIMIT 1", args, nil
}

// parameter writes a key's value as Postgres reads it.
func parameter(c connector.Column) (string, error) {
	switch v := c.Value.(type) {
	case string:
		return v, nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), nil
	case bool:
		return strconv.FormatBool(v), nil
	case json.Number:
		return v.String(), nil
	default:
		return "", &Error{
			class: classPoison, reason: ReasonRefused, text: fmt.Sprintf("key column %q: a row cannot be looked up by a %T", c.Name, v),
		}
	}
}
