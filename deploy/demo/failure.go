package main

import (
	"errors"
	"fmt"
	"io"
)

// failure is an error with a word on what to do.
type failure struct {
	err  error
	cure string
}

func (f *failure) Error() string { return f.err.Error() }

func (f *failure) Unwrap() error { return f.err }

// advise says what to do about an error; nil stays nil.
func advise(err error, cure string, args ...any) error {
	if err == nil {
		return nil
	}
	return &failure{err: err, cure: fmt.Sprintf(cure, args...)}
}

// explain shows an error and, where it has one, the advice.
func explain(out io.Writer, where string, err error) {
	fmt.Fprintf(out, "\nThe demo failed %s:\n%s", where, indent(err.Error(), "  "))
	var f *failure
	if errors.As(err, &f) {
		fmt.Fprintf(out, "What to do:\n%s", indent(f.cure, "  "))
	}
}

// interrupted says what a Ctrl-C leaves behind.
func (d *demo) interrupted(out io.Writer) {
	if d.stack == nil {
		fmt.Fprint(out, "\nInterrupted while the stack came up: what had been started is stopped again. `make demo` starts over.\n")
		return
	}
	fmt.Fprint(out, "\nInterrupted. The stack runs on: `make demo` goes on from here, `make down` ends it.\n")
}
