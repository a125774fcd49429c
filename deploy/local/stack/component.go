package stack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/rowvec/rowvec/deploy/local/install"
	"github.com/rowvec/rowvec/deploy/local/progress"
	"github.com/rowvec/rowvec/deploy/local/supervise"
)

const (
	// probeEvery is how often a part that starts is asked whether it is ready.
	probeEvery = 100 * time.Millisecond
	// probeLimit bounds one such question.
	probeLimit = 5 * time.Second
	// logLines is how much of a log an error shows.
	logLines = 15
)

// place is where a part lives.
type place struct {
	dir   string // its data
	log   string // its log file
	ports []int
}

// mark goes into the environment of all that the part starts.
func (p place) mark() string { return p.dir }

// service is what differs between the parts.
type service interface {
	// install has the programs on the machine.
	install(ctx context.Context, cache *install.Cache, task *progress.Task) error
	// prepare lays out the folder. unclean: the last run did not end in order, or nobody knows.
	prepare(ctx context.Context, unclean bool) error
	// spec is how to start it.
	spec() supervise.Spec
	// ready asks whether it works, not merely listens.
	ready(ctx context.Context) error
	// url is how clients reach it.
	url() string
	// outside are folders that it keeps data in besides its own.
	outside() []string
	// limits are the longest times that starting and stopping in order may take.
	limits() (start, stop time.Duration)
}

// Component is one part of the stack. Its methods may be called from several goroutines; they wait for each other.
type Component struct {
	stack   *Stack
	name    string
	at      place
	service service

	mu        sync.Mutex
	process   *supervise.Process
	installed bool
	fresh     bool // started by this program
}

// StartError is a part that did not come up.
type StartError struct {
	Component string
	Reason    error
	Log       string // the log's path
	Tail      string // its last lines
}

// Error says why, and ends with the log's last lines.
func (e *StartError) Error() string {
	return fmt.Sprintf("%s did not start: %v\nThe last lines of %s:\n%s", e.Component, e.Reason, e.Log, e.Tail)
}

// Unwrap gives the reason.
func (e *StartError) Unwrap() error { return e.Reason }

// ErrExited is the reason of a part that ended while it was waited for.
var ErrExited = errors.New("it exited")

// Name is "postgres", "pulsar", "chroma", "embedding", "debezium2", "debezium3" or "gateway".
func (c *Component) Name() string { return c.name }

// URL is how clients reach the part; it stays the same over restarts.
func (c *Component) URL() string { return c.service.url() }

// Address is the URL without a password, for messages.
func (c *Component) Address() string { return shown(c.service.url()) }

// Log is the path of its log.
func (c *Component) Log() string { return c.at.log }

// PID is the process id, or 0 when the part does not run.
func (c *Component) PID() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.running() {
		return 0
	}
	return c.process.ID().PID
}

// Ready asks whether the part works right now.
func (c *Component) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	return c.service.ready(ctx)
}

// Start brings the part up and returns when it works. It does nothing when the part runs.
func (c *Component) Start(ctx context.Context) error { return c.bring(ctx, nil) }

// Stop ends the part in order, and kills what is left of it when that takes too long or ctx ends.
func (c *Component) Stop(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.running() {
		return c.clear(ctx)
	}
	begun := time.Now()
	_, grace := c.service.limits()
	if err := c.process.Stop(ctx, grace); err != nil {
		return fmt.Errorf("stop %s: %w", c.name, err)
	}
	took := time.Since(begun)
	c.process = nil
	c.stack.log.InfoContext(ctx, "stopped", slog.String("component", c.name), slog.Duration("took", took))
	return c.stack.state.ended(c.name, took < grace && ctx.Err() == nil)
}

// Kill ends the part and all that it started at once, as a crash would.
func (c *Component) Kill(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process == nil {
		return c.clear(ctx)
	}
	if err := c.process.Kill(ctx); err != nil {
		return fmt.Errorf("kill %s: %w", c.name, err)
	}
	c.process = nil
	return c.stack.state.ended(c.name, false)
}

// Restart stops the part if it runs, and starts it on the same ports and data.
func (c *Component) Restart(ctx context.Context) error {
	if err := c.Stop(ctx); err != nil {
		return err
	}
	return c.Start(ctx)
}

func (c *Component) running() bool { return c.process != nil && c.process.Alive() }

// clear ends what an earlier run of the part left: a run that this program does not know of, or one whose leader died alone.
func (c *Component) clear(ctx context.Context) error {
	if c.process != nil {
		if err := c.process.Kill(ctx); err != nil {
			return fmt.Errorf("clear what %s left: %w", c.name, err)
		}
		c.process = nil
	}
	if err := supervise.KillFamily(ctx, c.stack.state.of(c.name).ID, c.at.mark()); err != nil {
		return fmt.Errorf("clear what %s left: %w", c.name, err)
	}
	return nil
}

// refresh takes over what another program has started meanwhile.
func (c *Component) refresh() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if dead := c.process; !c.running() && c.adopt() && dead != nil {
		dead.Release()
	}
}

// adopt takes over the process that the state file names.
func (c *Component) adopt() bool {
	process, ok := supervise.Adopt(c.stack.state.of(c.name).ID, c.service.spec(), c.at.mark())
	if ok {
		c.process = process
	}
	return ok
}

// bring has the part installed, running and ready.
func (c *Component) bring(ctx context.Context, task *progress.Task) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.install(ctx, task); err != nil {
		return err
	}
	if c.running() || (c.process == nil && c.adopt()) {
		task.Phase("running already, waiting for an answer")
		err := c.await(ctx)
		if err == nil {
			task.Done("%s", c.Address())
			return nil
		}
		if ctx.Err() != nil {
			return err
		}
		c.stack.log.WarnContext(ctx, "runs but does not answer; starting it anew", slog.String("component", c.name))
	}
	task.Phase("starting")
	begun := time.Now()
	if err := c.launch(ctx); err != nil {
		return err
	}
	if err := c.await(ctx); err != nil {
		return err
	}
	task.Done("%s (%.1fs)", c.Address(), time.Since(begun).Seconds())
	return nil
}

func (c *Component) install(ctx context.Context, task *progress.Task) error {
	if c.installed {
		return nil
	}
	err := c.service.install(ctx, c.stack.cache, task)
	c.installed = err == nil
	return err
}

// launch starts the process, after clearing away what is left of an earlier one.
func (c *Component) launch(ctx context.Context) error {
	if err := c.clear(ctx); err != nil {
		return err
	}
	if err := os.MkdirAll(c.at.dir, 0o755); err != nil { //nolint:gosec // another user runs Postgres below it
		return fmt.Errorf("make its folder: %w", err)
	}
	if err := c.service.prepare(ctx, !c.stack.state.of(c.name).Clean); err != nil {
		return err
	}
	spec := c.service.spec()
	spec.Log, spec.Detach = c.at.log, c.stack.opts.Detach
	process, err := supervise.Start(spec, c.at.mark())
	if err != nil {
		return err
	}
	c.process, c.fresh = process, true
	return c.stack.state.started(c.name, process.ID())
}

// await returns when the part is ready, or with a *StartError when it exits or takes too long.
func (c *Component) await(ctx context.Context) error {
	limit, _ := c.service.limits()
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		reason := c.Ready(bounded)
		if reason == nil {
			return nil
		}
		if !c.process.Alive() {
			return c.startError(ErrExited)
		}
		select {
		case <-bounded.Done():
			if err := ctx.Err(); err != nil { // the caller's patience, not the part's time
				return err
			}
			return c.startError(fmt.Errorf("no answer within %s: %w", limit, reason))
		case <-tick.C:
		}
	}
}

func (c *Component) startError(reason error) error {
	return &StartError{Component: c.name, Reason: reason, Log: c.at.log, Tail: supervise.Tail(c.at.log, logLines)}
}
