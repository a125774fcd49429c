package supervise

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

const (
	// pollEvery is how often a process that is not our child is looked at.
	pollEvery = 20 * time.Millisecond
	// killWait bounds the wait for a family that was sent SIGKILL: only a process stuck in the kernel takes longer.
	killWait = 10 * time.Second
)

// Spec says how a program is started and how it is ended.
type Spec struct {
	// Args is the program, as an absolute path, and its arguments.
	Args []string
	// Env is the whole environment of the program, as KEY=value.
	Env []string
	// Dir is the working directory.
	Dir string
	// Log is the file that standard output and error are appended to.
	Log string
	// User runs the program as somebody else (only root can); nil is the caller.
	User *syscall.Credential
	// Interrupt asks the program for an orderly end; 0 is SIGTERM.
	Interrupt syscall.Signal
	// Abandon is what the guard sends when this program dies without stopping the process; 0 is SIGKILL to the whole group. Anything else
	// goes to the leader alone, which has two seconds to end what it started.
	Abandon syscall.Signal
	// Drain is how long the children get to end, after SIGTERM, before the program itself is asked to; 0 leaves the children to the program.
	Drain time.Duration
	// Detach lets the program outlive this one: it gets no guard.
	Detach bool
}

// ID names one process for ever: a pid is used again, a pid with its start time is not.
type ID struct {
	PID int `json:"pid"`
	// Started is the start time in clock ticks since boot (proc(5), field 22 of stat).
	Started uint64 `json:"started"`
}

// Process is a running program and everything that it started.
type Process struct {
	id    ID
	spec  Spec
	mark  string
	done  chan struct{} // closed when our child was reaped; nil for an adopted process
	guard *guard
}

// Start runs the program in a session of its own, so that a Ctrl-C in the terminal reaches only this program, which then stops the other
// in order. mark is put into its environment: whatever inherits it belongs to the program, also when it has left the session.
func Start(spec Spec, mark string) (*Process, error) {
	log, err := os.OpenFile(spec.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	defer func() { _ = log.Close() }() // the child has its own descriptor
	//nolint:noctx // a context would kill only the leader
	cmd := exec.Command(spec.Args[0], spec.Args[1:]...)
	prepare(cmd, spec, mark, log)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", spec.Args[0], err)
	}
	p := &Process{id: identify(cmd.Process.Pid), spec: spec, mark: mark, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // the exit status is in nobody's interest: the log says why
	}()
	if !spec.Detach {
		if p.guard, err = newGuard(p.id.PID, spec.Abandon); err != nil {
			return nil, errors.Join(err, p.Kill(context.Background()))
		}
	}
	return p, nil
}

// prepare gives the program its surroundings: a session of its own, and the mark.
func prepare(cmd *exec.Cmd, spec Spec, mark string, out io.Writer) {
	cmd.Dir, cmd.Stdout, cmd.Stderr = spec.Dir, out, out
	cmd.Env = append(append([]string(nil), spec.Env...), MarkKey+"="+mark)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: spec.User}
}

// identify names a child that was not waited for yet: it is at the latest a zombie, nobody else reaps it.
func identify(pid int) ID {
	found, _ := lookup(pid)
	return ID{PID: pid, Started: found.started}
}

// Adopt takes over a process that another program started with the same spec and mark. It answers false when that process is gone.
func Adopt(id ID, spec Spec, mark string) (*Process, bool) {
	p := &Process{id: id, spec: spec, mark: mark}
	return p, id.PID > 0 && id.alive()
}

// ID names the process.
func (p *Process) ID() ID { return p.id }

// Alive reports whether the program runs; what it started may run without it.
func (p *Process) Alive() bool {
	if p.done == nil {
		return p.id.alive()
	}
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Stop asks the program to end, waits up to grace, and kills whatever is left of it and its family. When ctx ends first the rest is killed at once.
func (p *Process) Stop(ctx context.Context, grace time.Duration) error {
	if p.spec.Drain > 0 {
		p.drain(ctx)
	}
	if p.Alive() {
		signal := p.spec.Interrupt
		if signal == 0 {
			signal = syscall.SIGTERM
		}
		_ = syscall.Kill(p.id.PID, signal) // gone in between is what is wanted
		wait(ctx, grace, func() bool { return !p.Alive() })
	}
	return p.Kill(ctx)
}

// drain lets the children finish before the program that they depend on goes away.
func (p *Process) drain(ctx context.Context) {
	children := family(p.id, p.mark, nil)
	delete(children, p.id)
	for id := range children {
		_ = syscall.Kill(id.PID, syscall.SIGTERM)
	}
	wait(ctx, p.spec.Drain, func() bool { return noneAlive(children) })
}

// Kill ends the program and its family with SIGKILL and returns when all of it is gone; it does not give up when ctx has ended, since a process
// left behind is worse than a second of waiting. An error means that a process is stuck in the kernel.
func (p *Process) Kill(ctx context.Context) error {
	if err := KillFamily(context.WithoutCancel(ctx), p.id, p.mark); err != nil {
		return err
	}
	if p.done != nil {
		<-p.done
	}
	p.guard.release()
	return nil
}

// Release lets go of the process: this program's end is no longer its end.
func (p *Process) Release() { p.guard.release() }

// KillFamily ends, with SIGKILL, the process, its group, its descendants, and all that carry the mark.
func KillFamily(ctx context.Context, id ID, mark string) error {
	targets := map[ID]bool{}
	gone := wait(ctx, killWait, func() bool {
		targets = family(id, mark, targets) // again and again: a dying parent may have started one more
		for t := range targets {
			if t.alive() {
				_ = syscall.Kill(t.PID, syscall.SIGKILL)
			}
		}
		return noneAlive(targets)
	})
	if !gone {
		return fmt.Errorf("process %d and its family are still there %s after SIGKILL", id.PID, killWait)
	}
	return nil
}

// wait polls until the condition holds (true), or the time is over or ctx has ended (false).
func wait(ctx context.Context, limit time.Duration, holds func() bool) bool {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			return false
		case <-deadline.C:
			return false
		case <-tick.C:
		}
	}
	return true
}
