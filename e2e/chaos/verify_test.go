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

// equal has `rowvec verify` say that the index equals the table.
func (w *world) equal(ctx context.Context, file string) (*verify.Report, error) {
	c := exec.CommandContext(ctx, filepath.Join(w.root, "bin", "rowvec"), "verify", "-f", file, "--json")
	var stderr strings.Builder
	c.Stderr = &stderr
	out, err := c.Output()
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		return nil, err
	}
	var result struct {
		Equal  bool             `json:"equal"`
		Tables []*verify.Report `json:"tables"`
	}
	if err := json.Unmarshal(out, &result); err != nil || len(result.Tables) != 1 {
		return nil, fmt.Errorf("%w: %s %s", err, out, stderr.String())
	}
	r := result.Tables[0]
	if !result.Equal || r.Rows == 0 || len(r.Unchecked) > 0 || r.Error != "" {
		return r, fmt.Errorf("not equal: %d rows, faults %v, unsettled %d, unchecked %v, for example %v %s", r.Rows, r.Faults, r.Unsettled, r.Unchecked, r.Examples, r.Error)
	}
	return r, nil
}
