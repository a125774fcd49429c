package document

import "strings"

// The classes of the package's errors (see Error.Class).
const (
	classPoison = "poison"
	classHalt   = "halt"
)

// The reasons of the package's errors: a closed set.
const (
	ReasonBadSetting        = "bad_setting"        // halt: a Spec that cannot be used, or not with what the source sends
	ReasonMissingColumn     = "missing_column"     // halt: the template or the key names a column that the rows do not have
	ReasonNoKey             = "no_key"             // halt: a table without a primary key and without tables.<t>.key
	ReasonUnavailableColumn = "unavailable_column" // poison: the source did not send a value that the text or the id needs
	ReasonKeyMismatch       = "key_mismatch"       // poison: the key does not fit the row
	ReasonNoRow             = "no_row"             // poison: an insert, update or read without the row
	ReasonTemplateFailed    = "template_failed"    // poison: the template failed on this row's values
	ReasonTextTooLong       = "text_too_long"      // poison: the text has more tokens than the endpoint takes
	ReasonBadState          = "bad_state"          // poison: a stored record whose reserved metadata was damaged
)

// Error is a setting or a row that no document can be made of.
type Error struct {
	class, reason string
	Setting       string // the setting to look at, if one is to blame: "tables.app.articles.text"
	Row           string // the row's id, where it is known
	Column        string // the column at fault, if it is one
	msg           string
	err           error
}

// Error names the setting or the row, what was found and what to do.
func (e *Error) Error() string {
	var b strings.Builder
	for _, part := range []string{e.Setting, rowLabel(e.Row), e.msg} {
		if part == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(": ")
		}
		b.WriteString(part)
	}
	if e.err != nil {
		b.WriteString(": ")
		b.WriteString(e.err.Error())
	}
	return b.String()
}

func rowLabel(id string) string {
	if id == "" {
		return ""
	}
	return "row " + id
}

// Unwrap returns the cause, if another error is one.
func (e *Error) Unwrap() error { return e.err }

// Class is "halt" when a setting must change and "poison" when this change can never succeed.
func (e *Error) Class() string { return e.class }

// Reason is one of the Reason constants.
func (e *Error) Reason() string { return e.reason }
