package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/deploy/local/admin"
	"github.com/rowvec/rowvec/deploy/local/stack"
)

const (
	stackDir     = ".rowvec"          // where `make up` has its stack, too
	demoDir      = stackDir + "/demo" // what the demo writes
	functionFile = demoDir + "/function.yaml"
	sourceFile   = demoDir + "/postgres.yaml"

	// interrupted is the exit code of a program that a Ctrl-C ended.
	interrupted = 130
)

// demo is one run.
type demo struct {
	screen *screen
	root   string // of the project: pulsar-admin changes to a folder of its own and needs absolute paths

	stack  *stack.Stack
	env    stack.Env
	pulsar admin.Pulsar
	db     *pgx.Conn
	chroma *chroma.Client

	filled   bool // the table was empty, and has its rows from this run
	rewrites []rewrite
}

type step struct {
	title string
	run   func(context.Context) error
}

func (d *demo) steps() []step {
	return []step{
		{"The stack", d.bringUp},
		{"A catalogue in Postgres", d.prepareTable},
		{"The function and the source, deployed with pulsar-admin", d.deploy},
		{"Indexing", d.index},
		{"Searching by meaning", d.search},
		{"Changes, from commit to Chroma", d.change},
		{"The changed text is found, the old one is not", d.searchChanged},
		{"The collection against the table", d.verify},
		{"What Pulsar says", d.report},
		{"What to try next", d.farewell},
	}
}

// run goes through the steps and returns the exit code.
func run(ctx context.Context, out, problems io.Writer) int {
	begun := time.Now()
	d := &demo{screen: newScreen(out)}
	defer d.close()
	if err := d.preflight(); err != nil {
		explain(problems, "before the first step", err)
		return 1
	}
	for i, s := range d.steps() {
		d.screen.section(i+1, s.title)
		err := s.run(ctx)
		if ctx.Err() != nil {
			d.interrupted(problems)
			return interrupted
		}
		if err != nil {
			explain(problems, fmt.Sprintf("in step %d, %q", i+1, s.title), err)
			return 1
		}
	}
	d.screen.blank()
	d.screen.line("All of it took %s.", round(time.Since(begun)))
	return 0
}

// preflight finds the project's root and what `make build` puts there.
func (d *demo) preflight() (err error) {
	if d.root, err = os.Getwd(); err != nil {
		return fmt.Errorf("find the folder to work in: %w", err)
	}
	for _, path := range []string{"deploy/function.yaml", "connector/setup.sql"} {
		if _, err := os.Stat(path); err != nil {
			return advise(err, "run it from the project's root, with: make demo")
		}
	}
	for _, path := range []string{"bin/rowvec-function", "bin/rowvec"} {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return advise(fmt.Errorf("%s is missing", path), "build it with: make build")
		} else if err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) bringUp(ctx context.Context) (err error) {
	d.stack, err = stack.Start(ctx, stack.Options{Dir: stackDir, Out: d.screen.out, Detach: true})
	if err != nil {
		return advise(err, "look at the logs in %s/logs; a stack that is broken for good is removed, data and all, by: go run ./deploy/local down --wipe", stackDir)
	}
	d.env = d.stack.Env()
	d.pulsar = admin.Pulsar{Program: d.env.PulsarAdmin, URL: d.env.PulsarAdminURL}
	if d.chroma, err = chroma.New(chroma.Config{URL: d.env.ChromaURL}); err != nil {
		return err
	}
	if d.db, err = pgx.Connect(ctx, d.env.PostgresURL); err != nil {
		return fmt.Errorf("reach Postgres: %w", err)
	}
	d.screen.line("A Postgres, a Pulsar, a Chroma and an embedding endpoint with a real model (%s), none of them in a container.", d.env.EmbeddingModel)
	d.screen.line("%s/stack.env says how to reach them.", stackDir)
	return nil
}

func (d *demo) close() {
	if d.db != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = d.db.Close(ctx) // the program ends anyway
	}
	if d.chroma != nil {
		_ = d.chroma.Close() // as above
	}
}

// absolute is a path of the project as pulsar-admin needs it.
func (d *demo) absolute(path string) string { return filepath.Join(d.root, path) }
