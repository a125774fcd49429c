// Package stack runs everything that rowvec works with on one machine, without containers: Postgres, Pulsar with the Debezium connector, Chroma and an
// embedding endpoint with a real model. It installs what is missing, starts all of it on free ports of the loopback address, waits until it answers,
// and can stop, kill and restart each part. It is for trying rowvec out and for its end-to-end tests, on Linux.
package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/rowvec/rowvec/deploy/local/authority"
	"github.com/rowvec/rowvec/deploy/local/install"
	"github.com/rowvec/rowvec/deploy/local/progress"
)

// Options say where a stack lives. The zero value of each but Dir is good.
type Options struct {
	// Dir holds the stack's data, logs and state; one stack for each folder, several folders for several stacks side by side.
	Dir string
	// Cache holds what is installed; "" is the user's cache folder.
	Cache string
	// Out shows progress: live on a terminal, as plain lines elsewhere; nil shows none.
	Out io.Writer
	// Log takes what is worth knowing later; nil is silent.
	Log *slog.Logger
	// Secure has Pulsar speak TLS only and ask for tokens, which Stack.Authority makes.
	Secure bool
	// Detach lets the parts outlive this program. Without it they are ended when this program dies, however it dies.
	Detach bool
}

// Stack is a running stack.
type Stack struct {
	// The parts, in the order in which records flow back: nothing needs what comes after it.
	Postgres, Chroma, Embedding, Pulsar *Component
	// Debezium Server of version 2 and 3, the other source. They start only by StartDebezium.
	Debezium2, Debezium3 *Component
	// Gateway is `rowvec serve`. It starts only by StartGateway.
	Gateway *Component
	// Authority signs what a secure stack's Pulsar trusts; nil without Options.Secure.
	Authority *authority.Authority

	opts   Options
	cache  *install.Cache
	state  *stateFile
	log    *slog.Logger
	reused bool
}

// ErrNotUp means that no stack was started in the folder.
var ErrNotUp = errors.New("no stack was started here")

// Start brings the whole stack up in opts.Dir. What runs there already and answers is taken over, what is half dead is started anew on the ports and data that it had.
// When a part does not come up, or ctx ends, the parts that this call started are stopped again. The error then names the part, and ends with the last lines of its log.
func Start(ctx context.Context, opts Options) (*Stack, error) {
	opts, err := layOut(opts)
	if err != nil {
		return nil, err
	}
	unlock, err := lock(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer unlock()
	s, err := open(opts) // not before the lock: another program may just be bringing the stack up
	if err != nil {
		return nil, err
	}
	board := progress.New(opts.Out)
	defer board.Close()
	if err := s.system(ctx, board); err != nil {
		return nil, err
	}
	if err := s.bring(ctx, board); err != nil {
		return nil, errors.Join(err, s.abandon(ctx))
	}
	if err := s.writeEnv(); err != nil {
		return nil, errors.Join(err, s.abandon(ctx))
	}
	return s, nil
}

// Open lays a stack out in opts.Dir and starts nothing: for those who need some parts only, which they start, and stop, one by one.
func Open(opts Options) (*Stack, error) {
	opts, err := layOut(opts)
	if err != nil {
		return nil, err
	}
	return open(opts)
}

// Attach takes hold of a stack that another program started in dir, to look at it or to end it. ErrNotUp when there is none.
func Attach(dir string) (*Stack, error) {
	if _, err := os.Stat(filepath.Join(dir, stateName)); errors.Is(err, os.ErrNotExist) {
		return nil, ErrNotUp
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find the stack's folder: %w", err)
	}
	s, err := open(Options{Dir: dir, Detach: true})
	if err != nil {
		return nil, err
	}
	for _, c := range s.all() {
		c.refresh()
	}
	return s, nil
}

// Install fetches and installs all that a stack needs, and starts nothing.
func Install(ctx context.Context, opts Options) error {
	dir, err := os.MkdirTemp("", "rowvec-install-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // empty but for the state file
	opts.Dir = dir
	s, err := open(opts)
	if err != nil {
		return err
	}
	board := progress.New(opts.Out)
	defer board.Close()
	if err := s.system(ctx, board); err != nil {
		return err
	}
	return s.each(ctx, board, func(ctx context.Context, c *Component, task *progress.Task) error {
		if err := c.install(ctx, task); err != nil {
			return err
		}
		task.Done("installed")
		return nil
	})
}

// layOut makes the folder.
func layOut(opts Options) (Options, error) {
	dir, err := filepath.Abs(opts.Dir)
	if err != nil {
		return opts, fmt.Errorf("find the stack's folder: %w", err)
	}
	if strings.ContainsAny(dir, " \t\n'\"$`\\:") {
		return opts, fmt.Errorf("the stack's folder %q: Pulsar's start script does not work below a path with spaces or other special characters; name another folder", dir)
	}
	opts.Dir = dir
	if err := os.MkdirAll(filepath.Join(dir, "logs"), 0o755); err != nil { //nolint:gosec // another user runs Postgres below it
		return opts, fmt.Errorf("make the stack's folder: %w", err)
	}
	return opts, nil
}

// open draws the ports, or reads back the ones that were drawn.
func open(opts Options) (*Stack, error) {
	s := &Stack{opts: opts, log: opts.Log}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if s.cache, err = install.NewCache(opts.Cache); err != nil {
		return nil, err
	}
	if s.state, err = openState(opts.Dir); err != nil {
		return nil, err
	}
	return s, s.assemble()
}

// assemble makes the parts.
func (s *Stack) assemble() error {
	var secured *security
	pulsarPorts := 3
	if s.opts.Secure {
		pulsarPorts = 4
		var err error
		if secured, err = s.secure(); err != nil {
			return err
		}
	}
	parts := []struct {
		into  **Component
		name  string
		ports int
		make  func(place) service
	}{
		{&s.Postgres, "postgres", 1, newPostgres},
		{&s.Chroma, "chroma", 1, newChroma},
		{&s.Embedding, "embedding", 1, newEmbedding},
		{&s.Pulsar, "pulsar", pulsarPorts, func(at place) service { return newPulsar(at, secured) }},
		{&s.Debezium2, "debezium2", 1, newDebezium2},
		{&s.Debezium3, "debezium3", 1, newDebezium3},
		{&s.Gateway, "gateway", 1, newGateway},
	}
	for _, p := range parts {
		ports, err := s.state.ports(p.name, p.ports)
		if err != nil {
			return err
		}
		at := place{dir: filepath.Join(s.opts.Dir, p.name), log: filepath.Join(s.opts.Dir, "logs", p.name+".log"), ports: ports}
		*p.into = &Component{stack: s, name: p.name, at: at, service: p.make(at)}
	}
	return nil
}

// Components lists the parts that Start brings up.
func (s *Stack) Components() []*Component {
	return []*Component{s.Postgres, s.Chroma, s.Embedding, s.Pulsar}
}

// all lists the parts that there may be.
func (s *Stack) all() []*Component {
	return append(s.Components(), s.Debezium2, s.Debezium3, s.Gateway)
}

// Reused reports whether Start found all parts running, and started none.
func (s *Stack) Reused() bool { return s.reused }

// lock keeps two programs from bringing up, or down, the same stack at once.
func lock(ctx context.Context, opts Options) (func(), error) {
	return install.Lock(ctx, filepath.Join(opts.Dir, "stack.lock"), func() {
		if opts.Out != nil {
			_, _ = fmt.Fprintln(opts.Out, "another program brings this stack up or down; waiting") // not worth failing for
		}
	})
}

// system installs what comes from the distribution, in one call: apt-get allows no second one beside it.
func (s *Stack) system(ctx context.Context, board *progress.Board) error {
	task := board.Task("system")
	needs := []install.Need{install.Postgres(), install.Java(), install.Program("mvn", "maven"), install.Python(), install.Program("bash", "bash")}
	if err := install.System(ctx, needs, task); err != nil {
		task.Fail(err)
		return err
	}
	task.Done("all programs found")
	return nil
}

// bring installs and starts all parts at once.
func (s *Stack) bring(ctx context.Context, board *progress.Board) error {
	err := s.each(ctx, board, func(ctx context.Context, c *Component, task *progress.Task) error { return c.bring(ctx, task) })
	s.reused = err == nil
	for _, c := range s.Components() {
		s.reused = s.reused && !c.fresh
	}
	return err
}

// each works on all parts at once, shows how each fares, and returns the first error.
func (s *Stack) each(ctx context.Context, board *progress.Board, work func(context.Context, *Component, *progress.Task) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, c := range s.Components() {
		task := board.Task(c.name)
		group.Go(func() error {
			if err := work(ctx, c, task); err != nil {
				task.Fail(err)
				return fmt.Errorf("%s: %w", c.name, err)
			}
			return nil
		})
	}
	return group.Wait()
}
