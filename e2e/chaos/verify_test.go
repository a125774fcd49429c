//go:build e2e

package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/rowvec/rowvec/function/verify"
)

// verify runs `rowvec verify` as an operator does, and returns what it says of the table.
func (w *world) verify(ctx context.Context, file string, args ...string) (*verify.Report, error) {
	c := exec.CommandContext(ctx, filepath.Join(w.root, "bin", "rowvec"), append([]string{"verify", "-f", file, "--json"}, args...)...)
	var stderr strings.Builder
	c.Stderr = &stderr
	out, err := c.Output()
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		return nil, err
	}
	var result struct {
		Tables []*verify.Report `json:"tables"`
	}
	if err := json.Unmarshal(out, &result); err != nil {
		return nil, fmt.Errorf("read what rowvec verify says: %w: %s %s", err, out, stderr.String())
	}
	if len(result.Tables) != 1 || result.Tables[0].Error != "" {
		return nil, fmt.Errorf("rowvec verify failed: %s %s", out, stderr.String())
	}
	return result.Tables[0], nil
}

// equal has `rowvec verify` say that the index equals the table.
func (w *world) equal(ctx context.Context, file string) (*verify.Report, error) {
	r, err := w.verify(ctx, file)
	if err == nil && (!r.Equal || r.Rows == 0 || len(r.Unchecked) > 0) {
		err = fmt.Errorf("not equal: %d rows, faults %v, unsettled %d, unchecked %v, for example %v", r.Rows, r.Faults, r.Unsettled, r.Unchecked, r.Examples)
	}
	return r, err
}
