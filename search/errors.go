package search

import (
	"errors"
	"fmt"
	"time"
)

// Kind tells who can mend an error.
type Kind int

// Kinds of an Error.
const (
	Invalid       Kind = iota + 1 // whoever asks: Field says what
	NotFound                      // nobody: there is no such table or row
	Unavailable                   // time: ask again, after RetryAfter if that is set
	Misconfigured                 // the operator: a setting must change
)

// String is the kind as a word.
func (k Kind) String() string {
	switch k {
	case Invalid:
		return "invalid"
	case NotFound:
		return "not found"
	case Unavailable:
		return "unavailable"
	case Misconfigured:
		return "misconfigured"
	}
	return "unknown"
}

// What is behind: the values of Error.Service.
const (
	Embedding = "embedding"
	Chroma    = "chroma"
)

// Reasons of errors that arise here. Those of the embedding endpoint and of Chroma keep their own.
const (
	ReasonInvalid       = "invalid"
	ReasonNotFound      = "not_found"
	ReasonTimeout       = "timeout"        // the search took longer than Options.Timeout
	ReasonModelMismatch = "model_mismatch" // the collection's vectors are of another model
	ReasonUnsettled     = "unsettled"      // the row's records do not fit each other: it is being written
	ReasonDamaged       = "damaged"        // what is stored of the row cannot be read
	ReasonClosed        = "closed"
)

// Error is a question that has no answer.
type Error struct {
	Kind  Kind
	Field string // Invalid: what is wrong, as a path such as where.$and[0].price
	// Service is Embedding or Chroma where one of them did not do its part; else empty.
	Service string
	// Message says in a sentence what is wrong and may be shown to whoever asked: it holds nothing of what is behind.
	Message string

	reason     string
	retryAfter time.Duration
	err        error
}

// Error is the message and, for operators, its cause.
func (e *Error) Error() string {
	text := e.Message
	if e.Field != "" {
		text = e.Field + ": " + text
	}
	if e.err != nil {
		text += ": " + e.err.Error()
	}
	return text
}

// Unwrap returns the cause, if there is one.
func (e *Error) Unwrap() error { return e.err }

// Class is "retry", "halt" or "poison", as everywhere in rowvec.
func (e *Error) Class() string {
	switch e.Kind {
	case Unavailable:
		return "retry"
	case Misconfigured:
		return "halt"
	default:
		return "poison"
	}
}

// Reason is a word of a closed set: a Reason constant of this package, of embed or of chroma.
func (e *Error) Reason() string { return e.reason }

// RetryAfter is how long to wait before asking again; 0 when nobody says.
func (e *Error) RetryAfter() time.Duration { return e.retryAfter }

func invalid(field, format string, args ...any) *Error {
	return &Error{Kind: Invalid, Field: field, Message: fmt.Sprintf(format, args...), reason: ReasonInvalid}
}

func notFound(format string, args ...any) *Error {
	return &Error{Kind: NotFound, Message: fmt.Sprintf(format, args...), reason: ReasonNotFound}
}

// classified is what the errors of embed and chroma tell.
type classified interface {
	Class() string
	Reason() string
	RetryAfter() time.Duration
}

// unclassified is what a service said without a class, mostly a context's error.
type unclassified struct {
	service string
	err     error
}

func (e *unclassified) Error() string { return e.err.Error() }
func (e *unclassified) Unwrap() error { return e.err }

// serviceOf is whom a failed question waited for; empty where nobody knows.
func serviceOf(err error) string {
	var ours *Error
	var other *unclassified
	switch {
	case errors.As(err, &ours):
		return ours.Service
	case errors.As(err, &other):
		return other.service
	}
	return ""
}

// behind makes an Error of what a service behind said. One without a class, such as the caller's own context error, stays what it is.
// poisoned is the field of the question that is at fault when the service refuses what it was given; empty: none can be.
func behind(service, poisoned string, err error) error {
	var told classified
	if err == nil {
		return nil
	}
	if !errors.As(err, &told) {
		return &unclassified{service, err}
	}
	var ours *Error
	if errors.As(err, &ours) {
		return err
	}
	e := &Error{Service: service, reason: told.Reason(), retryAfter: told.RetryAfter(), err: err}
	name := map[string]string{Embedding: "the embedding endpoint", Chroma: "the index"}[service]
	switch class := told.Class(); {
	case class == "retry":
		e.Kind, e.Message = Unavailable, name+" cannot be reached or is busy; ask again"
	case class == "poison" && poisoned != "":
		e.Kind, e.Field, e.Message = Invalid, poisoned, name+" refuses it"
	default:
		e.Kind, e.Message = Misconfigured, name+" does not take what it is sent; the settings must change"
	}
	return e
}
