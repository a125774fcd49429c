package document

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"

	"github.com/rowvec/rowvec/connector"
)

// cureFull is what makes the source send whole rows.
const cureFull = "set REPLICA IDENTITY FULL on the table (connector/setup.sql does) and send the row again"

func (b *Builder) missing(row connector.Row, id, column string) error {
	return &Error{
		class: classHalt, reason: ReasonMissingColumn, Setting: b.spec.setting("text"), Row: id, Column: column,
		msg: fmt.Sprintf("the template names column %q, which the rows do not have%s", column, columnsOf(row, column)),
	}
}

// keyMissing is about a column of Spec.Key. A row that has it now and had it not before is the row's own matter; a delete without a
// row comes from a table that logs none.
func (b *Builder) keyMissing(c *connector.Change, column string, row connector.Row) error {
	if _, now := c.After[column]; now || row == nil {
		return b.mismatch(c, column, "the "+c.Op.String()+" does not carry it; "+cureFull)
	}
	return &Error{
		class: classHalt, reason: ReasonMissingColumn, Setting: b.spec.setting("key"), Column: column,
		msg: fmt.Sprintf("it names column %q, which the rows of %s do not have%s", column, c.Table, columnsOf(row, column)),
	}
}

// columnsOf ends a message about a column that a row does not have.
func columnsOf(row connector.Row, column string) string {
	names := slices.Sorted(maps.Keys(row))
	hint := "."
	if near := nearest(column, names); near != "" {
		hint = fmt.Sprintf("; did you mean %q?", near)
	}
	return hint + " Columns: " + strings.Join(names, ", ")
}

// foreignKey is a setting at odds with the source, which knows the rows, and orders their changes, by another key.
func (b *Builder) foreignKey(c *connector.Change) error {
	names := make([]string, len(c.Key))
	for i, column := range c.Key {
		names[i] = column.Name
	}
	return &Error{
		class: classHalt, reason: ReasonBadSetting, Setting: b.spec.setting("key"),
		msg: fmt.Sprintf("the changes of %s come with the key (%s), which tells rows apart and keeps their changes in order; remove %s: it is for tables without a primary key",
			c.Table, strings.Join(names, ", "), b.spec.setting("key")),
	}
}

// nearest returns the name that is likely meant, or "".
func nearest(name string, names []string) string {
	best, distance := "", len(name)/2+1
	for _, candidate := range names {
		if d := levenshtein.ComputeDistance(strings.ToLower(name), strings.ToLower(candidate)); d < distance {
			best, distance = candidate, d
		}
	}
	return best
}

func (b *Builder) unavailable(c *connector.Change, id, column, setting string) error {
	return &Error{
		class: classPoison, reason: ReasonUnavailableColumn, Setting: setting, Row: id, Column: column,
		msg: fmt.Sprintf("the %s of %s left column %q as it was and the source did not send its value; %s",
			c.Op, c.Table, column, cureFull),
	}
}

func (b *Builder) noKey(c *connector.Change) error {
	return &Error{
		class: classHalt, reason: ReasonNoKey, Setting: settingOf(c.Table.String(), "key"),
		msg: fmt.Sprintf("table %s has no primary key; list the columns that identify a row", c.Table),
	}
}

func (b *Builder) mismatch(c *connector.Change, column, why string) error {
	return &Error{
		class: classPoison, reason: ReasonKeyMismatch, Setting: b.keySetting(), Column: column,
		msg: fmt.Sprintf("key column %q of %s: %s", column, c.Table, why),
	}
}

// keySetting is only to blame when it is what names the columns.
func (b *Builder) keySetting() string {
	if len(b.spec.Key) == 0 {
		return ""
	}
	return b.spec.setting("key")
}

func (b *Builder) noRow(c *connector.Change, id string) error {
	return &Error{
		class: classPoison, reason: ReasonNoRow, Row: id,
		msg: fmt.Sprintf("the %s of %s carries no row to index", c.Op, c.Table),
	}
}

// tooLong is the error of a text over the limit where it is not to be cut. It tells what of it was counted: the rest may be long.
func (b *Builder) tooLong(id, head string) error {
	return &Error{
		class: classPoison, reason: ReasonTextTooLong, Setting: b.spec.setting("text"), Row: id,
		msg: fmt.Sprintf("the text has %d tokens or more with %s, and %s is %d; set %s to store a long text in pieces, %s: truncate to store "+
			"its beginning, or a higher %s if the endpoint takes more, and send the row again",
			b.limit.count(head), prefixSetting, limitSetting, b.limit.tokens, b.spec.setting("chunk"), b.spec.setting("overflow"), limitSetting),
	}
}

// templateFailed is poison, because a nested value that is missing is the row's own. A template that fails on every row is a wrong
// setting: dead-lettering would empty the topic (design decision 10), so it halts once it has failed on maxUnproven rows and rendered none.
func (b *Builder) templateFailed(c *connector.Change, id string, err error) error {
	e := &Error{
		class: classPoison, reason: ReasonTemplateFailed, Setting: b.spec.setting("text"), Row: id,
		msg: "the template failed on this row of " + c.Table.String() +
			"; a nested value may be missing, which {{with .column}}...{{end}} guards against", err: err,
	}
	if b.proof.failedOn(id) {
		e.class = classHalt
		e.msg = "the template has failed on every row of " + c.Table.String() + " since the start, this one too; numbers that the source sends as text may be compared as numbers"
	}
	return e
}
