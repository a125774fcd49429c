package install

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// keptOutput bounds what is kept of a command's output for an error message.
const keptOutput = 4 << 10

// CommandError is a command that did not end well.
type CommandError struct {
	Command string // as one would type it
	Output  string // the end of what it printed
	Err     error
}

// Error names the command, and what it printed last.
func (e *CommandError) Error() string {
	return fmt.Sprintf("%s: %v\n%s", e.Command, e.Err, strings.TrimSpace(e.Output))
}

// Unwrap gives the reason: an *exec.ExitError, or the context's error.
func (e *CommandError) Unwrap() error { return e.Err }

// run runs a command in dir to its end; each line that it prints, also one that is meant to be overwritten, goes to see (may be nil).
func run(ctx context.Context, dir string, env []string, see func(line string), args ...string) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	out := &lines{see: see}
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	cmd.Env = append(os.Environ(), env...)
	// A group of its own, ended as a whole: mvn is a shell script, pip runs compilers.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	if err == nil {
		return nil
	}
	if cause := ctx.Err(); cause != nil {
		err = cause
	}
	return &CommandError{Command: strings.Join(args, " "), Output: out.tail.String(), Err: err}
}

// succeeds reports whether a quick command ends well.
func succeeds(ctx context.Context, args ...string) bool {
	return run(ctx, "", nil, nil, args...) == nil
}

// output is what a quick command prints.
func output(ctx context.Context, args ...string) (string, error) {
	var text strings.Builder
	err := run(ctx, "", nil, func(line string) { text.WriteString(line + "\n") }, args...)
	return strings.TrimSpace(text.String()), err
}

// lines splits what a command prints and keeps the end of it.
type lines struct {
	see  func(string)
	tail bytes.Buffer
	part []byte
}

func (l *lines) Write(p []byte) (int, error) {
	l.tail.Write(p)
	if over := l.tail.Len() - keptOutput; over > 0 {
		l.tail.Next(over)
	}
	l.part = append(l.part, p...)
	for {
		end := bytes.IndexAny(l.part, "\r\n")
		if end < 0 {
			return len(p), nil
		}
		if l.see != nil && end > 0 {
			l.see(string(l.part[:end]))
		}
		l.part = l.part[end+1:]
	}
}

// missing reports whether the program itself could not be found or started.
func missing(err error) bool {
	return errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist)
}
