package install

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/rowvec/rowvec/deploy/local/progress"
)

// Environment describes a Python environment: what pip is asked for, and what must be importable afterwards.
type Environment struct {
	Name    string   // with the version
	Pip     []string // arguments of pip install
	Imports string   // a module
}

// Ensure has the environment in the cache and returns the path of its interpreter. The environment is moved after it was built, so of its programs only the
// interpreter works: the others' first lines name the place where they were made.
func (v Environment) Ensure(ctx context.Context, c *Cache, task *progress.Task) (string, error) {
	dir, err := c.Ensure(ctx, Entry{
		Name: v.Name,
		Build: func(ctx context.Context, dir string) error {
			task.Phase("installing %s", v.Name)
			if err := run(ctx, dir, nil, nil, "python3", "-m", "venv", dir); err != nil {
				return err
			}
			args := []string{interpreter(dir), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--quiet"}
			if err := run(ctx, dir, nil, nil, append(args, v.Pip...)...); err != nil {
				return err
			}
			return v.check(ctx, dir)
		},
		Check: v.check, // an environment dies with the interpreter that it was made with
	}, task)
	return interpreter(dir), err
}

func (v Environment) check(ctx context.Context, dir string) error {
	if err := run(ctx, dir, []string{"PYTHONPATH=", "PYTHONHOME="}, nil, interpreter(dir), "-c", "import "+v.Imports); err != nil {
		return fmt.Errorf("the environment %s does not work: %w", v.Name, err)
	}
	return nil
}

func interpreter(dir string) string { return filepath.Join(dir, "bin", "python3") }
