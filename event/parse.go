package event

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// maxEvent bounds what Parse reads, in bytes. rowvec's own events have a few hundred.
const maxEvent = 64 << 10

// VersionError says that an event is of a version that this package does not read.
type VersionError struct{ Found int }

// Error names both versions.
func (e *VersionError) Error() string {
	return fmt.Sprintf("the event is of version %d, this reader knows %d: use a newer one", e.Found, Version)
}

// Parse reads one event. Fields that it does not know are passed over. Its error is a *VersionError for an event of another version, and
// otherwise says what makes the text no event; it quotes nothing of it.
func Parse(data []byte) (Event, error) {
	if len(data) > maxEvent {
		return Event{}, fmt.Errorf("parse event: it has %d bytes, expected at most %d", len(data), maxEvent)
	}
	var e Event
	err := json.Unmarshal(data, &e)
	switch {
	case e.Version != 0 && e.Version != Version: // before err: another version may have other types
		err = &VersionError{Found: e.Version}
	case err != nil:
		err = describe(err)
	default:
		err = e.check()
	}
	if err != nil {
		return Event{}, fmt.Errorf("parse event: %w", err)
	}
	return e, nil
}

// check reports what every event has.
func (e *Event) check() error {
	switch {
	case e.Version == 0:
		return errors.New("version is missing")
	case e.Function == "":
		return errors.New("function is empty")
	case e.Outcome == "":
		return errors.New("outcome is empty")
	case e.SettledAt.IsZero():
		return errors.New("settledAt is missing")
	case e.Instance < 0 || e.Chunks < 0 || e.Texts < 0 || e.Attempts < 0 || e.Redelivered < 0:
		return errors.New("a count is negative")
	}
	if _, err := strconv.ParseUint(e.LSN, 10, 64); e.LSN != "" && err != nil {
		return errors.New("lsn is no whole number in decimal")
	}
	return nil
}

// describe tells what is wrong with the JSON without quoting it.
func describe(err error) error {
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		return fmt.Errorf("%s is of the wrong type", cmp.Or(wrong.Field, "the whole"))
	}
	if wrong := (*json.SyntaxError)(nil); errors.As(err, &wrong) {
		return fmt.Errorf("not a JSON object: fault at byte %d", wrong.Offset)
	}
	return errors.New("a time is not RFC 3339")
}
