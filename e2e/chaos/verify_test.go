//go:build e2e

package chaos

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/rowvec/rowvec/e2e/operator"
	"github.com/rowvec/rowvec/function/verify"
)

// verify runs `rowvec verify` as an operator does, and returns what it says of the table.
func (w *world) verify(ctx context.Context, file string, args ...string) (*verify.Report, error) {
	tables, err := operator.Verify(ctx, filepath.Join(w.root, "bin", "rowvec"), file, args...)
	if err != nil {
		return nil, err
	}
	if len(tables) != 1 {
		return nil, fmt.Errorf("rowvec verify says something of %d tables, not of one", len(tables))
	}
	return tables[0], nil
}

// equal has `rowvec verify` say that the index equals the table.
func (w *world) equal(ctx context.Context, file string) (*verify.Report, error) {
	r, err := w.verify(ctx, file)
	if err == nil {
		err = operator.Equal(r)
	}
	return r, err
}
