package schema

import (
	"fmt"
	"time"
)

// Classes of an Error.
const (
	classRetry  = "retry"  // waiting can cure it
	classPoison = "poison" // this record can never be read
	classHalt   = "halt"   // a setting must change
)

// Reasons of an Error: a closed set.
const (
	ReasonNetwork      = "network"            // retry: no answer
	ReasonTimeout      = "timeout"            // retry: no answer in time
	ReasonUnavailable  = "unavailable"        // retry: 5xx, 408, 429
	ReasonUnauthorized = "unauthorized"       // halt: 401, 403
	ReasonMissing      = "schema_missing"     // halt: 404. A wrong URL says that of every schema, so no record may be lost for it
	ReasonBadAnswer    = "bad_answer"         // halt: an answer that is not the registry's, or a schema that is not a change event's
	ReasonRefused      = "refused"            // halt: any other answer
	ReasonBadVersion   = "bad_schema_version" // poison: not a version that a broker assigns
)

// Error is a schema that could not be had. Its text names topic, version and server, and never holds a token.
type Error struct {
	topic   string
	version uint64
	at      string // scheme and host

	class, reason, detail string
	retryAfter            time.Duration
	err                   error
}

// Error says which schema, where, and what to do.
func (e *Error) Error() string {
	text := fmt.Sprintf("schema version %d of topic %s", e.version, e.topic)
	if e.at != "" {
		text += " at " + e.at
	}
	text += ": " + e.detail
	if e.err != nil {
		text += ": " + e.err.Error()
	}
	return text
}

// Class returns "retry", "poison" or "halt".
func (e *Error) Class() string { return e.class }

// Reason returns one of the Reason constants.
func (e *Error) Reason() string { return e.reason }

// RetryAfter returns how long the server asked to be left alone; 0 when it did not say.
func (e *Error) RetryAfter() time.Duration { return e.retryAfter }

// Unwrap returns the cause; may be nil.
func (e *Error) Unwrap() error { return e.err }
