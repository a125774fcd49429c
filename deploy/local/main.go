// Command local runs, on this machine and without containers, everything that rowvec works with: Postgres, Pulsar, Chroma, and an embedding endpoint.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/rowvec/rowvec/deploy/local/stack"
)

const usage = `usage: go run ./deploy/local [--dir folder] [--cache folder] command

  up        bring the stack up and leave it running; write stack.env
  down      end it; --wipe removes its data and logs as well
  status    show what runs, and whether it answers
  env       print how to reach it, as a shell understands it
  logs      print the paths of the logs
  install   fetch and install everything, start nothing
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "error:", err) // nobody is left to tell
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	flags := flag.NewFlagSet("local", flag.ContinueOnError)
	flags.SetOutput(progress)
	flags.Usage = func() { _, _ = io.WriteString(progress, usage) } // as good as it gets on a closed output
	dir := flags.String("dir", ".rowvec", "")
	cache := flags.String("cache", "", "")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	opts := stack.Options{Dir: *dir, Cache: *cache, Out: progress, Detach: true}
	switch command := flags.Arg(0); command {
	case "up":
		return up(ctx, opts, out)
	case "install":
		return stack.Install(ctx, opts)
	case "down":
		return down(ctx, *dir, flags.Args()[1:], out)
	case "status":
		return attached(*dir, func(s *stack.Stack) error { return status(ctx, s, out) })
	case "env":
		return attached(*dir, func(s *stack.Stack) error { return write(out, s.Env().String()) })
	case "logs":
		return attached(*dir, func(s *stack.Stack) error { return logs(s, out) })
	default:
		flags.Usage()
		return fmt.Errorf("unknown command %q", command)
	}
}

func up(ctx context.Context, opts stack.Options, out io.Writer) error {
	begun := time.Now()
	s, err := stack.Start(ctx, opts)
	if err != nil {
		return err
	}
	if err := startGateway(ctx, s); err != nil {
		return err
	}
	if !s.Reused() {
		if err := resume(ctx, s.Admin(), out); err != nil {
			return err
		}
	}
	file := filepath.Join(opts.Dir, "stack.env")
	if s.Reused() {
		return write(out, fmt.Sprintf("The stack is already up; %s says how to reach it.\n", file))
	}
	return write(out, fmt.Sprintf("The stack is up after %.1fs; %s says how to reach it.\n", time.Since(begun).Seconds(), file))
}

// startGateway serves the function as it is shipped, whether or not somebody has deployed it already. Outside of the project there is none.
func startGateway(ctx context.Context, s *stack.Stack) error {
	function, err := os.ReadFile("deploy/function.yaml")
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the function's settings: %w", err)
	}
	return s.StartGateway(ctx, "bin/rowvec", function)
}

func down(ctx context.Context, dir string, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("down", flag.ContinueOnError)
	wipe := flags.Bool("wipe", false, "remove data and logs")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s, err := stack.Attach(dir)
	if errors.Is(err, stack.ErrNotUp) {
		return write(out, "The stack is not up.\n")
	}
	if err != nil {
		return err
	}
	end := s.Stop
	if *wipe {
		end = s.Wipe
	}
	if err := end(ctx); err != nil {
		return err
	}
	return write(out, "The stack is down.\n")
}

func attached(dir string, work func(*stack.Stack) error) error {
	s, err := stack.Attach(dir)
	if err != nil {
		return fmt.Errorf("%w; bring it up with: go run ./deploy/local up", err)
	}
	return work(s)
}

func status(ctx context.Context, s *stack.Stack, out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, c := range append(s.Components(), s.Gateway) {
		state, pid := "ready", c.PID()
		if pid == 0 {
			state = "down"
		} else if err := c.Ready(ctx); err != nil {
			state = "not ready"
		}
		if _, err := fmt.Fprintf(table, "%s\t%s\t%d\t%s\n", c.Name(), state, pid, c.Address()); err != nil {
			return err
		}
	}
	return table.Flush()
}

func logs(s *stack.Stack, out io.Writer) error {
	for _, c := range append(s.Components(), s.Gateway) {
		if err := write(out, c.Log()+"\n"); err != nil {
			return err
		}
	}
	return nil
}

func write(out io.Writer, text string) error {
	_, err := io.WriteString(out, text)
	return err
}
