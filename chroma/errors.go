package chroma

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Classes of an Error.
const (
	classRetry  = "retry"  // waiting can cure it
	classPoison = "poison" // the records of this request can never succeed
	classHalt   = "halt"   // a setting must change
)

// Reasons of an Error: a closed set, fit for a metric label.
const (
	ReasonNetwork           = "network"            // retry: no answer
	ReasonTimeout           = "timeout"            // retry: no answer in time, or 408
	ReasonUnavailable       = "unavailable"        // retry: other 5xx, 421, 423, 424, 425, 499
	ReasonRateLimited       = "rate_limited"       // retry: 429
	ReasonConflict          = "conflict"           // retry: 409
	ReasonBadResponse       = "bad_response"       // retry: an answer that is not Chroma's
	ReasonCollectionMissing = "collection_missing" // retry: the collection is gone; Ensure makes it again
	ReasonInvalidRequest    = "invalid_request"    // poison: 400, 422
	ReasonInvalidVector     = "invalid_vector"     // poison: not finite, empty, or of several dimensions
	ReasonInvalidMetadata   = "invalid_metadata"   // poison: a value that Chroma cannot hold
	ReasonInvalidID         = "invalid_id"         // poison: an empty id
	ReasonTooLarge          = "record_too_large"   // poison: one record over the body limit, or 413
	ReasonInvalidArguments  = "invalid_arguments"  // poison: slices of one call that do not fit each other
	ReasonInvalidKey        = "invalid_key"        // halt: a metadata key that Chroma refuses
	ReasonCertificate       = "certificate"        // halt: not of a trusted authority, or not for its name
	ReasonUnauthorized      = "unauthorized"       // halt: 401, 407
	ReasonForbidden         = "forbidden"          // halt: 402, 403
	ReasonNotFound          = "not_found"          // halt: 404 where no collection is addressed
	ReasonTenantMissing     = "tenant_missing"     // halt
	ReasonDatabaseMissing   = "database_missing"   // halt
	ReasonRedirect          = "redirect"           // halt: 3xx
	ReasonRefused           = "refused"            // halt: any other 4xx; 501, 505, 506, 510
	ReasonInvalidSetting    = "invalid_setting"    // halt: a collection that cannot be made as configured; https in chroma.url and http behind it
	ReasonDistanceMismatch  = "distance_mismatch"  // halt
	ReasonDimensionMismatch = "dimension_mismatch" // halt
)

const (
	maxDetail = 320 // bytes of explanation in an error
	maxName   = 96  // bytes of a collection's or record's name in an error
)

// Error is a failed operation. Its text names collection and operation, is at most about 600 bytes long, and never holds a
// token, a credential of the URL, a vector or a document.
type Error struct {
	Op         string // as in Observation.Op
	Collection string // empty where none is concerned
	RecordID   string // the record at fault, where it is known

	class, reason, detail string
	status                int
	dimensions            int // of the collection; 0: not what is wrong
	retryAfter            time.Duration
	err                   error
}

// Error says what failed, how, and what to do where a setting is wrong.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("chroma " + e.Op)
	if e.Collection != "" {
		fmt.Fprintf(&b, " %q", cut(e.Collection, maxName))
	}
	if e.RecordID != "" {
		fmt.Fprintf(&b, " record %q", cut(e.RecordID, maxName))
	}
	b.WriteString(": ")
	if e.status != 0 {
		fmt.Fprintf(&b, "HTTP %d ", e.status)
	}
	b.WriteString(e.reason)
	if e.detail != "" {
		b.WriteString(": " + cut(e.detail, maxDetail))
	}
	return b.String()
}

// Class is "retry", "poison" or "halt".
func (e *Error) Class() string { return e.class }

// Reason is one of the Reason constants.
func (e *Error) Reason() string { return e.reason }

// RetryAfter is how long the server asked to wait; 0 when it did not.
func (e *Error) RetryAfter() time.Duration { return e.retryAfter }

// Status is the HTTP status of the answer; 0 when there was none.
func (e *Error) Status() int { return e.status }

// Dimensions is how many the vectors of the collection have, where those that it refused have another number; else 0.
func (e *Error) Dimensions() int { return e.dimensions }

// Unwrap returns the network error behind it, if any.
func (e *Error) Unwrap() error { return e.err }

// cut shortens s to at most n bytes without breaking a character, and takes out what would break a log line.
func cut(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == utf8.RuneError {
			return ' '
		}
		return r
	}, s[:min(len(s), n+utf8.UTFMax)])
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

func basicAuth(user, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
}
