// Package operator runs rowvec's commands as an operator does.
package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/rowvec/rowvec/function/verify"
)

// Verify runs `rowvec verify` with a function.yaml, and returns what it says of each table. A table that could not be verified is an error; one that
// differs is not.
func Verify(ctx context.Context, program, file string, args ...string) ([]*verify.Report, error) {
	c := exec.CommandContext(ctx, program, append([]string{"verify", "-f", file, "--json"}, args...)...)
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
	for _, r := range result.Tables {
		if r.Error != "" {
			return nil, fmt.Errorf("rowvec verify failed: %s %s", out, stderr.String())
		}
	}
	return result.Tables, nil
}

// Equal is the error of a table that is not, beyond doubt, equal to its index.
func Equal(r *verify.Report) error {
	if !r.Equal || r.Rows == 0 || len(r.Unchecked) > 0 {
		return fmt.Errorf("%s is not equal: %d rows, faults %v, unsettled %d, unchecked %v, for example %v", r.Table, r.Rows, r.Faults, r.Unsettled, r.Unchecked, r.Examples)
	}
	return nil
}
