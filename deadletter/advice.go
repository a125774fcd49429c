package deadletter

// advice says what cures a reason. Reasons are the closed sets of the packages that find them.
var advice = map[string]string{
	"unavailable_column": "Set userConfig.postgres.url, so that the function reads the column from Postgres, or run setup.sql for the table (REPLICA IDENTITY FULL) and update the row; then redrive.",
	"outdated_text":      "The row has a newer change whose text is not complete. Set userConfig.postgres.url and redrive, or update the row.",
	"unknown_form":       "Take the column out of text and metadata, or cast it in the table to a type whose form is known (README, Limits); then redrive.",
	"text_too_long":      "Set tables.<t>.chunk, or overflow: truncate, or a larger embedding.maxTextTokens; run functions update; then redrive.",
	"template_failed":    "Change tables.<t>.text so that it renders this row (for example {{with .x}}…{{end}} around what may be missing), or the row; then redrive.",
	"bad_state":          "Somebody has changed rowvec's own metadata (_rv_…) of this record in Chroma. Delete the row's records there, then redrive, or run rowvec verify --repair.",
	"bad_request":        "The endpoint refuses this text. Change the row or the template, or use an endpoint that takes it; then redrive.",
	"bad_vector":         "The endpoint gives no usable vector for this text. Change the row or the template, or ask the endpoint's operator; then redrive.",
	"over_record_limit":  "The message is larger than the function takes. Set batch.maxRecordBytes above the size that the message names (memory: README, Limits) and run functions update; then redrive.",
	"record_too_large":   "One record is more than Chroma takes. Set tables.<t>.chunk, or fewer metadata columns; run functions update; then redrive.",
	"invalid_request":    "Chroma refuses this record. If its message speaks of a quota or a limit of the server, mend that and redrive; else change the row's text or metadata.",
	"invalid_metadata":   "Chroma cannot hold a metadata value of this row. Take the column out of tables.<t>.metadata, run functions update, then redrive.",
	"key_mismatch":       "The message's key does not fit its row. Check what publishes to the topic; the source's own records always fit. Drop it when it is not the source's.",
	"no_row":             "An insert or update without its row: not what the source publishes. Check what publishes to the topic; drop it.",
	"postgres_refused":   "Postgres refuses the question for this row's key or columns; the message says why. Mend it and redrive, or update the row.",
	"bad_schema_version": "The message names a schema version that no broker assigns. Check what publishes to the topic; drop it.",
	"panic":              "A fault of rowvec. Report it with this letter; the row's next change, or rowvec verify --repair, brings the row.",
}

const (
	adviceTooLarge  = "The text is more than the endpoint takes in one request. Set tables.<t>.chunk or overflow: truncate, run functions update, then redrive."
	adviceMalformed = "The message is not what a Debezium source publishes. Check what publishes to the topic; drop it when it is not the source's."
	adviceForeign   = "Not a dead letter of rowvec: it has no " + PropSourceTopic + ". It cannot be redriven; drop it when nobody needs it."
	adviceOther     = "Mend what the message says, then redrive."
)

// Advice says what an operator can do about the letter.
func (l *Letter) Advice() string {
	switch text, known := advice[l.Reason]; {
	case l.SourceTopic == "":
		return adviceForeign
	case known:
		return text
	case l.Stage == "decode":
		return adviceMalformed
	case l.Reason == "too_large":
		return adviceTooLarge
	default:
		return adviceOther
	}
}
