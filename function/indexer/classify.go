package indexer

import (
	"context"
	"errors"
	"time"
)

// Class says what to do about an error: a closed set.
type Class string

// The classes of errors. An error tells its own through a method Class() string; see Classify.
const (
	ClassRetry       Class = "retry"       // waiting can cure it: network, timeout, 429, 5xx
	ClassPoison      Class = "poison"      // this record can never succeed
	ClassHalt        Class = "halt"        // a setting must change first: 401, 403, wrong dimension, missing model
	ClassInterrupted Class = "interrupted" // the work was ended by us; says nothing about the record
)

// Classify finds the class of an error: the outermost error of the chain that has a method Class() string decides. Without one, a
// context error is ClassInterrupted and everything else ClassRetry, because a fault that nobody foresaw is more likely to pass than
// to be the record's.
func Classify(err error) Class {
	var c interface{ Class() string }
	if errors.As(err, &c) {
		switch class := Class(c.Class()); class {
		case ClassRetry, ClassPoison, ClassHalt, ClassInterrupted:
			return class
		}
		return ClassRetry
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return ClassInterrupted
	}
	return ClassRetry
}

// Reason returns the machine word of the outermost error of the chain that has a method Reason() string, else "unknown".
func Reason(err error) string {
	var r interface{ Reason() string }
	if errors.As(err, &r) {
		if word := r.Reason(); word != "" {
			return word
		}
	}
	return "unknown"
}

// RetryAfter returns how long the other side asked to be left alone, zero when it did not say.
func RetryAfter(err error) time.Duration {
	var r interface{ RetryAfter() time.Duration }
	if errors.As(err, &r) {
		return max(0, r.RetryAfter())
	}
	return 0
}

// fault is an error of this package: a class and a reason around what happened.
type fault struct {
	class  Class
	reason string
	text   string
	err    error // may be nil
	own    bool  // it complains of what one table keeps in the server (gate.go)
}

// Error returns what happened, with its cause.
func (f *fault) Error() string {
	if f.err == nil {
		return f.text
	}
	return f.text + ": " + f.err.Error()
}

// Unwrap returns the cause.
func (f *fault) Unwrap() error { return f.err }

// Class returns the class as Classify reads it.
func (f *fault) Class() string { return string(f.class) }

// Reason returns the machine word: draining, interrupted, panic, refuses_everything, bad_answer, text_stalls, row_moves,
// collection_missing, outdated_text, row_gone, bad_mark, mark_changed.
func (f *fault) Reason() string { return f.reason }

// ErrDraining is returned by Submit once Drain has begun. The record was settled as Interrupted.
var ErrDraining error = &fault{class: ClassInterrupted, reason: "draining", text: "the table is being drained and takes no more records"}

// interrupted wraps the last error of work that was given up because of a shutdown.
func interrupted(err error) error {
	return &fault{class: ClassInterrupted, reason: "interrupted", text: "given up because of a shutdown", err: err}
}
