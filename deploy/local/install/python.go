package install

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/rowvec/rowvec/deploy/local/progress"
)

// Environment describes a Python environment: what pip is asked for, and what must be importable afterwards.
type Environment struct {
	Name    string   // with the version
	Pip     []string // arguments of pip install
	Imports string   // a module
	Builds  []Need   // what pip must have where a package has no ready-made build for this machine; it is asked for only then
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
			if err := v.fill(ctx, dir, machine(), task); err != nil {
				return err
			}
			return v.check(ctx, dir)
		},
		Check: v.check, // an environment dies with the interpreter that it was made with
	}, task)
	return interpreter(dir), err
}

// fill installs the packages. Where nothing can be built, ready-made builds are tried first, and what is missing is named, or installed, before pip loads
// a large source only to fail on it.
func (v Environment) fill(ctx context.Context, dir string, on *system, task *progress.Task) error {
	lacking, _ := check(ctx, v.Builds)
	if len(lacking) == 0 {
		return v.pip(ctx, dir)
	}
	err := v.pip(ctx, dir, "--only-binary", ":all:")
	if err == nil || ctx.Err() != nil {
		return err
	}
	if missing := on.ensure(ctx, v.Builds, task); missing != nil {
		return errors.Join(fmt.Errorf("%s cannot be built here: %w", v.Name, missing), fmt.Errorf("and no ready-made build could be installed: %w", err))
	}
	task.Phase("building %s", v.Name)
	return v.pip(ctx, dir)
}

func (v Environment) pip(ctx context.Context, dir string, options ...string) error {
	args := append([]string{interpreter(dir), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--quiet"}, options...)
	return run(ctx, dir, nil, nil, append(args, v.Pip...)...)
}

func (v Environment) check(ctx context.Context, dir string) error {
	if err := run(ctx, dir, []string{"PYTHONPATH=", "PYTHONHOME="}, nil, interpreter(dir), "-c", "import "+v.Imports); err != nil {
		return fmt.Errorf("the environment %s does not work: %w", v.Name, err)
	}
	return nil
}

func interpreter(dir string) string { return filepath.Join(dir, "bin", "python3") }
