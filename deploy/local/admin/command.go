package admin

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
)

// Pulsar is one Pulsar to administrate.
type Pulsar struct {
	Program string       // path of a pulsar-admin that points at URL
	URL     string       // admin URL, http://host:port
	Client  *http.Client // nil: http.DefaultClient
}

// CommandError is a pulsar-admin command that failed, with what it printed.
type CommandError struct {
	Args   []string
	Output string
	Err    error
}

// Error shows the command and its output.
func (e *CommandError) Error() string {
	return fmt.Sprintf("pulsar-admin %s: %v: %s", strings.Join(e.Args, " "), e.Err, strings.TrimSpace(e.Output))
}

// Unwrap returns the process's error.
func (e *CommandError) Unwrap() error { return e.Err }

// Command runs pulsar-admin and returns its standard output.
func (p Pulsar) Command(ctx context.Context, args ...string) (string, error) {
	c := exec.CommandContext(ctx, p.Program, args...)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); err != nil {
		return "", &CommandError{Args: args, Output: stdout.String() + stderr.String(), Err: err}
	}
	return stdout.String(), nil
}
