package document

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"

	"github.com/rowvec/rowvec/connector"
)

// cureFull is what makes the source send whole rows.
const cureFull = "set REPLICA IDENTITY FULL on the table (connector/setup.sql does) and send the row again"

func (b *Builder) missing(row connector.Row, id, column string) error {
	names := make([]string, 0, len(row))
	for name := range row {
		names = append(names, name)
	}
	slices.Sort(names)
	msg := fmt.Sprintf("the template names column %q, which the rows do not have", column)
	if near := nearest(column, names); near != "" {
		msg += fmt.Sprintf("; did you mean %q?", near)
	}
	return &Error{
		class: classHalt, reason: ReasonMissingColumn, Setting: b.spec.setting("text"), Row: id, Column: column,
		msg: msg + " Columns: " + strings.Join(names, ", "),
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
