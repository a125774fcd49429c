package embed

import "time"

// The classes of an Error: what may cure it.
const (
	ClassRetry  = "retry"  // waiting
	ClassPoison = "poison" // nothing: one of the texts can never succeed; halve the request to find it
	ClassHalt   = "halt"   // a changed setting
)

// The reasons of an Error: a closed set, fit for a metric label or a dead letter's property.
const (
	ReasonBadRequest        = "bad_request"        // poison: the endpoint refuses one of the texts
	ReasonTooLarge          = "too_large"          // poison: more than the endpoint takes in one request
	ReasonBadVector         = "bad_vector"         // poison: it takes the text, and its vector is NaN, zeros or empty
	ReasonSettingsRefused   = "settings_refused"   // halt: it refuses a plain word too (dimensions, extra, prefix)
	ReasonAuth              = "auth"               // halt: 401, 403, 407, or a code that says the key is wrong
	ReasonBilling           = "billing"            // halt: 402
	ReasonNotFound          = "not_found"          // halt: no such path or model
	ReasonRedirect          = "redirect"           // halt: the endpoint lives elsewhere
	ReasonUnsupported       = "unsupported"        // halt: it does not speak this protocol
	ReasonCertificate       = "certificate"        // halt: its certificate does not pass
	ReasonDimensionMismatch = "dimension_mismatch" // halt: vectors of another length than Config.Dimensions
	ReasonRateLimited       = "rate_limited"       // retry: 429
	ReasonServerError       = "server_error"       // retry: 5xx and what amounts to it
	ReasonTimeout           = "timeout"            // retry: no complete answer in time
	ReasonNetwork           = "network"            // retry: no answer at all
	ReasonMalformedAnswer   = "malformed_answer"   // retry: an answer that is not what was asked for
)

// Error is a request that did not give vectors. Its text names the endpoint (without user, password and query), the model, the status and
// what the endpoint said, cut to a bounded length, and never holds the API key.
type Error struct {
	class      string
	reason     string
	status     int
	retryAfter time.Duration
	text       string
	said       string // the part of text that came from outside
	cause      error

	numbers  bool // vectors came as numbers although base64 was asked for
	noneGood bool // bad_vector: the answer has no good vector that would vouch for the endpoint
}

// Error says what happened and which setting to look at.
func (e *Error) Error() string { return e.text }

// Class is ClassRetry, ClassPoison or ClassHalt.
func (e *Error) Class() string { return e.class }

// Reason is one of the Reason constants.
func (e *Error) Reason() string { return e.reason }

// RetryAfter is how long the endpoint asks to wait, at most an hour; 0 when it does not say.
func (e *Error) RetryAfter() time.Duration { return e.retryAfter }

// Status is the HTTP status of the answer; 0 when there was none.
func (e *Error) Status() int { return e.status }

// Unwrap is the network's error, if there is one and it holds no secret. It is never a context error: those that belong to the caller are
// returned as they are, and the client's own timeout must not be taken for one.
func (e *Error) Unwrap() error { return e.cause }
