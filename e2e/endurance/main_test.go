//go:build e2e

package endurance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowvec/rowvec/deploy/local/admin"
	"github.com/rowvec/rowvec/deploy/local/stack"
)

// world is the stack that the tests share, with their functions.
var world struct {
	stack  *stack.Stack
	env    stack.Env
	pulsar admin.Pulsar
	db     *pgxpool.Pool
	root   string // of the project
	out    string // where settings and the stack go

	outage, poison, limit *function
}

// lengths are how long things take and how many they are: the short form unless the environment says otherwise.
var lengths struct {
	outage time.Duration // ENDURE_OUTAGE
	rows   int           // ENDURE_ROWS, one in a hundred of them poison
	limit  time.Duration // ENDURE_LIMIT, whole minutes
}

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "endurance:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if err := readLengths(); err != nil {
		return 1, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	if world.root, err = filepath.Abs("../.."); err != nil {
		return 1, err
	}
	world.out = filepath.Join(world.root, "e2e", "out")
	if err := start(ctx); err != nil {
		return 1, err
	}
	defer func() {
		stop, done := context.WithTimeout(context.Background(), 2*time.Minute)
		defer done()
		err = errors.Join(err, world.stack.Stop(stop))
	}()
	if world.db, err = pgxpool.New(ctx, world.env.PostgresURL); err != nil {
		return 1, fmt.Errorf("reach Postgres: %w", err)
	}
	defer world.db.Close()
	functions, err := makeFunctions()
	if err != nil {
		return 1, err
	}
	defer func() {
		for _, f := range functions {
			err = errors.Join(err, f.endpoint.close())
		}
	}()
	if err := prepare(ctx, functions); err != nil {
		return 1, err
	}
	if err := deploy(ctx, functions); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

func readLengths() (err error) {
	read := func(name, usual string, parse func(string) error) {
		if e := parse(cmp.Or(os.Getenv(name), usual)); e != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", name, e))
		}
	}
	read("ENDURE_OUTAGE", "20s", func(s string) (e error) { lengths.outage, e = time.ParseDuration(s); return e })
	read("ENDURE_ROWS", "1000", func(s string) (e error) { lengths.rows, e = strconv.Atoi(s); return e })
	read("ENDURE_LIMIT", "1m", func(s string) (e error) { lengths.limit, e = time.ParseDuration(s); return e })
	if err == nil && (lengths.rows < 100 || lengths.limit < time.Minute || lengths.limit%time.Minute != 0) {
		err = errors.New("ENDURE_ROWS must be 100 at least, ENDURE_LIMIT whole minutes")
	}
	return err
}

// start brings up a stack of this package's own, on no data.
func start(ctx context.Context) (err error) {
	dir := filepath.Join(world.out, stackFolder)
	old, err := stack.Attach(dir)
	switch {
	case err == nil:
		err = old.Wipe(ctx)
	case errors.Is(err, stack.ErrNotUp):
		err = nil
	}
	if err != nil {
		return err
	}
	if world.stack, err = stack.Start(ctx, stack.Options{Dir: dir, Out: os.Stderr}); err != nil {
		return err
	}
	world.env = world.stack.Env()
	world.pulsar = admin.Pulsar{Program: world.env.PulsarAdmin, URL: world.env.PulsarAdminURL}
	return world.stack.Embedding.Stop(ctx) // the model has no part in this
}

// prepare makes the tables, and sets up the source with the script that the README tells a user to run.
func prepare(ctx context.Context, functions []*function) error {
	var tables []string
	if _, err := world.db.Exec(ctx, "CREATE SCHEMA app"); err != nil {
		return err
	}
	for _, f := range functions {
		for _, table := range f.tables {
			if _, err := world.db.Exec(ctx, "CREATE TABLE app."+table+" (id bigint PRIMARY KEY, body text NOT NULL)"); err != nil {
				return fmt.Errorf("make table app.%s: %w", table, err)
			}
			tables = append(tables, "app."+table)
		}
	}
	out, err := exec.CommandContext(ctx, "psql", world.env.PostgresURL, "-f", filepath.Join(world.root, "connector", "setup.sql"),
		"-v", "password=secret", "-v", "tables="+strings.Join(tables, ",")).CombinedOutput()
	if err != nil {
		return fmt.Errorf("run setup.sql: %w: %s", err, out)
	}
	return nil
}
