package supervise

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// pipeWait bounds the wait for output that nobody of the family holds open any more.
const pipeWait = 5 * time.Second

// RunError is a program that did not end well.
type RunError struct {
	Program string
	Printed string // on both outputs
	Err     error  // an *exec.ExitError, or what kept it from starting
}

// Error says how the program ended, and what it had printed.
func (e *RunError) Error() string {
	return fmt.Sprintf("%s: %v\n%s", e.Program, e.Err, strings.TrimSpace(e.Printed))
}

// Unwrap gives the reason.
func (e *RunError) Unwrap() error { return e.Err }

// Run runs a program to its end: a step before a part is started. Of the spec it uses Args, Env, Dir and User. The program and all that it starts carry the mark,
// and are killed when ctx ends (the error then is the context's) or when this program dies. Any other error is a *RunError.
func Run(ctx context.Context, spec Spec, mark string) error {
	var printed bytes.Buffer
	cmd := exec.CommandContext(ctx, spec.Args[0], spec.Args[1:]...)
	prepare(cmd, spec, mark, &printed)
	cmd.Cancel = func() error { return KillFamily(context.WithoutCancel(ctx), identify(cmd.Process.Pid), mark) }
	cmd.WaitDelay = pipeWait
	err := guarded(cmd)
	if err == nil {
		return nil
	}
	if cause := ctx.Err(); cause != nil {
		return cause
	}
	return &RunError{Program: spec.Args[0], Printed: printed.String(), Err: err}
}

func guarded(cmd *exec.Cmd) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	watch, err := newGuard(cmd.Process.Pid, 0)
	if err != nil {
		return errors.Join(err, syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL), cmd.Wait())
	}
	defer watch.release()
	return cmd.Wait()
}
