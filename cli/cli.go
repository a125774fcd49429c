// Package cli is rowvec's operator's command line. It reads the same function.yaml as the function and reaches the endpoint and
// the index through the same clients.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// ErrNotOK tells main to exit with 1 without another message: the command has said what is wrong.
var ErrNotOK = errors.New("not ok")

// errUnsure has the exit code 3: nothing is wrong as far as could be seen, but not everything could be.
var errUnsure = errors.New("not everything could be compared")

// Run executes the command line args (without the program's name) and returns the process's exit code: 0 fine, 1 the answer is
// bad news or the command failed, 2 wrong usage, 3 (verify) not everything could be compared, and the rest is equal.
func Run(ctx context.Context, args []string, version string, stdout, stderr io.Writer) int {
	root := newRoot(version)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var usage *usageError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, ErrNotOK):
		return 1
	case errors.Is(err, errUnsure):
		return 3
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "rowvec: %v\nSee `%s --help`.\n", err, usage.command)
		return 2
	default:
		fmt.Fprintf(stderr, "rowvec: %v\n", err)
		return 1
	}
}

// usageError is a command line that cannot be understood.
type usageError struct {
	command string
	err     error
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func newRoot(version string) *cobra.Command {
	root := &cobra.Command{
		Use:           "rowvec",
		Short:         "rowvec keeps a Chroma collection equal to a Postgres table",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          args(noCommand),
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },

		SuggestionsMinimumDistance: 2, // cobra sets it for its own messages only
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return &usageError{c.CommandPath(), err} })
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(newCheck(), newDLQ(dialMailbox), newSearch(), newServe(version), newVerify(), newVersion(version))
	return root
}

// noCommand refuses what is no command, and names those that were perhaps meant.
func noCommand(c *cobra.Command, given []string) error {
	if len(given) == 0 {
		return nil
	}
	near := c.SuggestionsFor(given[0])
	if len(near) == 0 {
		return fmt.Errorf("there is no command %q", given[0])
	}
	return fmt.Errorf("there is no command %q: did you mean %s?", given[0], strings.Join(near, " or "))
}

// args makes an argument check report as wrong usage.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, given []string) error {
		if err := check(c, given); err != nil {
			return &usageError{c.CommandPath(), err}
		}
		return nil
	}
}

// fileFlag is -f, the function.yaml that every command reads.
func fileFlag(c *cobra.Command, into *string) {
	c.Flags().StringVarP(into, "file", "f", "function.yaml", "the function's configuration")
}
