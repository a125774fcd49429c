package postgres

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/wire"
)

// question is one statement. What it returns is of one snapshot: the server's role, the snapshot, and, null where there is no such row, a
// mark and the columns.
type question struct {
	sql  string
	args []any
}

// answered is how many columns come before the row's own.
const answered = 3

// ask makes the question for the row. The key's values go as text: Postgres reads them as the types of the key's columns, so that their
// index serves.
func ask(change *connector.Change, key []connector.Column, columns []string, table []wire.Column) (q question, err error) {
	if len(key) == 0 {
		return q, &Error{class: classHalt, reason: ReasonNoKey, text: fmt.Sprintf("table %s has no key to find a row by", change.Table)}
	}
	selected := []string{"true"}
	for _, name := range columns {
		selected = append(selected, pgx.Identifier{name}.Sanitize())
	}
	conditions := make([]string, len(key))
	for i, column := range key {
		name := pgx.Identifier{column.Name}.Sanitize()
		if column.Value == nil {
			conditions[i] = name + " IS NULL"
			continue
		}
		text, err := parameter(column, table, change)
		if err != nil {
			return q, err
		}
		q.args = append(q.args, text)
		conditions[i] = fmt.Sprintf("%s = $%d", name, len(q.args))
	}
	q.sql = "SELECT v.*, t.* FROM (SELECT pg_is_in_recovery(), txid_current_snapshot()::text) AS v LEFT JOIN (SELECT " +
		strings.Join(selected, ", ") + " FROM " + pgx.Identifier{change.Table.Schema, change.Table.Name}.Sanitize() +
		" WHERE " + strings.Join(conditions, " AND ") + " LIMIT 1) AS t ON true"
	return q, nil
}

// parameter writes a key's value as Postgres reads it.
func parameter(c connector.Column, table []wire.Column, change *connector.Change) (string, error) {
	text, err := plain(c)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(table, func(other wire.Column) bool { return other.Name == c.Name })
	form := wire.Form{}
	if change.Writer.HasSchema() {
		form.Temporals = wire.TemporalText
	}
	if i < 0 || !table[i].Invertible(form) {
		return text, nil
	}
	stored, ok := table[i].Stored(wire.Value{Text: text}, form)
	if !ok {
		return "", refused(c, table[i].SQL+" has no such value")
	}
	return stored.Text, nil
}

func plain(c connector.Column) (string, error) {
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
		return "", refused(c, fmt.Sprintf("it is a %T", v))
	}
}

func refused(c connector.Column, why string) error {
	return &Error{
		class: classPoison, reason: ReasonRefused, text: fmt.Sprintf("key column %q: a row cannot be looked up by this value: %s", c.Name, why),
	}
}
