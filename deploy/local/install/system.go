package install

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/rowvec/rowvec/deploy/local/progress"
)

// Need is something that the system must have.
type Need struct {
	// Name says what it is, with its version: "PostgreSQL 15 or newer".
	Name string
	// Find answers nil when it is there.
	Find func(ctx context.Context) error
	// Packages are the Debian packages that bring it. Where one entry names several with "|", the first that the system knows is taken.
	Packages []string
}

// MissingError says what the system lacks and which command would bring it.
type MissingError struct {
	Missing []string // what, and what was found in its place
	Command string
}

// Error lists what is missing and gives the command to type.
func (e *MissingError) Error() string {
	return "the local stack needs, and did not find:\n  " + strings.Join(e.Missing, "\n  ") + "\nInstall it with:\n  " + e.Command
}

// System finds the needs, and installs with apt-get what is missing when this is Debian or Ubuntu and root is running; else the error is a *MissingError.
// When ctx ends while packages are being installed, it returns only when that is over.
func System(ctx context.Context, needs []Need, task *progress.Task) error {
	return machine().ensure(ctx, needs, task)
}

// system is the machine, and what may be done to it.
type system struct{ root bool }

func machine() *system { return &system{root: os.Geteuid() == 0} }

func (s *system) ensure(ctx context.Context, needs []Need, task *progress.Task) error {
	lacking, reasons := check(ctx, needs)
	if len(lacking) == 0 || ctx.Err() != nil { // an interrupted look found nothing, whatever there is
		return ctx.Err()
	}
	if _, err := exec.LookPath("apt-get"); err != nil || !s.root {
		return missingError(ctx, lacking, reasons)
	}
	if err := bring(ctx, lacking, task); err != nil {
		return err
	}
	lacking, reasons = check(ctx, needs)
	if len(lacking) == 0 || ctx.Err() != nil {
		return ctx.Err()
	}
	return missingError(ctx, lacking, reasons)
}

// bring installs the packages of what is lacking.
func bring(ctx context.Context, lacking []Need, task *progress.Task) error {
	env := []string{"DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1"} // run level 1: do not start the services that are installed
	task.Phase("apt-get update")
	if err := run(ctx, "", env, nil, "apt-get", "update"); err != nil {
		return err
	}
	packages := choose(ctx, lacking)
	names := strings.Join(packages, " ")
	args := append([]string{"apt-get", "install", "--yes", "--no-install-recommends"}, packages...)
	task.Phase("apt-get install %s: fetching", names)
	if err := run(ctx, "", env, nil, append(args, "--download-only")...); err != nil {
		return err
	}
	task.Phase("apt-get install %s", names)
	told := make(chan struct{})
	alone := context.AfterFunc(ctx, func() {
		defer close(told)
		task.Phase("interrupted; waiting for apt-get install to end, which must not be cut short")
	})
	err := run(context.WithoutCancel(ctx), "", env, nil, args...)
	if !alone() {
		<-told
	}
	return err
}

func check(ctx context.Context, needs []Need) (lacking []Need, reasons []string) {
	for _, need := range needs {
		if err := need.Find(ctx); err != nil {
			lacking = append(lacking, need)
			reasons = append(reasons, fmt.Sprintf("%s: %v", need.Name, err))
		}
	}
	return lacking, reasons
}

func missingError(ctx context.Context, lacking []Need, reasons []string) error {
	return &MissingError{
		Missing: reasons,
		Command: "sudo apt-get update && sudo apt-get install --yes --no-install-recommends " + strings.Join(choose(ctx, lacking), " "),
	}
}

// choose resolves alternatives by what apt knows, which anybody may ask.
func choose(ctx context.Context, lacking []Need) []string {
	var packages []string
	for _, need := range lacking {
		for _, p := range need.Packages {
			alternatives := strings.Split(p, "|")
			chosen := alternatives[0]
			for _, a := range alternatives {
				if succeeds(ctx, "apt-cache", "show", a) {
					chosen = a
					break
				}
			}
			packages = append(packages, chosen)
		}
	}
	slices.Sort(packages)
	return slices.Compact(packages)
}

var errNotInPath = errors.New("not in PATH")

// Program is a need for a program in PATH.
func Program(name string, packages ...string) Need {
	return Need{Name: name, Packages: packages, Find: func(context.Context) error {
		if _, err := exec.LookPath(name); err != nil {
			return errNotInPath
		}
		return nil
	}}
}
